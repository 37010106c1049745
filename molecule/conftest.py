"""What the tests of all scenarios share: the fresh system as its ordinary user sees it."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from testinfra.host import Host

sys.path.insert(0, str(Path(__file__).parent / "shared"))

from announced import changed

pytest.register_assert_rewrite("deployed", "leaving", "secret_search", "vault_commands")
SYSTEM = f"todochat-{os.environ['MOLECULE_SCENARIO_NAME']}"
"""The container of the scenario that runs."""
OUTPUT = Path(__file__).parents[1] / "tests/output"
EVENTS = "/home/tester/.local/state/todochat/events.jsonl"
PAUSE = "registry.k8s.io/pause:3.10.1"
INVENTORY = Path(__file__).parent / "shared/inventory.sh"


class Tester:
    """The ordinary user of a fresh system, after a login."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def sees(self, command: str) -> str:
        """What a command prints that must succeed."""
        result = self.host.run("su --login tester --command %s", command)
        assert result.rc == 0, f"{command}: {result.stdout}{result.stderr}"
        return str(result.stdout).rstrip("\n")

    def pushed(self, image: str, name: str) -> str:
        """Pushes an image of Docker into the registry under a name, as the product does; its name by digest."""
        python = "PYTHONPATH=.ansible/collections .venv/bin/python molecule/shared/push.py"
        return self.sees(f"cd todochat && sudo {python} todo-registry {image} {name}")

    def built(self, service: str) -> str:
        """The digest of the image to deploy, by the product's record."""
        images = json.loads(self.sees("cat /var/lib/todochat/images.json"))
        return str(images[f"127.0.0.1:5000/todo/{service}"]["current"])

    def make(self, target: str, arguments: str = "") -> tuple[bool, str]:
        """Whether a target of make succeeds, and what it prints."""
        command = f"cd todochat && make {target} ARGS={shlex.quote(arguments)} 2>&1 < /dev/null"
        result = self.host.run("su --login tester --command %s", command)
        return result.rc == 0, str(result.stdout)

    def up(self, arguments: str) -> tuple[bool, str]:
        """Whether `make up` with these arguments succeeds, and what it prints."""
        return self.make("up", arguments)

    def changed(self) -> list[str]:
        """The tasks that changed something in the last run, or would have in check mode, as "role / task"."""
        return changed(self.events())

    def events(self) -> str:
        """The events of the last run, as lines of JSON."""
        return str(self.host.file(EVENTS).content_string)

    def inventory(self) -> set[str]:
        """All that a run could touch, by the script, but what the view of a run keeps for itself."""
        listed = self.host.check_output("bash -c %s", INVENTORY.read_text(encoding="utf-8")).splitlines()
        return {line for line in listed if not re.search(r"/\.local/state/todochat/(\w+\.json|events|\w+/(run\.lock|environment-))", line)}

    def up_changes_nothing(self, arguments: str) -> None:
        passed, output = self.up(arguments)
        assert passed, output
        assert "changed=0" in output, output

    def refused(self, arguments: str, *phrases: str) -> None:
        """`make up` fails, and the end of what it prints says all of this."""
        passed, output = self.up(arguments)
        assert not passed, output
        end = " ".join(" ".join(output.splitlines()[-30:]).split())
        assert [phrase for phrase in phrases if phrase not in end] == [], output

    def kubectl(self, arguments: str) -> Any:
        """The objects that kubectl returns with the kubeconfig that is named at the end of `make up`."""
        return json.loads(self.sees(f"KUBECONFIG=~/.local/state/todochat/todo/kubeconfig kubectl --namespace todo {arguments} --output json"))

    def vault(self) -> dict[str, Any]:
        """The vault of the deployment, opened."""
        content: dict[str, Any] = yaml.safe_load(self.sees("cd todochat && .venv/bin/ansible-vault view ~/.config/todochat/todo/vault.yml"))
        return content


@pytest.fixture
def tester(host: Host) -> Tester:
    """The ordinary user."""
    return Tester(host)


@pytest.fixture
def pause(tester: Tester) -> str:
    """The name of a small image that Docker has: its program waits for ever."""
    tester.sees("docker load --quiet --input ~/.cache/todochat/store/pause/*/pause.tar")
    return PAUSE
