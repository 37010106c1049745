#!/usr/bin/env python3
"""What a release does to one service, by the digest of its image from the push on; a runner of any CI calls it.

    release.py publish SERVICE REPOSITORY TAG    build, push, scan, sign with what is in it; at last the reference, REPOSITORY@DIGEST
    release.py deploy SERVICE REFERENCE SIGNER PROVIDER
                                                 roll out what SIGNER (the certificate's identity) has signed, with docs/cloud/PROVIDER, and go a user's way

On the PATH are docker, syft, grype and cosign; for a deployment cosign and helm, and KUBECONFIG leads to the cluster. Where a program fails, it ends
there, with its exit status: what was found to be bad is in the registry, but has no signature, and without one nothing is rolled out.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ISSUER = "https://token.actions.githubusercontent.com"
NAMESPACE = "todo"
# Upstream's image of Node.js 20, which is the default, gets no patches any more.
BASES = {"backend": (), "frontend": ("--build-arg=BUILDER_IMAGE=node:24-alpine", "--build-arg=RUNTIME_IMAGE=node:24-alpine")}


def run(*command: str | Path, capture: bool = False) -> str:
    """What a program prints, where that is asked for. Raises CalledProcessError."""
    print("+", *command, file=sys.stderr, flush=True)
    # What is printed here is for people; standard output is the reference's.
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE if capture else sys.stderr).stdout or ""


def publish(service: str, repository: str, tag: str) -> str:
    tagged = f"{repository}:{tag}"
    run("docker", "build", "--pull", *BASES[service], "--tag", tagged, ROOT / "apps" / service)
    run("docker", "push", tagged)
    digests = run("docker", "image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', tagged, capture=True).split()
    (reference,) = [digest for digest in digests if digest.startswith(f"{repository}@sha256:")]
    # What nobody has mended yet would stop each release, and nothing could be done about it.
    run("grype", f"registry:{reference}", "--fail-on", "high", "--only-fixed")
    with tempfile.TemporaryDirectory() as folder:
        contents = Path(folder) / "contents.spdx.json"
        run("syft", "scan", f"registry:{reference}", "--output", f"spdx-json={contents}")
        run("cosign", "attest", "--yes", "--type", "spdxjson", "--predicate", contents, reference)
    run("cosign", "sign", "--yes", reference)
    return reference


def deploy(service: str, reference: str, signer: str, provider: str) -> None:
    repository, _, digest = reference.partition("@")
    run("cosign", "verify", "--certificate-identity", signer, "--certificate-oidc-issuer", ISSUER, reference)
    values = [f"--values={ROOT}/docs/cloud/{provider}/{service}.yaml", f"--set=image.repository={repository},image.digest={digest}"]
    chart = ROOT / f"apps/{service}/chart"
    run("helm", "upgrade", "--install", service, chart, "--namespace", NAMESPACE, *values, "--atomic", "--wait", "--timeout", "10m")
    run("helm", "test", service, "--namespace", NAMESPACE, "--logs")


def main(arguments: list[str]) -> int:
    try:
        match arguments:
            case ["publish", "backend" | "frontend" as service, repository, tag]:
                print(publish(service, repository, tag))
            case ["deploy", "backend" | "frontend" as service, reference, signer, provider] if "@sha256:" in reference:
                deploy(service, reference, signer, provider)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except subprocess.CalledProcessError as error:
        print(f"It goes no further: {' '.join(map(str, error.cmd))} ended with {error.returncode}; see above why.", file=sys.stderr)
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
