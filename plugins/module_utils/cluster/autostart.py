"""The nodes of a minikube profile come back by themselves with Docker, after a reboot as after a restart of Docker.

Minikube starts each part of a node itself and expects to be called again. Three things are missing for a start without
it: a restart policy of the container; in the container, services that systemd starts; and the API server's name in
/etc/hosts, which Docker writes anew at each start of a container.

What a node pulls its images from is for the node alone: nothing that it forwards for its pods gets there, by whatever address they name it.
Nor does it get to where people log in by SSH: this machine is a pod's neighbour at each of its addresses, and no pod has an account there.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import NODE_LABEL, docker

POLICY = "unless-stopped"
SERVICES = ("containerd", "kubelet")
API_SERVER = "control-plane.minikube.internal"
DROP_IN = "/etc/systemd/system/kubelet.service.d/20-todochat.conf"
ARRANGE = f"""set -e
mkdir -p {DROP_IN.rpartition("/")[0]}
cat >{DROP_IN}
systemctl daemon-reload
systemctl enable {" ".join(SERVICES)}
grep -qF {API_SERVER} /etc/hosts || systemctl restart kubelet
"""
OBSERVE = f"systemctl is-enabled {' '.join(SERVICES)}; cat {DROP_IN}"
# After a service's address has become a pod's, or another one, and before the node's takes the place of the pod's own.
CLOSED = "iptables -w 10 -t mangle {} FORWARD {} -j DROP"
LOG_IN = "-o eth0 -p tcp --dport 22"  # out of the node: what comes in to a pod is its own


def drop_in(address: str, closed: Sequence[str]) -> str:
    """What kubelet's unit needs besides: the API server's name, written as minikube writes it, and what pods do not reach."""
    line = f"{address}\t{API_SERVER}"
    before = [f"grep -qF \"{line}\" /etc/hosts || echo \"{line}\" >>/etc/hosts", *close(closed)]
    return "[Service]\n" + "".join(f"ExecStartPre=/bin/sh -c '{command}'\n" for command in before)


def close(addresses: Sequence[str]) -> list[str]:
    """The commands after which no pod reaches these addresses, nor a log-in anywhere, through its node."""
    matches = [*(f"-d {address}" for address in addresses), LOG_IN]
    return [f"{CLOSED.format('-C', match)} 2>/dev/null || {CLOSED.format('-A', match)}" for match in matches]


def come_back(nodes: Sequence[str], address: str, closed: Sequence[str]) -> bool:
    """Whether all nodes come back by themselves. ``address`` is the API server's, ``closed`` are those that pods do not reach."""
    wanted = "enabled\n" * len(SERVICES) + drop_in(address, closed)
    return all(
        docker("inspect", "--format={{.HostConfig.RestartPolicy.Name}}", node).stdout.strip() == POLICY
        and docker("exec", node, "sh", "-c", OBSERVE).stdout == wanted
        for node in present(nodes) or []
    )


def let_come_back(nodes: Sequence[str], address: str, closed: Sequence[str]) -> None:
    """Arranges it for running nodes. Raises UserError."""
    for node in present(nodes) or []:
        commands = ARRANGE + "".join(f"{command}\n" for command in close(closed))
        _check(node, docker("exec", "--interactive", node, "sh", "-c", commands, stdin=drop_in(address, closed)))
        _check(node, docker("update", f"--restart={POLICY}", node))


def let_stay_down(nodes: Sequence[str]) -> None:
    """Takes the restart policy back: minikube stops a node from within, and Docker would start it again at once."""
    for node in present(nodes) or []:
        _check(node, docker("update", "--restart=no", node))


def present(nodes: Sequence[str]) -> list[str] | None:
    """Those of the nodes whose containers there are; None where Docker does not answer, or is not there."""
    try:
        listed = docker("ps", "--all", f"--filter=label={NODE_LABEL}", "--format={{.Names}}")
    except UserError:
        return None
    return None if listed.returncode else [name for name in listed.stdout.split() if name in nodes]


def _check(node: str, done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        raise UserError(
            f"The node {node} cannot be told whether to come back after a reboot.",
            "Mend what Docker says, then run the same command again.",
            done.stderr.strip(),
        )
