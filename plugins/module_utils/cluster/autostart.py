"""The nodes of a minikube profile come back by themselves with Docker, after a reboot as after a restart of Docker.

Minikube starts each part of a node itself and expects to be called again. Three things are missing for a start without
it: a restart policy of the container; in the container, services that systemd starts; and the API server's name in
/etc/hosts, which Docker writes anew at each start of a container.
"""

from __future__ import annotations

import subprocess

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import docker

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


def drop_in(address: str) -> str:
    """What kubelet's unit needs besides: the API server's name, written as minikube writes it."""
    line = f"{address}\t{API_SERVER}"
    return f"[Service]\nExecStartPre=/bin/sh -c 'grep -qF \"{line}\" /etc/hosts || echo \"{line}\" >>/etc/hosts'\n"


def come_back(profile: str, address: str) -> bool:
    """Whether all nodes come back by themselves. ``address`` is the API server's."""
    wanted = "enabled\n" * len(SERVICES) + drop_in(address)
    return all(
        docker("inspect", "--format={{.HostConfig.RestartPolicy.Name}}", node).stdout.strip() == POLICY
        and docker("exec", node, "sh", "-c", OBSERVE).stdout == wanted
        for node in nodes(profile) or []
    )


def let_come_back(profile: str, address: str) -> None:
    """Arranges it for running nodes. Raises UserError."""
    for node in nodes(profile) or []:
        _check(node, docker("exec", "--interactive", node, "sh", "-c", ARRANGE, stdin=drop_in(address)))
        _check(node, docker("update", f"--restart={POLICY}", node))


def let_stay_down(profile: str) -> None:
    """Takes the restart policy back: minikube stops a node from within, and Docker would start it again at once."""
    for node in nodes(profile) or []:
        _check(node, docker("update", "--restart=no", node))


def nodes(profile: str) -> list[str] | None:
    """The containers of a profile's nodes; None where Docker does not answer, or is not there."""
    label = f"label=name.minikube.sigs.k8s.io={profile}"
    try:
        listed = docker("ps", "--all", f"--filter={label}", "--format={{.Names}}")
    except UserError:
        return None
    return None if listed.returncode else listed.stdout.split()


def _check(node: str, done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        raise UserError(
            f"The node {node} cannot be told whether to come back after a reboot.",
            "Mend what Docker says, then run the same command again.",
            done.stderr.strip(),
        )
