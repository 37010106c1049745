"""Whether those pods still serve that did before."""

from __future__ import annotations

from deployed import Deployment


def assert_old_pods_serve(deployment: Deployment, before: dict[str, dict[str, str]], besides: int = 0) -> None:
    """No version has taken the place of the one that ``before`` says; with ``besides``, so many more may be there.

    An autoscaler that saw pods start takes away five minutes later what it has added then: their number is no matter of versions.
    """
    for release, pods in deployment.all_pods().items():
        versions, old = ({name.rpartition("-")[0]: image for name, image in found.items()} for found in (pods, before[release]))
        assert old.items() <= versions.items()
        assert len(versions) <= len(old) + besides, f"{release} has another version"
        assert set(before[release]) & set(pods), f"each pod of {release} was replaced"
