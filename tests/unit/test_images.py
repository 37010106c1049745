"""Image tags, what of the caller's configuration enters a build, and the registry beside the cluster."""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loopback import Reply, Server

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.images.build import (
    build_secrets,
    folder_of_packages,
    npm_configuration,
    pip_configuration,
    step_of_build,
    told_pip,
)
from ansible_collections.todochat.platform.plugins.module_utils.images.content import Image, ImageError
from ansible_collections.todochat.platform.plugins.module_utils.images.local import local_name
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.images.registry import Registry

# Tags


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """A service with sources, a script, a link, and things that its image is not made of."""
    context = tmp_path / "service"
    files = {
        "Dockerfile": "FROM scratch\n",
        ".dockerignore": "# what the image is not made of\n\nnode_modules\n**/*.log\ntests\n!tests/kept.py\n",
        "src/main.py": "print()\n",
        "src/run": "#!/bin/sh\n",
        "node_modules/left-pad/index.js": "",
        "tests/test_main.py": "",
        "tests/kept.py": "",
        "src/debug.log": "",
    }
    for name, content in files.items():
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text(content)
    (context / "src/link").symlink_to("main.py")
    return Image("service", context, {"BASE": "base:1"})


@pytest.mark.parametrize("path", ["node_modules/left-pad/index.js", "node_modules/new/index.js", "tests/test_main.py", "src/debug.log"])
def test_what_the_build_does_not_see_does_not_change_the_tag(image: Image, path: str) -> None:
    before = image.tag()
    (image.context / path).parent.mkdir(parents=True, exist_ok=True)
    (image.context / path).write_text("other")
    assert image.tag() == before


def test_neither_place_nor_time_changes_the_tag(image: Image, tmp_path: Path) -> None:
    shutil.copytree(image.context, tmp_path / "elsewhere", symlinks=True)
    os.utime(tmp_path / "elsewhere/src/main.py", (1, 1))
    assert replace(image, context=tmp_path / "elsewhere").tag() == image.tag()


