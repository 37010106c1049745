"""A real PostgreSQL for every test, and the application on it."""

import asyncio
import base64
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from todo_backend.app import create_app
from todo_backend.migrate import migrate
from todo_backend.settings import JwtKeys, Secrets, Settings

PASSWORD = "correct horse"


def new_key() -> str:
    """Return a random signing key, base64url."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")


def new_ring() -> JwtKeys:
    """Return a ring of one key, `first`."""
    return JwtKeys.model_validate({"active": "first", "keys": {"first": new_key()}})


def pytest_configure(config: pytest.Config) -> None:
    """Ask for coverage where the whole suite runs, and not of a part of it."""
    coverage = config.pluginmanager.getplugin("_cov")
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.keyword
    if coverage is not None and not whole:
        coverage.options.cov_fail_under, coverage.options.cov_report = None, {}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, as in production."""
    return "asyncio"


@pytest.fixture(scope="session")
def server_url() -> URL:
    """A PostgreSQL server on which databases may be created: TEST_DATABASE_URL, or the mounted secret."""
    given = os.environ.get("TEST_DATABASE_URL")
    mounted = Path(os.environ.get("TODO_SECRETS_DIR", "/run/secrets/todochat"), "database_url")
    if given is None and mounted.is_file():
        given = mounted.read_text().strip()
    if given is None:
        pytest.exit("Set TEST_DATABASE_URL to a PostgreSQL server on which databases may be created.", returncode=2)
    return make_url(given).set(drivername="postgresql+psycopg")


@pytest.fixture(scope="session")
def new_database(server_url: URL) -> Iterator[Callable[[], URL]]:
    """Make empty databases; they are dropped at the end."""
    made: list[str] = []
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")

    def make() -> URL:
        made.append(f"todo_test_{uuid.uuid4().hex}")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {made[-1]}"))
        return server_url.set(database=made[-1])

    yield make
    with admin.connect() as connection:
        for name in made:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(scope="session")
def migrated_database(new_database: Callable[[], URL]) -> Callable[[], URL]:
    """Make databases at the newest revision."""

    def make() -> URL:
        url = new_database()
        migrate(url, wait_seconds=0)
        return url

    return make


@pytest.fixture(scope="session")
def database_url(migrated_database: Callable[[], URL]) -> URL:
    """One database for all tests; each test uses accounts of its own."""
    return migrated_database()


def in_database(url: URL, statement: str, **values: object) -> list[Any]:
    """Do something to the database itself. Its rows are what the statement returns."""
    engine = create_engine(url)
    with engine.begin() as connection:
        done = connection.execute(text(statement), values)
        rows = list(done) if done.returns_rows else []
    engine.dispose()
    return rows


CROWDED = {"sign_ups_per_minute": 10**6, "wrong_passwords_per_minute": 10**6}
"""All tests together are more people than the ceilings of one service are for."""


@asynccontextmanager
async def serving(
    url: URL, ring: JwtKeys | None = None, *, model_api_key: str = "", **settings: object
) -> AsyncIterator[httpx.AsyncClient]:
    """Run the application and yield a client for it."""
    app = create_app(
        Settings.model_validate(CROWDED | settings),
        Secrets.model_validate(
            {
                "database_url": plain(url),
                "jwt_keys": ring or new_ring(),
                "model_api_key": model_api_key,
            }
        ),
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api") as client,
    ):
        yield client


@pytest.fixture
async def client(database_url: URL) -> AsyncIterator[httpx.AsyncClient]:
    """The application with its default settings."""
    async with serving(database_url) as running:
        yield running


