"""A mirror with a login and an authority of its own, and downloads that are cut off, from web servers on loopback."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from loopback import Reply, Request, Server, served
from test_fetch import Upstream, sha256, store, tool

from ansible_collections.todochat.platform.plugins.module_utils.base import progress
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.store import transfer
from ansible_collections.todochat.platform.plugins.module_utils.store.download import Source
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Artifact, ArtifactError
from ansible_collections.todochat.platform.plugins.module_utils.store.store import LOCK, Store
from ansible_collections.todochat.platform.plugins.modules import artifact as module

__all__ = ["store"]
LOGIN = "reader:pass:wörd"
BASIC = f"Basic {base64.b64encode(LOGIN.encode()).decode()}"
WRONG = "reader:another"
CONTENT = bytes(range(256)) * 40
PATH = "/release/v1/amd64/tool"
UPSTREAM = "https://upstream.example"


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited for before each further try, and nobody waits."""
    waited: list[float] = []
    monkeypatch.setattr(transfer.time, "sleep", waited.append)
    return waited


class Files:
    """Files by path, as web servers have them: with an ETag, and in parts. The connection is cut after so many bytes, in turn."""

    def __init__(self, server: Server, content: bytes = CONTENT) -> None:
        self.server, self.content = server, content
        self.cuts: list[int] = []
        self.headers = {"ETag": '"one"', "Last-Modified": "Mon, 30 Nov 2026 12:00:00 GMT"}
        self.takes_parts = True
        self.minds_the_condition = True
        server.answer = self.answer

    def answer(self, request: Request) -> Reply:
        content, status, headers = self.content, 200, dict(self.headers)
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        same = request.headers.get("If-Range") in (headers.get("ETag"), headers.get("Last-Modified")) or not self.minds_the_condition
        if asked and self.takes_parts and same:
            start = int(asked[1])
            if start >= len(content):
                return Reply(416, headers={"Content-Range": f"bytes */{len(content)}"})
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            content, status = content[start:], 206
        cut = self.cuts.pop(0) if self.cuts and request.method == "GET" else len(content)
        return Reply(status, content[:cut], headers, length=len(content))

    @property
    def ranges(self) -> list[str | None]:
        """What of the file was asked for, each time."""
        return [request.headers["Range"] for request in self.server.requests if request.method == "GET"]


@pytest.fixture
def files(server: Server) -> Files:
    """A file of 10,240 bytes."""
    return Files(server)


def broken_off(files: Files, store: Store, *cuts: int) -> Artifact:
    """A download of which so many bytes came, in tries that were all cut off."""
    artifact = tool(files.server.url, CONTENT)
    files.cuts = [*cuts, *[0] * (len(transfer.PAUSES) + 1 - len(cuts))]
    with pytest.raises(ArtifactError, match="cut off 6 times"):
        Source("amd64").fetch(artifact, store)
    files.server.requests.clear()
    return artifact


def fetched(artifact: Artifact, store: Store, *more: str) -> None:
    """It is fetched, and nothing else is left of that."""
    Source("amd64", *more).fetch(artifact, store)
    assert store.verified(artifact).read_bytes() == CONTENT
    assert sorted(path.name for path in store.path.iterdir()) == [LOCK, artifact.name]


# What was cut off


def test_a_download_that_is_cut_off_goes_on_by_itself_where_it_was(files: Files, store: Store, pauses: list[float]) -> None:
    files.cuts = [3000, 0, 2000]
    fetched(tool(files.server.url, CONTENT), store)
    assert files.ranges == [None, "bytes=3000-", "bytes=3000-", "bytes=5000-"]
    assert {request.headers["If-Range"] for request in files.server.requests[1:]} == {'"one"'}
    assert pauses == [1, 2, 4]


def test_it_is_given_up_at_some_time_and_the_next_run_goes_on(files: Files, store: Store, pauses: list[float]) -> None:
    artifact = broken_off(files, store, 3000, 1000)
    assert pauses == [1, 2, 4, 8, 16]
    assert not store.has(artifact)
    [folder] = [path for path in store.path.iterdir() if path.name != LOCK]
    assert folder.name == ".partial-tool"
    assert sorted(path.name for path in folder.iterdir()) == [sha256(CONTENT), f"{sha256(CONTENT)}.json"]
    files.cuts = []
    fetched(artifact, store)
    assert files.ranges == ["bytes=4000-"]


