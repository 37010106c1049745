"""What is in the store is what the lock file names, and says where it came from: a real mirror, with a login and an authority of its own. The order matters."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import pytest
from conftest import Tester
from testinfra.host import Host
from vault_commands import done_and_undone, give, passes, printed, read_vault, refused, root, shown_in, values

pytest_plugins = ["vault_commands"]
MIRROR = "https://127.0.0.1:8443/todochat"
FILES = "/srv/mirror/tools/v1"
UP = "make up ARGS='--tags artifact -e @/home/tester/mirror.yml"
EDIT = "make vault DO=edit ARGS='-e secret=mirror_login'"


class Asked(NamedTuple):
    """What nginx was asked for: the status and the bytes of its answer, and the first byte that was wanted."""

    status: int
    sent: int
    start: int


def asked(path: str) -> list[Asked]:
    """What was asked for of the paths that match."""
    lines = [line.split() for line in root("cat /var/log/nginx/mirror.log").splitlines() if line.startswith("GET ")]
    return [Asked(int(status), int(sent), int(re.sub(r"\D", "", wanted) or 0)) for _, status, uri, sent, wanted in lines if re.search(path, uri)]


@pytest.fixture(scope="module", autouse=True)
def _password() -> None:
    """It is looked for without its name as well."""
    values["the mirror's password"] = read_vault()["vault_mirror_login"].partition(":")[2]


def test_what_was_broken_off_was_gone_on_with() -> None:
    size = int(root(f"stat --format=%s {FILES}/large"))
    cut, rest = asked("/large$")
    assert (cut.status, rest.status) == (200, 206)
    assert 5_000_000 < rest.start <= cut.sent < size
    assert rest.start + rest.sent == size


def test_the_store_has_what_the_lock_file_names_and_nothing_else(tester: Tester) -> None:
    assert tester.sees("ls --almost-all ~/store").split() == [".lock", "image", "large", "small"]
    assert tester.sees("sh ~/store/small/*/small") == "small works"
    origins = [json.loads(tester.sees(f"cat ~/store/{name}/*/record.json"))["origin"] for name in ("small", "image")]
    assert origins == [f"{MIRROR}/tools/v1/small", f"{MIRROR}/v2/library/registry"]


def test_the_image_is_the_one_that_was_pushed(host: Host) -> None:
    loaded = host.check_output("docker load --quiet --input $(ls /home/tester/store/image/*/image.tar)").partition(": ")[2]
    assert "distribution" in host.check_output("docker run --rm --entrypoint /usr/bin/docker-registry %s --version", loaded)


def test_a_server_that_dies_in_the_middle_of_a_layer_is_waited_for(tester: Tester) -> None:
    tester.sees("rm -r ~/store/image")
    assert 206 not in [one.status for one in asked("/blobs/")]
    dies = "until find /home/tester/store/.partial-image -size +3M | grep -q .; do sleep 0.02; done; systemctl kill --signal=KILL nginx"
    root(f"systemd-run --quiet --unit=dies --remain-after-exit bash -c '{dies}'")
    passes(f"{UP}'")
    assert root("systemctl show --property=NRestarts --value nginx").strip() == "1"
    [rest] = [one for one in asked("/blobs/") if one.status == 206]
    assert rest.start > 3_000_000
    assert tester.sees("ls --almost-all ~/store").split() == [".lock", "image", "large", "small"]


def test_an_altered_download_is_named_with_both_hashes_and_not_kept(tester: Tester) -> None:
    task = "The store holds what can be downloaded"
    tester.sees("rm -r ~/store/small")
    expected = root(f"sha256sum {FILES}/small").split()[0]
    with done_and_undone(f"cp {FILES}/small {FILES}/kept && echo altered >> {FILES}/small", f"mv {FILES}/kept {FILES}/small"):
        found = root(f"sha256sum {FILES}/small").split()[0]
        refused(task, f"{UP}'", f"{MIRROR}/tools/v1/small is not what the lock file names", f"expected SHA-256 {expected}", f"found {found}")
    assert tester.sees("ls --almost-all ~/store").split() == [".lock", "image", "large"]


def test_without_a_recorded_checksum_nothing_is_downloaded(tester: Tester) -> None:
    task = "The store holds what can be downloaded"
    tester.sees("mkdir unrecorded && sed 's/{amd64: [^}]*}/unrecorded/' lock/artifacts.lock.yml > unrecorded/artifacts.lock.yml")
    others = "-e artifact_store=/home/tester/other -e artifact_lock=/home/tester/unrecorded/artifacts.lock.yml"
    refused(task, f"{UP} {others}'", "records no checksum", "make lock")


def test_a_mirror_that_does_not_answer_is_named(tester: Tester) -> None:
    task = "The store holds what can be downloaded"
    assert tester.sees("ls --almost-all ~/store").split() == [".lock", "image", "large"]
    nobody = "artifact_mirror=https://127.0.0.1:8444"
    refused(task, f"{UP} -e {nobody}'", f"{nobody} cannot be reached")


def test_who_is_not_let_in_is_told_why(tester: Tester) -> None:
    task = "The store holds what can be downloaded"
    tester.sees("rm -r ~/store/image")
    login = read_vault()["vault_mirror_login"]
    passes(EDIT, "reader:not-the-password\n")
    refused(task, f"{UP}'", f"artifact_mirror={MIRROR} does not take the login that the vault has for it: it answers 401", EDIT, verbosely=True)
    passes(EDIT, "\n")
    refused(task, f"{UP}'", f"artifact_mirror={MIRROR} asks for a login, and the vault has none for it: it answers 401", EDIT)
    passes(EDIT, f"{login}\n")
    with done_and_undone(f"chmod 000 {FILES}/small", f"chmod 644 {FILES}/small"):
        refused(task, f"{UP}'", f"does not let the login that the vault has for it read {MIRROR}/tools/v1/small: it answers 403")
    with done_and_undone(f"mv {FILES}/small {FILES}/kept", f"mv {FILES}/kept {FILES}/small"):
        refused(task, f"{UP}'", f"does not have {MIRROR}/tools/v1/small: it answers 404", "Put there what is at https://upstream.invalid/tools/v1/small")
    assert tester.sees("ls ~/store") == "large"


def test_an_authority_that_nobody_knows_is_named_and_the_machine_may_know_it(tester: Tester) -> None:
    task = "The store holds what can be downloaded"
    refused(task, f"{UP} -e artifact_mirror_ca='", f"artifact_mirror={MIRROR} has a certificate that this machine does not trust", "artifact_mirror_ca")
    root("install /etc/mirror/ca.crt /usr/local/share/ca-certificates/mirror.crt && update-ca-certificates")
    passes(f"{UP} -e artifact_mirror_ca='")
    assert tester.sees("ls ~/store").split() == ["image", "large", "small"]


def test_a_login_in_the_address_is_refused_unseen() -> None:
    passed, output = give(f"{UP} -vvv -e artifact_mirror=https://reader:canary@127.0.0.1:8443/todochat'")
    assert not passed, output
    assert "artifact_mirror names a user or a password in its URL" in " ".join(output.split())
    assert "canary" not in output, output


def test_the_store_belongs_to_the_user(host: Host) -> None:
    assert host.check_output("find /home/tester/store ! -user tester") == ""


def test_the_login_is_nowhere_but_in_the_vault() -> None:
    kept = root("grep --recursive --text --no-messages '' /home/tester/store/*/*/record.json /home/tester/.local/state /var/log; journalctl --no-pager")
    assert len(printed) > 5
    assert shown_in(kept) == []