CHANGES: dict[str, Callable[[Path], Any]] = {
    "content": lambda c: (c / "src/main.py").write_text("print(1)\n"),
    "a new file": lambda c: (c / "src/new.py").write_text(""),
    "a file's name": lambda c: (c / "src/main.py").rename(c / "src/start.py"),
    "a removed file": lambda c: (c / "src/main.py").unlink(),
    "the executable bit": lambda c: (c / "src/run").chmod(0o755),
    "a link": lambda c: ((c / "src/link").unlink(), (c / "src/link").symlink_to("run")),
    "the Dockerfile": lambda c: (c / "Dockerfile").write_text("FROM scratch\nUSER 1\n"),
    "an exception to what is ignored": lambda c: (c / "tests/kept.py").write_text("other"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_the_build_sees_changes_the_tag(image: Image, change: Callable[[Path], Any]) -> None:
    before = image.tag()
    change(image.context)
    assert image.tag() != before


def test_a_dockerfile_that_is_ignored_still_decides(image: Image) -> None:
    (image.context / ".dockerignore").write_text("*\n!src\n")
    before = image.tag()
    (image.context / "Dockerfile").write_text("FROM scratch\nUSER 1\n")
    assert image.tag() != before


def test_another_base_image_changes_the_tag(image: Image) -> None:
    assert replace(image, arguments={"BASE": "base:2"}).tag() != image.tag()
    assert replace(image, arguments={"OTHER": "base:1"}).tag() != image.tag()


def test_a_folder_without_a_dockerfile_is_named(image: Image) -> None:
    (image.context / "Dockerfile").unlink()
    with pytest.raises(ImageError, match=f"service: there is no {image.context}/Dockerfile"):
        image.tag()


# The caller's package configuration


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The caller's home; nothing in the environment says where packages come from."""
    for name in list(os.environ):
        if name.upper().startswith(("PIP_", "NPM_", "XDG_", "NODE_", "SSL_", "REQUESTS_", "CURL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CERT", "/home/me/ca.pem")
    made = tmp_path / "home"
    (made / ".config/pip").mkdir(parents=True)
    return made


def test_of_npms_configuration_the_sources_and_the_leave_to_read_them_are_kept(home: Path) -> None:
    kept = ["registry = https://npm.example/", "@ours:registry=https://ours.example/", "//npm.example/:_authToken=canary", "strict-ssl=false"]
    dropped = ["cafile=/home/me/ca.pem", "cache=/home/me/.npm", "prefix=/home/me/npm", "; registry=https://old.example", "registryless=1"]
    (home / ".npmrc").write_text("\n".join([*kept, *dropped]))
    assert npm_configuration(home).splitlines() == kept


@pytest.mark.parametrize("name", ["npm_config_registry", "NPM_CONFIG_REGISTRY"])
def test_npms_environment_comes_after_its_files(home: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "https://environment.example/")
    (home / ".npmrc").write_text("registry=https://file.example/\n")
    assert npm_configuration(home).splitlines()[-1] == "registry=https://environment.example/"


def test_npm_reads_another_file_and_settings_of_the_network_from_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".npmrc").write_text("registry=https://file.example/\n")
    (home / "other").write_text("registry=https://other.example/\n")
    for name, value in (("USERCONFIG", "~/other"), ("HTTPS_PROXY", "http://proxy.example"), ("NOPROXY", "npm.example"), ("STRICT_SSL", "false")):
        monkeypatch.setenv(f"NPM_CONFIG_{name}", value)
    expected = ["registry=https://other.example/", "https-proxy=http://proxy.example", "noproxy=npm.example", "strict-ssl=false"]
    assert npm_configuration(home).splitlines() == expected


def test_a_token_that_npms_file_takes_from_the_environment_is_filled_in_or_refused_by_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".npmrc").write_text("//npm.example/:_authToken=${NPM_TOKEN}\n@ours:registry=https://ours.example/${PART?}\ncache=${HOME}/npm\n")
    monkeypatch.setenv("NPM_TOKEN", "canary")
    assert npm_configuration(home).splitlines() == ["//npm.example/:_authToken=canary", "@ours:registry=https://ours.example/"]
    (home / ".npmrc").write_text("//npm.example/:_authToken=${OUR_TOKEN}\n")
    monkeypatch.setenv("OUR_TOKEN", "canary")
    with pytest.raises(ImageError, match=r"\.npmrc takes the value of \$\{OUR_TOKEN\} from the environment.*Call it NPM_TOKEN"):
        npm_configuration(home)


def pip_settings(home: Path) -> dict[str, list[str]]:
    """What pip in the build would read: its own reader, an INI parser that refuses what stands there twice."""
    parser = configparser.RawConfigParser()
    parser.read_string(pip_configuration(home))
    return {name: value.split() for name, value in parser["global"].items()}


def test_of_pips_configuration_the_sources_are_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".config/pip/pip.conf").write_text(
        "[global]\nindex-url = https://me:canary@pip.example/simple\ncert = /home/me/ca.pem\ncache-dir = /home/me/cache\n"
        "find-links = /opt/wheels\nextra-index-url =\n  https://one.example/it's\n  https://two.example/simple\ntrusted-host = pip.example\n"
    )
    monkeypatch.setenv("PATH", "/nowhere")  # root's PATH names no python3 that has pip
    settings = {
        "index-url": ["https://me:canary@pip.example/simple"],
        "extra-index-url": ["https://one.example/it's", "https://two.example/simple"],
        "trusted-host": ["pip.example"],
    }
    assert pip_settings(home) == settings

    monkeypatch.setenv("PIP_INDEX_URL", "https://environment.example/simple")
    monkeypatch.setenv("PIP_TRUSTED_HOST", "environment.example")
    changed = {"index-url": ["https://environment.example/simple"], "trusted-host": ["environment.example"]}
    assert pip_settings(home) == {**settings, **changed}


def test_links_of_the_network_reach_a_build_and_where_there_are_only_several_folders_it_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".config/pip/pip.conf").write_text("[install]\nno-index = true\nfind-links = /opt/wheels https://wheels.example/\nproxy = http://proxy.example\n")
    assert pip_settings(home) == {"no-index": ["true"], "find-links": ["https://wheels.example/"], "proxy": ["http://proxy.example"]}
    monkeypatch.setenv("PIP_FIND_LINKS", "/opt/wheels /opt/more")
    with pytest.raises(ImageError, match=r"packages from /opt/wheels and /opt/more alone \(no-index\), which no build of an image can read"):
        pip_configuration(home)
    monkeypatch.setenv("PIP_NO_INDEX", "0")
    assert pip_settings(home) == {"no-index": ["0"], "proxy": ["http://proxy.example"]}


@pytest.mark.parametrize(("told", "folder"), [("file:///home/me/my%20packages", "/home/me/my packages"), ("/home/me/wheels", "/home/me/wheels")])
def test_the_one_folder_that_packages_are_to_come_from_is_a_builds_too(home: Path, monkeypatch: pytest.MonkeyPatch, told: str, folder: str) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", told)
    assert folder_of_packages(told_pip(home)) == ""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert folder_of_packages(told_pip(home)) == folder
    assert pip_settings(home) == {"no-index": ["1"], "find-links": ["/packages"]}


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "NPM_CONFIG_CAFILE", "npm_config_cafile"])
def test_certificates_are_the_callers_whichever_variable_names_them(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "ca.pem").write_text("ours")
    monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
    with build_secrets(home, tmp_path / "private") as secrets:
        assert secrets["ca"].read_text() == "ours"
    (tmp_path / "extra.pem").write_text("extra")
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(tmp_path / "extra.pem"))
    with build_secrets(home, tmp_path / "private") as secrets:
        assert secrets["ca"].read_text() == "ours\nextra"


