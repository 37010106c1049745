"""After many edits the oldest revision that is kept serves again, and what nothing can go back to is nowhere."""

from __future__ import annotations

import json
import re

from deployed import CHECKOUT, EDITS, PROJECT, Deployment

pytest_plugins = ["deployed"]
TIMES = 12
KEPT = 10
"""Revisions, as docs/rollback.md says."""
ONE_POD = "app_release_backend_values: {replicaCount: 1, autoscaling: {enabled: false}}\n"
"""Is replaced in half the time that two take."""
SOURCE = "apps/backend/src/todo_backend/app.py"
REPOSITORY = "/var/lib/registry/docker/registry/v2/repositories/todo/backend/_manifests/revisions/sha256"


def test_after_many_edits_the_oldest_kept_revision_serves_again(deployment: Deployment) -> None:
    text, _ = EDITS[SOURCE]
    content = (PROJECT / SOURCE).read_text(encoding="utf-8")
    deployment.give(f"{CHECKOUT}/group_vars/all/settings.yml", ONE_POD)
    served: list[str] = []
    for number in range(TIMES):
        deployment.give(f"{CHECKOUT}/{SOURCE}", content.replace(text, f'title="Todo chatbot {number}"'))
        deployment.up("--tags app_images,app_release" + (",app_check" if number + 1 == TIMES else ""))
        served.append(deployment.tester.built("backend"))
    assert len(set(served)) == TIMES

    # on this machine, in the record and in the registry there is what can be gone back to
    record = json.loads(deployment.tester.sees("cat /var/lib/todochat/images.json"))["127.0.0.1:5000/todo/backend"]
    assert set(record["tags"].values()) == set(served[-KEPT:])
    assert deployment.host.check_output(f"docker exec todo-registry sh -c 'ls {REPOSITORY}/*/link' | wc -l") == str(KEPT)
    tagged = deployment.host.check_output("docker images --quiet 127.0.0.1:5000/todo/backend | sort --unique | wc -l")
    assert int(tagged) <= KEPT

    revisions = re.findall(r"revision (\d+) .*backend (\w+)", deployment.passes("make rollback ARGS=--check"))
    oldest, digest = revisions[-1]
    assert served[-KEPT].removeprefix("sha256:").startswith(digest)
    deployment.passes(f"make rollback TO={oldest}")
    assert [image.partition("@")[2] for image in deployment.pods("backend").values()] == [served[-KEPT]]
