"""Leaving, level by level: what each level names is gone, nothing of others is touched, and data goes only where it is named.

The order matters: it is one long visit to one machine.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from conftest import PAUSE, SYSTEM, Tester
from leaving import HOME, KUBECONFIG, THEIR_THINGS, VAULT, change, changed, down, make, others_have_things, visitor
from testinfra.host import Host

SHARED = Path(__file__).resolve().parents[2] / "shared"


def test_the_application_runs_beside_what_others_have(host: Host, tester: Tester) -> None:
    visitor(host, "begin")
    others_have_things(host, tester)


def test_a_level_that_does_not_exist_is_refused(tester: Tester) -> None:
    before = tester.inventory()
    passed, output = tester.make("down", "-e remove=cluster,everything")
    assert not passed
    assert "There is no everything that remove=cluster,everything could take away" in output
    assert "Name one or several of application, cluster, data, installed" in output
    assert tester.inventory() ^ before == set()


def test_the_application_goes_alone_and_comes_back(host: Host, tester: Tester) -> None:
    after, said = down(tester, "application", ("release backend", "release frontend", "Secret backend-secrets", "namespace todo"), ())
    assert after >= THEIR_THINGS
    assert tester.sees(f"KUBECONFIG={KUBECONFIG} kubectl get namespaces --output name | grep --count --invert-match -E 'kube-|default'; true") == "0"
    assert {"container todo", "container todo-registry", "container todo-database"} <= after
    assert re.search(r"Kept .*cluster todo.*volume todo-database \(data\)", said), said
    assert changed(make(tester, "down", "-e remove=application")) == 0
    make(tester, "up")
    visitor(host, "return")


def test_of_a_stopped_cluster_too(host: Host, tester: Tester) -> None:
    make(tester, "stop")
    assert "would: the application in the cluster todo" in make(tester, "down", "--check -e remove=application")
    make(tester, "down", "-e remove=application")
    assert host.check_output("docker inspect --format '{{.State.Status}}' todo") == "exited"


def test_the_cluster_goes_whatever_state_it_is_in(host: Host, tester: Tester) -> None:
    """It is stopped, and so is Docker; the first run is broken off; things with our names are somebody else's."""
    change(host, f"docker rm --force todo-registry && docker create --name todo-registry {PAUSE}")
    change(host, "systemctl stop docker.socket docker.service")
    break_off = [sys.executable, str(SHARED / "break_off.py"), SYSTEM, "make down", "pgrep --full '[m]inikube delete'"]
    subprocess.run(break_off, check=True)
    before = tester.inventory()
    said = make(tester, "down")
    after = tester.inventory()
    assert re.search("Left alone +container todo-registry: nothing says that this deployment made it", said), said
    ours = rf"(container todo(-database)?|network todo|volume todo)$|(file|folder|link) ({HOME}|{Path(KUBECONFIG).parent.parent})"
    assert {line for line in before - after if not re.match(ours, line)} == set()
    assert {"volume todo-registry", "volume todo-database", "container todo-registry"} | THEIR_THINGS <= after
    assert not {"container todo", "container todo-database", "network todo", "volume todo"} & after
    assert not host.file(KUBECONFIG).exists
    assert changed(make(tester, "down")) == 0
    change(host, "docker rm todo-registry")


def test_the_data_has_survived_it_all(host: Host, tester: Tester) -> None:
    make(tester, "up")
    visitor(host, "return")


def test_the_data_goes_when_it_is_named(tester: Tester) -> None:
    names = ("release backend", "container todo-database", r"volume todo-database \(data\)", f"vault {VAULT}")
    ours = (r"(container|volume) todo-database$", rf"(file|folder) {Path(VAULT).parent}", "(file|folder) /home/tester/.config/todochat")
    after, _ = down(tester, "data", names, ours)
    assert {"container todo", "container todo-registry", "volume todo-registry"} | THEIR_THINGS <= after