def test_what_says_nothing_about_sources_is_not_handed_over(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".npmrc").write_text("cafile=/home/me/ca.pem\n")
    bundle = tmp_path / "ca.pem"
    bundle.write_text("certificates")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with build_secrets(home, tmp_path / "private") as secrets:
        assert secrets == {"ca": bundle}


def test_secret_files_are_the_callers_alone_and_gone_afterwards(home: Path, tmp_path: Path) -> None:
    (home / ".npmrc").write_text("//npm.example/:_authToken=canary\n")
    with build_secrets(home, tmp_path / "private") as secrets:
        file = secrets["npmrc"]
        assert file.read_text() == "//npm.example/:_authToken=canary\n"
        assert file.stat().st_mode & 0o077 == 0
    assert not file.exists()


# The registry


MANIFEST = b'{"manifest": 1}'
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"


def test_an_image_is_there_where_the_registry_has_that_very_content(server: Server) -> None:
    server.answer = lambda _: Reply(body=MANIFEST)
    registry = Registry(server.endpoint)
    assert registry.has("todo/backend", DIGEST)
    [request] = server.requests
    assert (request.method, request.path) == ("GET", f"/v2/todo/backend/manifests/{DIGEST}")
    assert "application/vnd.oci.image.manifest.v1+json" in request.headers["Accept"]
    server.answer = lambda _: Reply(body=b"planted", headers={"Docker-Content-Digest": DIGEST})
    assert not registry.has("todo/backend", DIGEST)


def test_a_proxy_is_not_asked(server: Server, nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://{nobody}")
    server.answer = lambda _: Reply(body=MANIFEST)
    assert Registry(server.endpoint).has("todo/backend", DIGEST)


def test_an_image_that_is_not_there_is_not(server: Server) -> None:
    assert not Registry(server.endpoint).has("todo/backend", DIGEST)


def test_a_registry_in_trouble_is_named_with_its_answer(server: Server) -> None:
    server.answer = lambda _: Reply(500)
    with pytest.raises(ImageError, match=rf"answers 500 to GET {server.url}/v2/todo/backend/manifests/sha256:"):
        Registry(server.endpoint).has("todo/backend", DIGEST)


def test_a_registry_that_is_not_there_names_the_tag_to_run(nobody: str) -> None:
    with pytest.raises(ImageError, match=rf"registry at {nobody} does not answer .*--tags image_registry"):
        Registry(nobody).has("todo/backend", DIGEST)


def test_a_build_tells_its_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "events").touch()
    monkeypatch.setenv("TODOCHAT_EVENTS", str(tmp_path / "events"))
    # recorded from docker build --progress=plain
    for line in ("#1 [internal] load build definition from Dockerfile", "#1 DONE 0.0s", "#4 [builder 1/2] COPY a /a", "#4 0.2 text", "#6 exporting to image"):
        step_of_build("backend", line)
    told = [json.loads(line)["waiting_for"] for line in (tmp_path / "events").read_text().splitlines()]
    assert told == ["building the image backend: builder 1/2 COPY a /a"]


# The record of what was pushed


NAME = "127.0.0.1:5000/todo/backend"


def test_what_was_pushed_is_known_by_tag_and_the_one_to_deploy_is_the_one_that_was_named_last(tmp_path: Path) -> None:
    pushed = Pushed(tmp_path / "new/images.json")
    assert (pushed.digest(NAME, "a"), pushed.current(NAME)) == ("", "")
    pushed.keep(NAME, "a", "sha256:a")
    pushed.keep(NAME, "b", "sha256:b")
    pushed.make_current(NAME, "sha256:b")
    pushed.keep("127.0.0.1:5000/other/backend", "a", "sha256:c")
    assert [pushed.digest(NAME, tag) for tag in "abc"] == ["sha256:a", "sha256:b", ""]
    assert (pushed.current(NAME), pushed.current("127.0.0.1:5000/other/backend")) == ("sha256:b", "")


def test_others_can_read_the_record_and_not_write_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Pushed(tmp_path / "new/images.json").keep(NAME, "a", "sha256:a")
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "new", tmp_path / "new/images.json")] == [0o755, 0o644]


def test_runs_that_write_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    pushed = Pushed(tmp_path / "images.json")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: pushed.keep(NAME, str(number), f"sha256:{number}"), range(40)))
    assert [pushed.digest(NAME, str(number)) for number in range(40)] == [f"sha256:{number}" for number in range(40)]


def test_a_record_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "images.json").write_text("{")
    with pytest.raises(UserError, match=r"images\.json cannot be read: .* `make up` builds both images anew"):
        Pushed(tmp_path / "images.json").current(NAME)


def test_the_local_name_is_of_no_registry() -> None:
    assert local_name(NAME) == "todochat/todo-backend:current"
