"""What is in the store is what the lock file names, and says where it came from; anything else is refused by name."""

from __future__ import annotations

import json

from conftest import Tester
from testinfra.host import Host

TAGS = "--tags artifact -e @/home/tester/mirror.yml"
SMALL = "/home/tester/mirror/tools/v1/small"


def test_the_stored_program_runs_and_its_origin_is_known(tester: Tester) -> None:
    assert tester.sees("sh ~/store/small/*/small") == "small works"
    record = json.loads(tester.sees("cat ~/store/small/*/record.json"))
    assert record["origin"] == "http://127.0.0.1:8080/tools/v1/small"


def test_nothing_of_the_broken_off_download_is_left(tester: Tester) -> None:
    assert tester.sees("ls --almost-all ~/store").split() == [".lock", "large", "small"]


def test_an_altered_download_is_named_with_both_hashes_and_not_kept(tester: Tester) -> None:
    expected = tester.sees(f"sha256sum {SMALL}").split()[0]
    tester.sees(f"cp {SMALL} kept && echo altered >> {SMALL} && rm -r ~/store/small")
    found = tester.sees(f"sha256sum {SMALL}").split()[0]
    tester.refused(TAGS, "http://127.0.0.1:8080/tools/v1/small is not what the lock file names", f"expected SHA-256 {expected}", f"found {found}")
    assert tester.sees("ls ~/store") == "large"
    tester.sees(f"mv kept {SMALL}")
    passed, output = tester.up(TAGS)
    assert passed, output


def test_a_mirror_that_does_not_answer_is_named(tester: Tester) -> None:
    tester.sees("rm -r ~/store/small")
    tester.refused(f"{TAGS} -e artifact_mirror=http://127.0.0.1:8081", "http://127.0.0.1:8081")
    assert tester.sees("ls ~/store") == "large"


def test_without_a_recorded_checksum_nothing_is_downloaded(tester: Tester) -> None:
    tester.sees("mkdir -p unrecorded && sed 's/{amd64: [^}]*}/unrecorded/' lock/artifacts.lock.yml > unrecorded/artifacts.lock.yml")
    tester.refused(
        f"{TAGS} -e artifact_store=/home/tester/other -e artifact_lock=/home/tester/unrecorded/artifacts.lock.yml",
        "records no checksum",
        "make lock",
    )


def test_the_store_belongs_to_the_user(host: Host) -> None:
    assert host.check_output("find /home/tester/store ! -user tester") == ""
