#!/usr/bin/env python3
"""Break a command off in its middle, as a power cut would: every process of it is killed, whoever it runs as.

    break_off.py CONTAINER COMMAND CONDITION    run COMMAND as the system's ordinary user; kill it once CONDITION succeeds

CONDITION is a shell command, asked again and again as root in the running system; $EVENTS is the file of the run's events
there (tasks, and what modules wait for), which was empty before. That it never succeeds, or only after
the command has ended, is a failure: then nothing was broken off.
"""

from __future__ import annotations

import subprocess
import sys

UNIT = "broken-off"
SECONDS = 900
# Asked within the system, because a `docker exec` for each question would be too slow for short moments.
EVENTS = "/home/tester/.local/state/todochat/events.jsonl"
WATCH = f"""
EVENTS={EVENTS}
end=$(($(date +%s) + {SECONDS}))
until {{ $1; }} > /dev/null 2>&1; do
  systemctl is-active --quiet {UNIT} || {{ echo "it ended before that"; exit 1; }}
  [ "$(date +%s)" -lt "$end" ] || {{ echo "that did not happen within {SECONDS} s"; exit 1; }}
  sleep 0.02
done
systemctl kill --signal=KILL {UNIT}
while systemctl is-active --quiet {UNIT}; do sleep 0.02; done
[ "$(systemctl show --property=Result --value {UNIT})" = signal ] || {{ echo "it ended by itself in that very moment"; exit 1; }}
"""


def main(container: str, command: str, condition: str) -> None:
    inside = ["docker", "exec", container]
    start = ["systemd-run", "--quiet", f"--unit={UNIT}", "su", "--login", "tester", "--command", f"cd todochat && {command}"]
    subprocess.run([*inside, "rm", "-f", EVENTS], check=True)
    subprocess.run([*inside, *start], check=True)
    watch = WATCH.replace("$1;", f"{condition};")
    watched = subprocess.run([*inside, "bash", "-c", watch], stdout=subprocess.PIPE, text=True, check=False)
    log = subprocess.run([*inside, "journalctl", "--no-pager", "--output=cat", f"--unit={UNIT}"], stdout=subprocess.PIPE, text=True, check=False).stdout
    subprocess.run([*inside, "systemctl", "reset-failed", UNIT], capture_output=True, check=False)
    print(log)
    if watched.returncode:
        sys.exit(f"`{command}` was to be broken off at `{condition}`, but {watched.stdout.strip()}.")
    print(f"`{command}` was broken off at `{condition}`.")


if __name__ == "__main__":
    main(*sys.argv[1:])
