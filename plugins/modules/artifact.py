#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: pinned artifacts are in the store, and installed from it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: artifact
short_description: Pinned artifacts are in the store, and installed from it
description:
  - Compares the lock file with the store, downloads what upstream or a mirror offers, and returns what has to be built.
  - Installs files and loads images from the store, after comparing their content with what was recorded for them.
options:
  lock:
    description: The lock file.
    type: path
    required: true
  store:
    description: The folder that holds finished artifacts.
    type: path
    required: true
  source:
    description: >-
      C(upstream) and C(mirror) download only; C(auto) downloads from upstream where it answers and returns the rest in
      C(to_build).
    choices: [auto, upstream, mirror]
    type: str
    default: auto
  mirror:
    description: A base URL or folder that keeps upstream's paths. A URL with a login in it is refused.
    type: str
    default: ''
  mirror_ca:
    description: A file with the certificate of the authority that the mirror's comes from; empty where this machine trusts it.
    type: path
    default: ''
  mirror_login:
    description: The login for the mirror, as name:password. It is told to no other host, but to where the mirror gives tokens.
    type: str
    default: ''
  names:
    description: Artifacts that are to be in the store. An empty list means all.
    type: list
    elements: str
  optional:
    description: Artifacts that are to be there besides, of those that the lock file calls optional, which are not among all.
    type: list
    elements: str
    default: []
  install:
    description: Files that are to stand somewhere with the artifact's content.
    type: list
    elements: dict
    default: []
    suboptions:
      names: {type: list, elements: str, required: true, description: The artifacts.}
      path:
        description: The file; {name}, {version}, {arch} and {image} (an image's name with _ for the colon) are filled in.
        type: path
        required: true
      link:
        description: A symbolic link to the file, filled in likewise; not made where a program of that name is there already, or elsewhere in the search path.
        type: path
      owner: {type: str, description: The user it belongs to.}
  load:
    description: Images that are to be in the Docker engine.
    type: list
    elements: str
    default: []
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: kubectl is installed
  todochat.platform.artifact:
    lock: artifacts.lock.yml
    store: ~/.cache/todochat/store
    install:
      - names: [kubectl, helm]
        path: /opt/todochat/bin/{name}
        link: /usr/local/bin/{name}
"""

RETURN = r"""
artifacts:
  description: For each artifact that was named, its version, reference (images), and where it is or would be taken from.
  type: dict
  returned: success
to_build:
  description: Artifacts that have to be built, in the order of the lock file, each with its name, a title that says
    which of how many it is, seconds on two cores, and whether it needs root.
  type: list
  returned: success
would:
  description: What was done, or would be done in check mode, a sentence each.
  type: list
  returned: success
"""

import os
import pwd
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import which
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import together, told
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.store.download import Source
from ansible_collections.todochat.platform.plugins.module_utils.store.load import is_loaded, load
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Artifact, ArtifactError, Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store, sha256_of
from ansible_collections.todochat.platform.plugins.module_utils.store.supplies import supplies, unreachable
from ansible_collections.todochat.platform.plugins.module_utils.store.transfer import login_in, login_in_address

# Files and links below this folder are ours to replace.
OURS = "/opt/todochat/"


class Change:
    """The differences found so far, each as a sentence, and whether they are to be made."""

    def __init__(self, check_mode: bool) -> None:
        self.check_mode = check_mode
        self.sentences: list[str] = []

    def to_make(self, sentence: str) -> bool:
        self.sentences.append(sentence)
        return not self.check_mode


def install(
    wanted: dict[str, Any], artifact: Artifact, architecture: str, store: Store, change: Change
) -> None:
    """A file has the artifact's content, and a link points to it where nothing of somebody else's stands."""
    filled = {
        "name": artifact.name,
        "version": artifact.version,
        "arch": architecture,
        "image": artifact.reference.replace(":", "_"),
    }
    path = Path(wanted["path"].format(**filled))
    # without a record (check mode on a fresh machine) nothing can be equal
    expected = store.record(artifact)["sha256"] if store.has(artifact) or not change.check_mode else ""
    if not (path.is_file() and sha256_of(path) == expected) and change.to_make(
        f"{artifact.name} {artifact.version} is installed as {path}"
    ):
        waiting_for(f"installing {artifact.name} {artifact.version}")
        source = store.verified(artifact)
        make_folders(path.parent, wanted["owner"])
        for left in path.parent.glob(".new-*"):  # by a run that was killed
            left.unlink(missing_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as new:
            try:
                shutil.copyfile(source, new.name)
            except OSError:
                os.unlink(new.name)  # it would fill the disk that has no room for it
                raise
        os.chmod(new.name, 0o644 if artifact.is_image else 0o755)
        give(Path(new.name), wanted["owner"])
        os.replace(new.name, path)
    if not wanted["link"]:
        return
    link = Path(wanted["link"].format(**filled))
    # a link in /usr/local/bin would also stand before a program of that name in /usr/bin
    stands = os.path.lexists(link) or which(link.name) is not None
    ours = link.is_symlink() and os.readlink(link).startswith(OURS)
    differs = not stands or (ours and os.readlink(link) != str(path))
    if differs and change.to_make(f"{link} points to {path}"):
        link.unlink(missing_ok=True)
        link.symlink_to(path)


def make_folders(folder: Path, owner: str | None) -> None:
    """Makes a folder and its missing parents, all belonging to the owner."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        give(made, owner)


def give(path: Path, owner: str | None) -> None:
    if owner:
        account = pwd.getpwnam(owner)
        os.chown(path, account.pw_uid, account.pw_gid)


def loaded(artifact: Artifact, store: Store, change: Change) -> None:
    """An image is in the Docker engine."""
    try:
        present = is_loaded(artifact)
    except ArtifactError:
        if not change.check_mode:
            raise
        present = False  # an untouched machine has no Docker yet
    if not present and change.to_make(f"{artifact.reference} is loaded into Docker"):
        load(artifact, store)


def main() -> None:
    options = {"names": {"type": "list", "elements": "str", "required": True}, "path": {"type": "path", "required": True}}
    options |= {"link": {"type": "path"}, "owner": {"type": "str"}}
    module = AnsibleModule(
        argument_spec={
            "lock": {"type": "path", "required": True},
            "store": {"type": "path", "required": True},
            "source": {"type": "str", "choices": ["auto", "upstream", "mirror"], "default": "auto"},
            "mirror": {"type": "str", "default": ""},
            "mirror_ca": {"type": "path", "default": ""},
            "mirror_login": {"type": "str", "default": "", "no_log": True},
            "names": {"type": "list", "elements": "str"},
            "optional": {"type": "list", "elements": "str", "default": []},
            "install": {"type": "list", "elements": "dict", "default": [], "options": options},
            "load": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    parameters = module.params
    change = Change(module.check_mode)
    with told(module):
        if login_in(parameters["mirror"]):
            parameters["mirror"] = "(not shown)"  # what was given is returned with each failure
            raise login_in_address()
        if parameters["source"] == "mirror" and not parameters["mirror"]:
            raise ArtifactError(
                "artifact_source is mirror, and artifact_mirror is empty.", "Name a base URL or folder that keeps upstream's paths in artifact_mirror."
            )
        lock = Lock(Path(parameters["lock"]))
        store = Store(Path(parameters["store"]))
        mirror = [parameters[name] for name in ("mirror", "mirror_ca", "mirror_login")] if parameters["source"] == "mirror" else []
        source = Source(lock.architecture, *mirror)
        wanted = asked_for(lock, parameters["names"], parameters["optional"])
        to_build = obtain(wanted, store, source, parameters["source"], change)
        for entry in parameters["install"]:
            for name in entry["names"]:
                install(entry, lock[name], lock.architecture, store, change)
        for name in parameters["load"]:
            loaded(lock[name], store, change)
    mentioned = {artifact.name for artifact in wanted}
    mentioned |= {name for entry in parameters["install"] for name in entry["names"]} | set(parameters["load"])
    module.exit_json(
        changed=bool(change.sentences),
        would=change.sentences,
        to_build=[
            {
                "name": artifact.name,
                "title": f"{number} of {len(to_build)}: {artifact.name} {artifact.version}, about {artifact.seconds} s",
                "seconds": artifact.seconds,
                "root": "suite" in artifact.build.get("image", {}),
            }
            for number, artifact in enumerate(to_build, 1)
        ],
        artifacts={
            name: {"version": lock[name].version, "reference": lock[name].reference, "path": str(store.file(lock[name]))}
            for name in mentioned
        },
    )


def asked_for(lock: Lock, names: list[str] | None, optional: list[str]) -> list[Artifact]:
    """The artifacts of these names, all but the optional ones where the list is empty, and those of the optional ones that are named."""
    listed = [artifact.name for artifact in lock.artifacts.values() if not artifact.optional] if names == [] else names or []
    return [lock[name] for name in dict.fromkeys([*listed, *optional])]


def obtain(wanted: list[Artifact], store: Store, source: Source, mode: str, change: Change) -> list[Artifact]:
    """Downloads what is missing and offered; returns what is missing and has to be built."""
    missing = [artifact for artifact in wanted if not store.has(artifact)]
    to_build = [artifact for artifact in missing if mode == "auto" and not source.offers(artifact)]
    to_download = [artifact for artifact in missing if artifact not in to_build]
    for artifact in to_download:
        source.expected(artifact)  # of all, before the first is fetched, and in check mode as well
    if source.client.mirror and (problems := source.problems(to_download)):
        raise together(problems)
    if not source.client.mirror and (silent := unreachable(supplies(missing, to_build, source), source.tried)):
        raise silent
    for artifact in to_download:
        if change.to_make(f"{artifact.name} {artifact.version} is downloaded from {source.address(artifact)}"):
            store.path.mkdir(parents=True, exist_ok=True)
            source.fetch(artifact, store)
    return to_build


if __name__ == "__main__":
    main()
