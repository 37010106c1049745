"""Leaving for good: what was installed is gone but for the Docker that holds what others have or data, and then the machine is as before.

The order matters: it is one long visit to one machine, from its first minute on.
"""

from __future__ import annotations

import re

import pytest
from conftest import Tester
from leaving import MEMBERSHIP, STORE, THEIR_THINGS, VAULT, change, changed, down, make, others_have_things, others_things_are_gone, visitor
from testinfra.host import Host

# What is not as on the fresh system after all is gone, and why.
EXCEPTIONS = {
    # of the checkout's .venv, as the last line says
    r"package python3(\.11)?-(venv|distutils|lib2to3|pip-whl|setuptools-whl) ",
    # where every program keeps its files; they are empty, and may as well be the user's own
    r"folder (/home/tester/\.(config|local|local/share|local/state|cache|kube)|/root/\.kube) ",
}
# What goes, whatever Docker holds.
INSTALLED = (
    r"(container|network) todo(-registry|-database)?$",
    r"volume todo(-registry)?$",
    r"image (todochat/|127\.0\.0\.1:5000/todo/)",
    r"(file|folder|link) /(opt/todochat|usr/local/bin/(kubectl|helm|minikube)|home/tester/\.(local/share|local/state|cache)/todochat)",
)


def give_store(host: Host) -> None:
    """The store as a user's own, each artifact a link to the one that all scenarios share."""
    change(host, f"su tester --command 'mkdir -p {STORE} && cp -rs /srv/store/. {STORE}'")


@pytest.fixture(scope="module")
def fresh(host: Host) -> set[str]:
    """The inventory of the fresh system; the store that is mounted there is moved away first."""
    change(host, f"mkdir /srv/store && mount --move {STORE} /srv/store && rmdir {STORE} $(dirname {STORE})")
    return {line for line in Tester(host).inventory() if "/srv/store" not in line}


@pytest.mark.usefixtures("fresh")
def test_on_an_untouched_machine_there_is_nothing_to_remove(tester: Tester) -> None:
    for arguments in ("--check", "", "-e remove=installed,data"):
        assert changed(make(tester, "down", arguments)) == 0


def test_the_machine_runs_the_application_beside_what_others_have(host: Host, tester: Tester) -> None:
    give_store(host)
    make(tester, "up")
    visitor(host, "begin")
    others_have_things(host, tester, "/srv/store")


def test_what_was_installed_goes_but_for_the_docker_that_holds_data(host: Host, tester: Tester) -> None:
    after, said = down(tester, "installed", ("/opt/todochat", "tester in the group docker"), (*INSTALLED, r"package (python3-apt|python-apt-common) "))
    assert THEIR_THINGS | {"volume todo-database"} <= after
    assert re.search(r"Left alone +Docker \(docker.io, .*\): it holds .*container theirs", said), said
    assert host.file(VAULT).exists
    assert changed(make(tester, "down", "-e remove=installed")) == 0


def test_the_data_is_still_there(host: Host, tester: Tester) -> None:
    give_store(host)
    make(tester, "up", "--tags container_engine,network,database")
    titles = "docker exec todo-database psql --username=postgres --dbname=todo --tuples-only --no-align --command 'SELECT title FROM todos'"
    assert host.check_output(titles) == "survive the reboot"


def test_all_goes_but_for_the_docker_that_holds_what_others_have(host: Host, tester: Tester) -> None:
    # a build on this machine would have installed these
    change(host, "apt-get install --yes --quiet=2 --no-install-recommends gcc libc6-dev mmdebstrap")
    ours = (
        *INSTALLED,
        r"(container|volume) todo-database$",
        r"(file|folder) /home/tester/\.config/todochat",
        r"package (gcc|libc6-dev|mmdebstrap|cpp|binutils|linux-libc-dev) ",
    )
    # what they brought along, and the links and files of these
    along = (r"package (?!docker|containerd|runc)", "link /etc/alternatives", "file /etc/gprofng.rc", MEMBERSHIP)
    before = tester.inventory()
    said = make(tester, "down", "-e remove=installed,data")
    after = tester.inventory()
    assert {line for line in before - after if not re.match("|".join((*ours, *along)), line)} == set(), said
    assert [line for line in after if re.match("|".join(ours), line)] == [], said
    assert after >= THEIR_THINGS
    assert re.search(r"Left alone +Docker \(docker.io, .*\): it holds .*theirs", said), said


def test_when_what_others_had_is_gone_the_machine_is_as_it_was(host: Host, tester: Tester, fresh: set[str]) -> None:
    others_things_are_gone(host)
    plan = make(tester, "down", "--check -e remove=installed,data")
    assert re.search("would: packages docker.io, .* and [0-9]+ that they brought along are gone|would: packages docker.io", plan), plan
    said = make(tester, "down", "-e remove=installed,data")
    assert "Checkout     it is yours: rm -r /home/tester/todochat" in said
    assert changed(make(tester, "down", "-e remove=installed,data")) == 0
    left = {line for line in tester.inventory() ^ fresh if "/srv/store" not in line}
    assert {line for line in left if not re.match("|".join(EXCEPTIONS), line)} == set()