def test_a_host_that_gives_nothing_is_not_asked_again_and_again(store: Store, nobody: str, pauses: list[float]) -> None:
    with pytest.raises(ArtifactError, match="refused"):
        Source("amd64").fetch(tool(f"http://{nobody}"), store)
    assert pauses == []


def test_a_server_that_comes_back_is_waited_for(files: Files, store: Store, pauses: list[float]) -> None:
    files.cuts = [3000]
    answers = iter([files.answer, lambda _: Reply(502), lambda _: Reply(503), files.answer])
    files.server.answer = lambda request: next(answers)(request)
    fetched(tool(files.server.url, CONTENT), store)
    assert pauses == [1, 2, 4]


def test_where_there_is_no_etag_the_date_of_the_change_says_what_it_is(files: Files, store: Store) -> None:
    files.headers["ETag"] = 'W/"weak"'
    artifact = broken_off(files, store, 3000)
    files.cuts = []
    fetched(artifact, store)
    assert files.server.requests[0].headers["If-Range"] == files.headers["Last-Modified"]
    assert files.ranges == ["bytes=3000-"]


def without_parts(files: Files) -> None:
    files.takes_parts = False


def changed(files: Files) -> None:
    files.headers["ETag"], files.headers["Last-Modified"] = '"two"', "Mon, 30 Nov 2026 13:00:00 GMT"


def changed_and_heedless(files: Files) -> None:
    changed(files)
    files.minds_the_condition = False


def nameless(files: Files) -> None:
    files.headers.clear()
    files.minds_the_condition = False


def shifted(files: Files) -> None:
    """It sends another part than it was asked for."""
    whole = files.answer
    files.server.answer = lambda request: (
        Reply(206, CONTENT[10:], {**files.headers, "Content-Range": f"bytes 10-{len(CONTENT) - 1}/*"}) if request.headers["Range"] else whole(request)
    )