@dataclass
class Person:
    """Somebody with an account, logged in."""

    client: httpx.AsyncClient
    id: str
    email: str
    token: str

    async def request(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send a request under /api/v1 in this person's name."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is None:
            return await self.client.request(method, f"/api/v1{path}", headers=headers)
        headers["Content-Type"] = "application/json"  # json.dumps, because httpx would refuse half characters
        return await self.client.request(method, f"/api/v1{path}", headers=headers, content=json.dumps(body))

    async def add(self, title: str) -> dict[str, Any]:
        """Add a todo and return it."""
        response = await self.request("POST", "/todos", {"title": title})
        assert response.status_code == 201, response.text
        todo: dict[str, Any] = response.json()
        return todo

    async def titles(self) -> list[str]:
        """Return the titles of this person's todos."""
        return [todo["title"] for todo in (await self.request("GET", "/todos")).json()]

    async def say(self, message: str) -> str:
        """Tell the assistant something and return the reply."""
        response = await self.request("POST", "/chat", {"message": message})
        assert response.status_code == 200, response.text
        reply: str = response.json()["reply"]
        return reply


async def sign_up(client: httpx.AsyncClient) -> Person:
    """Open a new account."""
    email = f"acceptance+{uuid.uuid4().hex}@todochat.example"
    response = await client.post("/api/v1/auth/signup", json={"email": email, "password": PASSWORD})
    assert response.status_code == 201, response.text
    return Person(client, response.json()["user"]["id"], email, response.json()["access_token"])


@pytest.fixture
async def ann(client: httpx.AsyncClient) -> Person:
    """Somebody."""
    return await sign_up(client)


@pytest.fixture
async def bob(client: httpx.AsyncClient) -> Person:
    """Somebody else."""
    return await sign_up(client)


def plain(url: URL) -> str:
    """Return the address as a secret has it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def write_secrets(folder: Path, url: URL) -> None:
    """Write the secrets as Kubernetes mounts them."""
    (folder / "database_url").write_text(plain(url) + "\n")
    (folder / "jwt_keys").write_text(json.dumps({"active": "k", "keys": {"k": new_key()}}))


def process_environment(secrets_dir: Path, settings: dict[str, str]) -> dict[str, str]:
    """Return the environment in which `python -m todo_backend...` runs as in a pod."""
    return {
        **os.environ,
        "TODO_METRICS_PORT": "0",  # one port for all that run at once
        **settings,
        "TODO_SECRETS_DIR": str(secrets_dir),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }


@pytest.fixture
def secrets_dir(tmp_path: Path, database_url: URL) -> Path:
    """A folder with the secrets for the tests' database."""
    write_secrets(tmp_path, database_url)
    return tmp_path


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def unused_ports() -> tuple[int, int]:
    """Two ports of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture
def unused_port(unused_ports: tuple[int, int]) -> int:
    """A port of 127.0.0.1 that nobody listens on just now."""
    return unused_ports[0]


@contextmanager
def served(secrets_dir: Path, **settings: object) -> Iterator[str]:
    """Run the service as a process and yield its address."""
    port = free_port()
    serve = {"TODO_HOST": "127.0.0.1", "TODO_PORT": port, "TODO_METRICS_PORT": 0, "TODO_DRAIN_SECONDS": 0}
    given = {f"TODO_{name.upper()}": value for name, value in settings.items()}
    environment = process_environment(secrets_dir, {name: str(value) for name, value in {**serve, **given}.items()})
    with subprocess.Popen([sys.executable, "-m", "todo_backend"], env=environment) as process:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as probe:
                wait_for(probe, "/health/ready")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(client: httpx.Client, path: str) -> None:
    """Wait until a process that starts answers 200."""
    deadline = time.monotonic() + 30
    while True:
        try:
            if client.get(path).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, f"{path} did not answer within 30 s"
        time.sleep(0.1)


class Cable:
    """A TCP connection to the database that a test can cut and mend."""

    def __init__(self, target: URL) -> None:
        self._target = (target.host or "127.0.0.1", target.port or 5432)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._port = 0

    @property
    def port(self) -> int:
        """Where the cable's near end listens, on 127.0.0.1."""
        return self._port

    async def mend(self) -> None:
        """Let traffic through."""
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break what is open and refuse what comes."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _join(self, near: asyncio.StreamReader, near_end: asyncio.StreamWriter) -> None:
        far, far_end = await asyncio.open_connection(*self._target)
        ends = {near_end, far_end}
        self._writers |= ends
        try:
            await asyncio.gather(self._pump(near, far_end), self._pump(far, near_end))
        finally:
            self._writers -= ends

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()


@pytest.fixture
async def cable(server_url: URL) -> AsyncIterator[Cable]:
    """A mended cable to the database server."""
    cable = Cable(server_url)
    await cable.mend()
    yield cable
    await cable.cut()
