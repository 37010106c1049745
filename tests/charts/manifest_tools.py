"""What looks at manifests and workflows: kubeconform, kube-score, actionlint, and the schemas of Kubernetes' API and of Dapr's kinds,
all from Go modules.

    python tests/charts/manifest_tools.py    makes what is missing

It takes a minute and a half on two cores, once: the result stays in ~/.cache/todochat-test, under a name that changes with what it is made of.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from schemas import write_custom_schemas, write_schemas

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.store.build import go_environment, run
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import ArtifactError

HERE = Path(__file__).resolve().parent
MODULE = HERE / "go"
TOOLCHAIN = HERE.parent.parent / "roles/bundle/files/go/toolchain.txt"
CACHE = Path.home() / ".cache/todochat-test"
# The oldest that the charts allow, and the newest: what both take, those between them take. The sums are what go.sum would say; of one module
# it holds one version.
KUBERNETES = {
    "v1.30.14": "h1:MrlKXh9uhLIJpyxOeXhcndzRVSvwiV9iJ8NgH8nqPsg=",
    "v1.37.2": "h1:A2VDEiObzkYqFTKhSsn0ZEb0RlLEXpHWj93gi2HqEwE=",
}
# The newest that is to be had as a module.
DAPR = ("v1.14.0", "h1:SIQsNX1kH31JRDIS4k8IZ6eomM/BAcOP844PhQIT+BQ=")


def made() -> Path:
    """The folder with kubeconform, kube-score, actionlint, schemas/<version>/ and schemas/dapr/, made where it is missing. Raises UserError."""
    inputs = [Path(__file__), HERE / "schemas.py", TOOLCHAIN, *sorted(MODULE.iterdir())]
    key = hashlib.sha256(b"\0".join(file.read_bytes() for file in inputs)).hexdigest()[:16]
    folder = CACHE / f"manifests-{key}"
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix=".making-") as work:
            new = make(Path(work))
            if not folder.is_dir():  # another run was faster
                new.rename(folder)
    return folder


def make(work: Path) -> Path:
    """All of it made in an empty folder, with the compiler and its caches; the part that is to stay."""
    new = work / "new"
    new.mkdir()
    print("Installing the Go toolchain", flush=True)
    environment = {**go_environment(TOOLCHAIN, work, work), "CGO_ENABLED": "0"}
    print("Building kubeconform, kube-score and actionlint, which takes about 90 s on two cores", flush=True)
    build = ["go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"]
    run([*build, "-o", f"{new}/", "tool"], "building kubeconform, kube-score and actionlint", environment, MODULE)
    for version, checksum in KUBERNETES.items():
        print(f"Making schemas of Kubernetes {version}", flush=True)
        write_schemas(module("k8s.io/kubernetes", version, checksum, environment) / "api/openapi-spec/swagger.json", new / "schemas" / version)
    print("Making schemas of Dapr", flush=True)
    write_custom_schemas(module("github.com/dapr/dapr", *DAPR, environment) / "charts/dapr/crds", new / "schemas/dapr")
    return new


def module(path: str, version: str, checksum: str, environment: dict[str, str]) -> Path:
    """The folder of a version of a module, downloaded."""
    command = ["go", "mod", "download", "-json", f"{path}@{version}"]
    # Outside of any module: one that names another version would be looked at.
    done = subprocess.run(command, cwd=environment["GOPATH"], env=os.environ | environment, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout or "{}")
    if done.returncode:
        raise ArtifactError(f"{' '.join(command)} failed.", "Mend what it says, then run the same again.", found.get("Error") or done.stderr)
    if found["Sum"] != checksum:
        raise ArtifactError(
            f"{path} {version} has the checksum {found['Sum']}, not {checksum}, and was not used.",
            f"Find out who changed it: the module proxy, or {Path(__file__).name}.",
        )
    return Path(found["Dir"])


if __name__ == "__main__":
    try:
        print(made())
    except UserError as error:
        sys.exit(str(error))