@pytest.mark.parametrize("change", [without_parts, changed, changed_and_heedless, nameless, shifted])
def test_what_is_not_the_same_any_more_comes_from_the_beginning(
    files: Files, store: Store, change: Callable[[Files], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    if change is nameless:
        nameless(files)
    artifact = broken_off(files, store, 3000)
    files.cuts = []
    change(files)
    # the part that was there is of something else, so that it would be noticed
    (store.path / ".partial-tool" / sha256(CONTENT)).write_bytes(b"x" * 3000)
    monkeypatch.setattr(transfer, "PAUSES", ())  # before all of it has come, and not in another try
    fetched(artifact, store)


def test_of_another_address_nothing_is_gone_on_with(files: Files, store: Store) -> None:
    broken_off(files, store, 3000)
    files.cuts = []
    with served() as other:
        elsewhere = Files(other)
        fetched(tool(other.url, CONTENT), store)
        assert elsewhere.ranges == [None]


def test_parts_that_do_not_fit_come_anew_and_an_altered_file_is_refused(files: Files, store: Store) -> None:
    artifact = broken_off(files, store, 3000)
    part = store.path / ".partial-tool" / sha256(CONTENT)
    part.write_bytes(b"x" * 3000)
    files.cuts = []
    fetched(artifact, store)
    assert files.ranges == ["bytes=3000-", None]

    altered = tool(files.server.url, b"something else")
    with pytest.raises(ArtifactError, match=f"{PATH} is not what the lock file names: .* found {sha256(CONTENT)}; it was not used"):
        Source("amd64").fetch(altered, store)
    assert not list(store.path.glob(".partial-*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_leaves_of_a_download_belongs_to_the_stores_owner(files: Files, store: Store) -> None:
    store.path.mkdir()
    os.chown(store.path, 12345, 23456)
    broken_off(files, store, 3000)
    found = list(store.path.rglob("*"))
    assert len(found) == 4
    assert {(path.stat().st_uid, path.stat().st_gid) for path in found} == {(12345, 23456)}


@pytest.mark.parametrize("size", [len(CONTENT), len(CONTENT) + 5])
def test_what_was_complete_is_not_read_again_and_too_much_is(files: Files, store: Store, size: int) -> None:
    artifact = broken_off(files, store, 3000)
    (store.path / ".partial-tool" / sha256(CONTENT)).write_bytes((CONTENT + b"x" * 5)[:size])
    files.cuts = []
    fetched(artifact, store)
    assert files.ranges == ([] if size == len(CONTENT) else [f"bytes={size}-", None])


def test_a_full_disk_is_said_as_such(files: Files, store: Store, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transfer, "copy", full)
    with pytest.raises(OSError, match="No space left on device"):
        Source("amd64").fetch(tool(files.server.url, CONTENT), store)
    assert pauses == []


def test_how_far_it_is_counts_what_was_there(files: Files, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytes(3_000_000)
    files.content, files.cuts = content, [2_000_000]
    (tmp_path / "events").touch()
    monkeypatch.setenv(progress.VARIABLE, str(tmp_path / "events"))
    monkeypatch.setattr(progress.time, "monotonic", iter(range(1000)).__next__)
    Source("amd64").fetch(tool(files.server.url, content), store)
    told = [json.loads(line)["waiting_for"] for line in (tmp_path / "events").read_text().splitlines()]
    assert "downloading tool v1: cut off after 2 MB, going on in 1 s" in told
    assert told[-1] == "downloading tool v1: 3 of 3 MB"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_process_that_is_ended_leaves_what_the_next_one_goes_on_with(server: Server, tmp_path: Path, how: signal.Signals) -> None:
    files = Files(server, bytes(range(256)) * 20_000)
    held = Reply(200, files.content[:3_000_000], files.headers, length=len(files.content))
    server.answer = lambda request: held if request.method == "GET" else files.answer(request)
    store, part = Store(tmp_path / "store"), tmp_path / "store/.partial-tool" / sha256(files.content)
    work = f"""
import sys
from ansible_collections.todochat.platform.plugins.module_utils.store import transfer
transfer.PAUSES = (600,)
from test_fetch import Source, Store, Path, tool
content = bytes(range(256)) * 20_000
Source("amd64").fetch(tool({server.url!r}, content), Store(Path({str(store.path)!r})))
"""
    running = subprocess.Popen([sys.executable, "-c", work], env={**os.environ, "PYTHONPATH": ":".join(filter(None, [*sys.path]))}, stderr=subprocess.DEVNULL)
    while not part.exists() or part.stat().st_size < 3_000_000:
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(how)
    running.wait(30)
    server.answer = files.answer
    server.requests.clear()
    artifact = tool(server.url, files.content)
    Source("amd64").fetch(artifact, store)
    assert store.verified(artifact).read_bytes() == files.content
    assert files.ranges == ["bytes=3000000-"]
    assert sorted(path.name for path in store.path.iterdir()) == [LOCK, "tool"]


# Who asks


class Guarded:
    """Lets in who comes with the login, and leads to somewhere else below /leads."""

    def __init__(self, server: Server, files: dict[str, bytes], elsewhere: str = "") -> None:
        self.server, self.files, self.elsewhere = server, files, elsewhere
        self.status = 401
        server.answer = self.answer

    def answer(self, request: Request) -> Reply:
        if request.headers["Authorization"] != BASIC:
            return Reply(self.status, headers={"WWW-Authenticate": 'Basic realm="mirror"'})
        if self.elsewhere:
            return Reply(302, headers={"Location": self.elsewhere + request.path})
        return Reply(200, self.files[request.path]) if request.path in self.files else Reply(404)


def obtain(artifacts: list[Artifact], store: Store, *mirror: str, check_mode: bool = False) -> None:
    module.obtain(artifacts, store, Source("amd64", *mirror), "mirror", module.Change(check_mode))


def refusal(artifacts: list[Artifact], store: Store, *mirror: str) -> str:
    """Why a mirror does not give these, in one sentence with what to do; said before anything is done, and the same in check mode."""
    said = []
    for check_mode in (True, False):
        with pytest.raises(UserError) as raised:
            obtain(artifacts, store, *mirror, check_mode=check_mode)
        said.append(str(raised.value))
    assert said[0] == said[1]
    assert not store.path.exists()
    for secret in (LOGIN, LOGIN.partition(":")[2], BASIC, WRONG.partition(":")[2]):
        assert secret not in said[0]
    return said[0]


def test_a_file_comes_by_the_login_and_no_record_has_it(server: Server, store: Store) -> None:
    Guarded(server, {f"/a/prefix{PATH}": CONTENT})
    artifact = tool(UPSTREAM, CONTENT)
    obtain([artifact], store, f"{server.url}/a/prefix/", "", LOGIN)
    assert store.record(artifact)["origin"] == f"{server.url}/a/prefix{PATH}"
    assert LOGIN not in "".join(path.read_text(errors="replace") for path in store.path.rglob("*") if path.is_file())


def test_the_login_is_told_to_nobody_that_the_mirror_leads_to(server: Server, store: Store) -> None:
    with served() as storage:
        storage.serves({PATH: CONTENT})
        Guarded(server, {}, elsewhere=storage.url)
        obtain([tool(UPSTREAM, CONTENT)], store, server.url, "", LOGIN)
        assert [request.headers["Authorization"] for request in storage.requests] == [None, None]


def test_within_the_mirror_it_goes_along(server: Server, store: Store) -> None:
    guarded = Guarded(server, {f"/moved{PATH}": CONTENT})
    let_in = guarded.answer
    server.answer = lambda request: Reply(301, headers={"Location": f"/moved{PATH}"}) if request.path == PATH else let_in(request)
    obtain([tool(UPSTREAM, CONTENT)], store, server.url, "", LOGIN)


def test_a_wrong_login_and_none_are_told_apart_with_the_way_out(server: Server, store: Store) -> None:
    Guarded(server, {PATH: CONTENT})
    two = [tool(UPSTREAM, CONTENT), tool(UPSTREAM, CONTENT, member="x")]
    edit = re.escape("`make vault DO=edit ARGS='-e secret=mirror_login'`; then run the same command again.")
    mirror = re.escape(f"artifact_mirror={server.url}")
    said = refusal(two, store, server.url, "", WRONG)
    assert re.fullmatch(f"{mirror} does not take the login that the vault has for it: it answers 401 Unauthorized. Correct it: {edit}", said), said
    said = refusal(two, store, server.url)
    assert re.fullmatch(f"{mirror} asks for a login, and the vault has none for it: it .* 401 Unauthorized. Give it, as name:password: {edit}", said), said


def test_what_may_not_be_read_and_what_is_not_there_are_named(server: Server, store: Store) -> None:
    guarded = Guarded(server, {})
    lacking = Artifact(name="other", version="v2", key="2" * 64, seconds=1, build={}, url=f"{UPSTREAM}/other", sha256={"amd64": "0" * 64})
    said = refusal([tool(UPSTREAM), lacking], store, server.url, "", LOGIN)
    assert "2 things stand in the way, and nothing was changed." in said
    for path in (PATH, "/other"):
        assert f"artifact_mirror={server.url} does not have {server.url}{path}: it answers 404 Not Found. Put there what is at {UPSTREAM}{path}, or" in said
    guarded.status = 403
    said = refusal([tool(UPSTREAM)], store, server.url, "", WRONG)
    assert said.startswith(f"artifact_mirror={server.url} does not let the login that the vault has for it read {server.url}{PATH}: it answers 403 Forbidden.")
    said = refusal([tool(UPSTREAM)], store, server.url)
    assert said.startswith(f"artifact_mirror={server.url} does not let anybody without a login read {server.url}{PATH}: it answers 403 Forbidden.")
    assert "or give a login: `make vault DO=edit ARGS='-e secret=mirror_login'`" in said


def test_a_mirror_that_takes_no_questions_is_asked_for_the_files_themselves(server: Server, store: Store) -> None:
    server.answer = lambda request: Reply(405 if request.method == "HEAD" else 200, CONTENT)
    obtain([tool(UPSTREAM, CONTENT)], store, server.url)
    assert store.has(tool(UPSTREAM, CONTENT))


def test_a_mirror_that_cannot_be_reached_is_named(store: Store, nobody: str) -> None:
    said = refusal([tool(UPSTREAM)], store, f"http://{nobody}/x")
    assert said.startswith(f"artifact_mirror=http://{nobody}/x cannot be reached: [Errno 111] Connection refused")


@pytest.mark.parametrize("login", ["canary", "canary:canary", "some:ca/na@ry"])
def test_a_login_in_the_address_is_refused_and_shown_nowhere(tmp_path: Path, login: str) -> None:
    given = {"lock": str(tmp_path / "lock.yml"), "store": str(tmp_path), "source": "mirror", "mirror": f"https://{login}@mirror.example/"}
    done = subprocess.run(
        [sys.executable, module.__file__],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": given}),
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "artifact_mirror names a user or a password in its URL" in json.loads(done.stdout)["msg"]
    assert login not in done.stdout + done.stderr


# Who vouches for it


class Authority:
    """One of a company's own, with certificates that it gives for an address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        self.file = folder / "authority.crt"
        self.file.write_bytes(self._signed(self.name, self.key, x509.BasicConstraints(ca=True, path_length=None)).public_bytes(serialization.Encoding.PEM))

    def _signed(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType, ends: int = 1) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        made = made.not_valid_before(now - datetime.timedelta(days=9)).not_valid_after(now + datetime.timedelta(days=ends))
        return made.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints)).sign(self.key, hashes.SHA256())

    def context(self, address: str = "127.0.0.1", ends: int = 1) -> ssl.SSLContext:
        """What a server at this address is given."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        certificate = self._signed(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")]), key, names, ends)
        chain = self.folder / "server.pem"
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        chain.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority that nobody knows."""
    return Authority(tmp_path)


@pytest.mark.usefixtures("server")  # out of the way of proxies
def test_an_authority_is_named_by_the_option_or_known_to_the_machine(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(authority.context()) as mirror:
        Guarded(mirror, {PATH: CONTENT})
        fetched(tool(UPSTREAM, CONTENT), Store(tmp_path / "one"), mirror.url, str(authority.file), LOGIN)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        fetched(tool(UPSTREAM, CONTENT), Store(tmp_path / "two"), mirror.url, "", LOGIN)


@pytest.mark.usefixtures("server")
def test_a_certificate_that_is_not_trusted_is_named_and_the_login_not_told(authority: Authority, store: Store, tmp_path: Path) -> None:
    again = "then run the same command again."
    with served(authority.context()) as mirror:
        said = refusal([tool(UPSTREAM)], store, mirror.url, "", LOGIN)
        assert said.startswith(f"artifact_mirror={mirror.url} has a certificate that this machine does not trust: unable to get local issuer certificate.")
        assert said.endswith(f"Name the file with its authority's certificate in artifact_mirror_ca; {again}")
        (tmp_path / "empty").touch()
        said = refusal([tool(UPSTREAM)], store, mirror.url, str(tmp_path / "empty"), LOGIN)
        assert said.startswith(f"artifact_mirror_ca={tmp_path / 'empty'} has no certificate that can be read")
        assert mirror.requests == []
    for context, words in ((authority.context("127.0.0.2"), "not valid for '127.0.0.1'"), (authority.context(ends=-1), "certificate has expired")):
        with served(context) as mirror:
            said = refusal([tool(UPSTREAM)], store, mirror.url, str(authority.file), LOGIN)
            assert words in said
            assert said.endswith(f"It has to be of this date, and for the host that artifact_mirror names: correct that, or have it renewed; {again}")


# Images


class Asks(Upstream):
    """A registry that asks for the login itself, or sends to where tokens are given for it; layers lie elsewhere."""

    def __init__(self, server: Server, storage: Server, scheme: str) -> None:
        super().__init__(server, storage)
        self.scheme = scheme
        self.tokens = f"{server.url}/token"
        self.cuts: list[int] = []
        self.expires = False
        self.given = 0

    def publish(self) -> Artifact:
        self.packed[1] = self.layers[1]
        return super().publish()

    def answer(self, request: Request) -> Reply:
        path, _, _ = request.path.removeprefix("/a/prefix").partition("?")
        if path == "/token":
            self.given += request.headers["Authorization"] == BASIC
            return Reply(200, json.dumps({"token": f"pass{self.given}"}).encode()) if request.headers["Authorization"] == BASIC else Reply(401)
        wanted, challenge = BASIC, 'Basic realm="theirs"'
        if self.scheme == "Bearer":
            wanted, challenge = f"Bearer pass{self.given}", f'Bearer realm="{self.tokens}",service="registry.example"'
        if request.headers["Authorization"] != wanted:
            return Reply(401, headers={"WWW-Authenticate": challenge})
        if path not in self.files:
            return Reply(404)
        if "/blobs/" in path:
            return Reply(307, headers={"Location": self.storage.url + path})
        return Reply(body=self.files[path])

    def answer_of_storage(self, request: Request) -> Reply:
        reply = super().answer_of_storage(request)
        reply.headers["ETag"] = f'"{sha256(reply.body)}"'
        if asked := re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", "")):
            reply.headers["Content-Range"] = f"bytes {asked[1]}-{len(reply.body) - 1}/{len(reply.body)}"
            reply.status, reply.body = 206, reply.body[int(asked[1]) :]
        if len(reply.body) > 5000 and self.cuts:
            reply.length, reply.body = len(reply.body), reply.body[: self.cuts.pop(0)]
            if self.expires:
                self.given += 1
        return reply


@pytest.fixture(params=["Basic", "Bearer"])
def registry(request: pytest.FixtureRequest, server: Server) -> Iterator[Asks]:
    """One of each kind, with a large layer after a small one."""
    with served() as storage:
        made = Asks(server, storage, request.param)
        made.layers[1] = made.layers[1] + bytes(CONTENT)
        made.diff_ids[1] = f"sha256:{sha256(made.layers[1])}"
        yield made


def test_an_image_comes_by_the_login_which_only_the_registry_and_who_gives_its_tokens_are_told(registry: Asks, store: Store) -> None:
    artifact = registry.publish()
    obtain([artifact], store, f"{registry.server.url}/a/prefix", "", LOGIN)
    assert store.has(artifact)
    assert registry.storage.requests
    assert {request.headers["Authorization"] for request in registry.storage.requests} == {None}
    assert registry.server.requests[0].path.startswith("/a/prefix/v2/library/node/manifests/sha256:")


def test_a_registrys_refusals_are_those_of_the_mirror(registry: Asks, store: Store) -> None:
    artifact, url = registry.publish(), registry.server.url
    assert refusal([artifact], store, url, "", WRONG).startswith(f"artifact_mirror={url} does not take the login that the vault has for it: it answers 401")
    if registry.scheme == "Basic":
        assert refusal([artifact], store, url).startswith(f"artifact_mirror={url} asks for a login, and the vault has none for it: it answers 401")
    registry.files.clear()
    said = refusal([artifact], store, url, "", LOGIN)
    assert f"does not have {url}/v2/library/node: it answers 404 Not Found. Put there what is at upstream.example/library/node:20, or" in said


@pytest.mark.parametrize("expires", [False, True])
def test_a_layer_that_is_cut_off_goes_on_and_those_before_it_are_not_read_again(registry: Asks, store: Store, expires: bool) -> None:
    artifact = registry.publish()
    registry.expires = expires
    registry.cuts = [4000, *[0] * len(transfer.PAUSES)]
    with pytest.raises(ArtifactError, match="cut off 6 times"):
        obtain([artifact], store, registry.server.url, "", LOGIN)
    assert not store.has(artifact)
    registry.storage.requests.clear()
    registry.cuts = [3000]
    obtain([artifact], store, registry.server.url, "", LOGIN)
    assert store.has(artifact)
    layers = [request.headers["Range"] for request in registry.storage.requests if not request.path.endswith(registry.config)]
    assert layers == ["bytes=4000-", "bytes=7000-"]
    assert sorted(path.name for path in store.path.iterdir()) == [LOCK, "node"]


def test_the_login_is_not_told_where_others_could_read_it(authority: Authority, server: Server, store: Store) -> None:
    with served(authority.context()) as mirror:
        registry = Asks(mirror, server, "Bearer")
        registry.tokens = f"{server.url}/token"
        said = refusal([registry.publish()], store, mirror.url, str(authority.file), LOGIN)
    assert said.startswith(f"artifact_mirror={mirror.url} asks for the login at {server.url}/token, where others could read it; it was not told.")
    assert server.requests == []
