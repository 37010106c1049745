#!/usr/bin/env python3
"""README's way on a real machine: Debian's own kernel, systemd and cgroup v2, in QEMU; by Jane.Doe (see molecule/shared/jane.py).

    vm.py bookworm|trixie          `make up`, a reboot, `make up` again, on a machine that nothing was done to before
    vm.py bookworm|trixie shell    start the machine that a failure has kept, and log in

It has a filled store, as a disk that it can only read. Where KVM does not work, all of it is emulated, which takes hours. Its clock
then goes TIMES_SLOWER times slower than ours: for the machine itself all takes about as long as elsewhere, so that every limit of
time is what it is for users. Needs root, and what tests/prepare.yml installs with `-e machine=true`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dependencies  # noqa: F401  it knows where the harness is

# isort: split
import jane

import checkout
import fresh_system

ROOT = Path(__file__).resolve().parent.parent
RELEASES = ("bookworm", "trixie")
MACHINES = Path.home() / ".cache/todochat-test/machines"
STORE = Path.home() / ".cache/todochat/store"
OUTPUT = ROOT / "tests/output"
PACKAGES = (
    *("linux-image-cloud-amd64", "initramfs-tools", "systemd-sysv", "dbus", "udev", "kmod", "openssh-server"),
    *("python3", "sudo", "make", "git", "iproute2", "procps", "ca-certificates", "locales", "tinyproxy"),
)
HOME = f"/home/{jane.NAME}"
# Of the machine, in QEMU's network; it has no other.
ADDRESS = "10.0.2.15"
CUSTOMIZE = rf"""
set -e
echo {shlex.quote(jane.SUDOERS)} > "$1/etc/sudoers.d/jane"
chroot "$1" useradd --create-home --badname --shell /bin/bash {jane.NAME}
echo {shlex.quote(f"{jane.NAME}:{jane.PASSWORD}")} | chroot "$1" chpasswd
for folder in .ssh .cache .cache/todochat .cache/todochat/store {shlex.quote(os.path.dirname(jane.CHECKOUT))} {shlex.quote(jane.CHECKOUT)}
do chroot "$1" install -d -o {jane.NAME} -g {jane.NAME} -m 700 "{HOME}/${{folder#{HOME}/}}"; done
chroot "$1" localedef --inputfile=de_DE --charmap=UTF-8 de_DE.UTF-8
printf {shlex.quote(jane.PROXY)} > "$1/etc/tinyproxy/tinyproxy.conf"
echo http://{ADDRESS}:3128 > "$1/etc/proxy"
printf '/dev/vda / ext4 defaults 0 1\n/dev/vdb {HOME}/.cache/todochat/store ext4 ro 0 0\n' > "$1/etc/fstab"
printf '[Match]\nType=ether\nDriver=virtio_net\n[Network]\nDHCP=ipv4\n' > "$1/etc/systemd/network/20-machine.network"
chroot "$1" systemctl enable systemd-networkd.service
echo nameserver 10.0.2.3 > "$1/etc/resolv.conf"
echo machine > "$1/etc/hostname"
echo 127.0.1.1 machine >> "$1/etc/hosts"
: > "$1/etc/machine-id"
"""
# As README asks for; the disk takes what is written to it.
CPUS, MEMORY, DISK = 2, "9G", "40G"
KERNEL = "root=/dev/vda rw console=ttyS0 net.ifnames=0"
# An emulated processor has nothing to be protected from, and that would cost most of its time. Its time stamp counter is ours: good, but too
# fast for how the kernel looks whether its timer works.
EMULATED = "mitigations=off tsc=reliable no_timer_check"
TIMES_SLOWER = 10
SLOW_CLOCK = {"LD_PRELOAD": "/usr/$LIB/faketime/libfaketimeMT.so.1", "FAKETIME": f"+0 x{1 / TIMES_SLOWER}"}
# By the machine's clock.
BOOT_SECONDS = 120
COMMAND_SECONDS = 3600
USER_WAS_THERE = "The application works for a real user: "
ALL_IS_WELL = "make open   (all is well)"
VISITOR = "PYTHONPATH=.ansible/collections python3 molecule/site/visitor.py"


class MachineError(Exception):
    """What was not as it should be."""


class Machine:
    """A machine with its disks in a folder, started and stopped like one."""

    def __init__(self, release: str, log: Path) -> None:
        self.release = release
        self.log = log
        self.folder = MACHINES / release
        self.slower = 1
        self._qemu: subprocess.Popen[bytes] | None = None
        self._port = 0

    def install(self) -> None:
        """Makes its disks: a freshly installed Debian with this machine's certificates and registries and the checkout, and the store."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        with tempfile.TemporaryDirectory(prefix=f"{self.release}-", dir=self.folder) as work:
            Path(work).chmod(0o755)  # mmdebstrap's helpers run as another user
            hook, root = Path(work, "customize"), Path(work, "root")
            hook.write_text(CUSTOMIZE, encoding="utf-8")
            mmdebstrap = ["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", f"--include={','.join(PACKAGES)}"]
            run([*mmdebstrap, f'--customize-hook=sh {hook} "$1"', self.release, str(root), *fresh_system.debian_sources(self.release)], TMPDIR=work)
            self._furnish(root)
            for name in ("vmlinuz", "initrd.img"):
                (file,) = (root / "boot").glob(f"{name}-*")
                shutil.copy(file, self.folder / name)
            make_disk(self.folder / "root.ext4", root, DISK)
        make_disk(self.folder / "store.ext4", STORE, f"{size_in_megabytes(STORE) * 11 // 10 + 100}M")

    def _furnish(self, root: Path) -> None:
        """Hands over what a new machine of a company has, the checkout, and a key to log in with."""
        system, user = fresh_system.configuration(os.environ, Path.home())
        extract(root, fresh_system.archive(system))
        run(["chroot", str(root), "update-ca-certificates"])
        home = root / HOME.removeprefix("/")
        extract(home, fresh_system.archive(user))
        extract(root / jane.CHECKOUT.removeprefix("/"), checkout.archive(ROOT))
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tests/vm.py", "-f", str(self.folder / "key")])
        shutil.copy(self.folder / "key.pub", home / ".ssh/authorized_keys")
        host_key = (root / "etc/ssh/ssh_host_ed25519_key.pub").read_text(encoding="utf-8")
        (self.folder / "known_hosts").write_text(f"machine {host_key}", encoding="utf-8")
        run(["chroot", str(root), "chown", "--recursive", f"{jane.NAME}:{jane.NAME}", HOME])

    def start(self) -> None:
        """Starts it, by KVM where that works, and waits until it has booted. Raises MachineError."""
        if os.access("/dev/kvm", os.R_OK | os.W_OK):
            self._start(["-accel", "kvm", "-cpu", "host"], "", {})
            if self._boots(BOOT_SECONDS):
                return
            self.stop()
            self.say(f"KVM is there, but the machine has not booted on it. It is emulated, with a clock that is {TIMES_SLOWER} times slower.")
        self.slower = TIMES_SLOWER
        self._start(["-accel", "tcg,thread=multi", "-cpu", "EPYC"], EMULATED, SLOW_CLOCK)
        if not self._boots(BOOT_SECONDS * self.slower):
            raise MachineError(f"The machine has not booted: see console.log and qemu.log in {self.folder}.")

    def _start(self, processor: list[str], arguments: str, environment: Mapping[str, str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        disks = [f"file={self.folder / name},format=raw,if=virtio,{how}" for name, how in (("root.ext4", "cache=unsafe"), ("store.ext4", "readonly=on"))]
        network = f"user,id=net,ipv6=off,hostfwd=tcp:127.0.0.1:{self._port}-:22"
        command = [
            *("qemu-system-x86_64", *processor, "-smp", str(CPUS), "-m", MEMORY, "-nodefaults", "-display", "none"),
            *("-kernel", str(self.folder / "vmlinuz"), "-initrd", str(self.folder / "initrd.img"), "-append", f"{KERNEL} {arguments}"),
            *(word for disk in disks for word in ("-drive", disk)),
            *("-netdev", network, "-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci"),
            *("-serial", f"file:{self.folder / 'console.log'}"),
        ]
        with (self.folder / "qemu.log").open("w", encoding="utf-8") as log:
            self._qemu = subprocess.Popen(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _boots(self, seconds: float) -> bool:
        """Whether it is up, with every service that should be, before that time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._qemu and self._qemu.poll() is None:
            if self.ask("systemctl is-system-running --wait").stdout.strip() in ("running", "degraded"):
                return True
            time.sleep(1)
        return False

    def reboot(self) -> None:
        """Restarts it as `reboot` does, and waits until it is up again. Raises MachineError."""
        before = self.ask("cat /proc/sys/kernel/random/boot_id").stdout
        self.ask(f"echo {shlex.quote(jane.PASSWORD)} | sudo --stdin systemctl reboot")
        end = time.monotonic() + BOOT_SECONDS * self.slower
        while not (now := self.ask("cat /proc/sys/kernel/random/boot_id").stdout) or now == before:
            if time.monotonic() > end:
                raise MachineError(f"The machine does not come back after a reboot: see {self.folder / 'console.log'}.")
            time.sleep(1)
        if not self._boots(end - time.monotonic()):
            raise MachineError(f"The machine does not boot again: see {self.folder / 'console.log'}.")

    def stop(self) -> None:
        """Switches it off; what it has written is on its disk."""
        if self._qemu:
            self.ask("sync")
            self._qemu.terminate()
            self._qemu.wait()
            self._qemu = None

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def ssh(self, *options: str) -> list[str]:
        """The command that logs in as her."""
        how = [f"UserKnownHostsFile={self.folder / 'known_hosts'}", "HostKeyAlias=machine", "BatchMode=yes", "ConnectTimeout=20", "LogLevel=ERROR"]
        whom = ["-i", str(self.folder / "key"), "-p", str(self._port), f"{jane.NAME}@127.0.0.1"]
        return ["ssh", "-F", "none", *options, *(f"-o{option}" for option in how), *whom]

    def ask(self, command: str) -> subprocess.CompletedProcess[str]:
        """What a command of a moment answers; nothing where the machine does not."""
        return subprocess.run([*self.ssh(), command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def does(self, command: str, asked: int = 0) -> str:
        """What she types in the checkout shows, which can be followed meanwhile; sudo asks so often. Raises MachineError where it fails."""
        limited = f"timeout --foreground {COMMAND_SECONDS} bash -c {shlex.quote(jane.script(command))}"
        with self.timed(command), self.log.open("ab") as log:

            def heard(block: bytes) -> None:
                log.write(block)
                sys.stdout.buffer.write(block)
                sys.stdout.buffer.flush()

            status, shown = jane.at_a_terminal([*self.ssh("-tt"), limited], asked, heard)
            if status:
                raise MachineError(f"`{command}` ended with exit status {status}.")
        return shown

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        self.say(f"=== {self.release}: {what}")
        start = time.monotonic()
        yield
        minutes, seconds = divmod(round(time.monotonic() - start), 60)
        self.say(f"=== {self.release}: {what}: {minutes} min {seconds} s")

    def say(self, line: str) -> None:
        """Tells it here, and in the log."""
        print(line, flush=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")

    def versions(self) -> dict[str, str]:
        """What it consists of, for a record."""
        asked = {"kernel": "uname -r", "debian": "cat /etc/debian_version", "docker": "docker version --format={{.Server.Version}}"}
        found = {name: self.ask(command).stdout.strip() for name, command in asked.items()}
        return found | ({"kernel": f"{found['kernel']}, emulated"} if self.slower > 1 else {})


def readmes_way(machine: Machine) -> None:
    """README's commands, and what a newcomer expects of them. Raises MachineError."""
    about = machine.ask("stat --file-system --format=%T /sys/fs/cgroup; systemctl is-system-running").stdout.split()
    expect(about == ["cgroup2fs", "running"], f"It is a machine with cgroup v2 on which all services run, not {about}.")
    expect(USER_WAS_THERE in machine.does("make up", asked=1), "The application was checked as its user.")
    expect(ALL_IS_WELL in machine.does("make status", asked=1), "All is well after `make up`.")
    machine.does(f"{VISITOR} begin")
    with machine.timed("reboot"):
        machine.reboot()
    machine.does(f"{VISITOR} return")
    expect(re.search(r"changed=0 .*failed=0", machine.does("make up", asked=1)) is not None, "The next `make up` has nothing to change.")
    expect(ALL_IS_WELL in machine.does("make status", asked=1), "All is well after the reboot.")


def prove(release: str, log: Path) -> dict[str, str]:
    """The versions of a real machine of this release on which README's way works; nothing where it does not: then it is kept, switched off."""
    log.parent.mkdir(exist_ok=True)
    log.write_text("", encoding="utf-8")
    machine = Machine(release, log)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the machine ends with this
    try:
        with machine.timed("its disks are made"):
            machine.install()
        with machine.timed("it boots"):
            machine.start()
        readmes_way(machine)
        versions = machine.versions()
    except MachineError as error:
        machine.say(f"{error}\nThe machine is kept. To log in: python3 bootstrap --test -- python tests/vm.py {release} shell")
        return {}
    finally:
        machine.stop()
    machine.remove()
    return versions


def shell(release: str, log: Path) -> int:
    """Logs in to a machine that was kept; returns the exit status of that."""
    machine = Machine(release, log)
    if not machine.folder.exists():
        sys.exit(f"No machine {release} was kept.")
    try:
        machine.start()
        return subprocess.run(machine.ssh("-t"), check=False).returncode
    finally:
        machine.stop()


def make_disk(file: Path, content: Path, size: str) -> None:
    """A file system with the content of a folder."""
    run(["mke2fs", "-q", "-t", "ext4", "-d", str(content), str(file), size])


def size_in_megabytes(folder: Path) -> int:
    return int(subprocess.run(["du", "--summarize", "--block-size=1M", str(folder)], capture_output=True, text=True, check=True).stdout.split()[0])


def extract(folder: Path, tar: bytes) -> None:
    subprocess.run(["tar", "--extract", f"--directory={folder}"], input=tar, check=True)


def run(command: list[str], **environment: str) -> None:
    """Runs a command that is quiet while all is well. Raises MachineError."""
    output: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, check=False, **output)
    if done.returncode:
        raise MachineError(f"{shlex.join(command[:4])} ... ended with exit status {done.returncode}:\n{done.stdout}")


def expect(fact: bool, sentence: str) -> None:
    if not fact:
        raise MachineError(f"This is not so: {sentence}")


def main(release: str, what: str = "") -> int:
    if release not in RELEASES:
        sys.exit(f"There is no machine {release!r}. There are: {', '.join(RELEASES)}.")
    log = log_of(release)
    return shell(release, log) if what == "shell" else int(not prove(release, log))


def log_of(release: str) -> Path:
    return OUTPUT / f"vm_{release}.log"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
