"""Taking levels of a deployment away by `make down`, beside things that others have on the machine."""

from __future__ import annotations

import re
import shlex

from conftest import PAUSE, Tester
from stored import STORE, newest
from testinfra.host import Host

VAULT = "/home/tester/.config/todochat/todo/vault.yml"
HOME = "/home/tester/.local/share/todochat/todo/.minikube"
KUBECONFIG = "/home/tester/.local/state/todochat/todo/kubeconfig"
# A member fewer changes these lines.
MEMBERSHIP = r"group docker:|file /etc/g(roup|shadow) |package distro-info-data "
THEIR_THINGS = {
    "container theirs",
    "network theirs",
    "volume theirs",
    "context theirs",
    "current context theirs",
    "link /usr/local/bin/theirs /opt/theirs/file root:root",
}


def change(host: Host, command: str) -> None:
    """Give a command as root that must succeed."""
    result = host.run("bash -c %s", command)
    assert result.rc == 0, f"{command}: {result.stdout}{result.stderr}"


def make(tester: Tester, target: str, arguments: str = "") -> str:
    """What `make` prints, which must succeed, with an empty line of arguments too."""
    return tester.sees(f"cd todochat && make {target} ARGS={shlex.quote(arguments)} 2>&1 < /dev/null")


def changed(output: str) -> int:
    """How much a run says that it changed."""
    found = re.search(r"changed=(\d+)", output)
    assert found, output
    return int(found[1])


def visitor(host: Host, visit: str) -> None:
    """A visitor signs up and leaves a todo (`begin`), or finds it again (`return`)."""
    environment = "cd /home/tester/todochat && PYTHONPATH=.ansible/collections python3 molecule/site/visitor.py"
    change(host, f"su tester --command {shlex.quote(f'{environment} {visit}')}")


def others_have_things(host: Host, tester: Tester, store: str = STORE) -> None:
    """Somebody else's container, network, volume, kube context, files, link and preference of apt are there."""
    tester.sees(f"docker load --quiet --input {newest('pause', store)}")
    change(
        host,
        f"docker run --detach --name theirs --network $(docker network create theirs) --volume theirs:/data {PAUSE}"
        " && mkdir -p /opt/theirs /home/tester/.kube && echo mine > /opt/theirs/file && ln -s /opt/theirs/file /usr/local/bin/theirs"
        " && printf 'contexts:\\n- name: theirs\\ncurrent-context: theirs\\n' > /home/tester/.kube/config"
        " && echo mine > /home/tester/.config/theirs && chown --recursive tester: /home/tester/.kube"
        " && printf 'Package: theirs\\nPin: release *\\nPin-Priority: 1\\n' > /etc/apt/preferences.d/theirs.pref",
    )


def others_things_are_gone(host: Host) -> None:
    """They are as if they had never been there."""
    change(
        host,
        f"docker rm --force theirs && docker network rm theirs && docker volume rm theirs && docker image rm {PAUSE}"
        " && rm -r /opt/theirs /usr/local/bin/theirs /home/tester/.kube/config /home/tester/.config/theirs /etc/apt/preferences.d/theirs.pref",
    )


def down(tester: Tester, remove: str, announced: tuple[str, ...], gone: tuple[str, ...]) -> tuple[set[str], str]:
    """Takes a level away, after check mode announced it and changed nothing; what stays in the inventory, and what was said.

    ``gone`` are patterns: every line of the inventory before that fits one of them goes, and no other does.
    """
    before = tester.inventory()
    argument = f"-e remove={remove}"
    plan = make(tester, "down", f"--check {argument}")
    assert [phrase for phrase in announced if not re.search(rf"would: .*{phrase}.* is gone", plan)] == [], plan
    assert tester.inventory() ^ before == set()
    said = make(tester, "down", argument)
    assert changed(said) > 0, said
    after = tester.inventory()
    assert {line for line in before - after if not any(re.match(pattern, line) for pattern in (*gone, MEMBERSHIP))} == set(), said
    assert {line for line in after - before if not re.match(MEMBERSHIP, line)} == set(), said
    assert [pattern for pattern in gone if any(re.match(pattern, line) for line in after)] == [], said
    return after, said
