"""Bad input, really given on a fresh system: one message says what, which value and what to do, and nothing was touched.

The order matters: first without Docker, then with one that is too old, then with it, last with a database.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Tester
from stored import STORE, newest
from testinfra.host import Host

from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store

CONFIG = "/home/tester/.config/todochat"


def change(host: Host, command: str) -> None:
    """Give a command as root that must succeed."""
    result = host.run("bash -c %s", command)
    assert result.rc == 0, f"{command}: {result.stdout}{result.stderr}"


def refused(host: Host, arguments: str, *phrases: str, targets: tuple[str, ...] = ("up", "plan")) -> str:
    """`make up` fails with one message that says all this, `make plan` with the same, and the system stays as it was."""
    before = Tester(host).inventory()
    for target in targets:
        passed, output = Tester(host).make(target, arguments)
        assert not passed, output
        said = " ".join(output.replace("''", "'").split())
        assert [phrase for phrase in phrases if phrase not in said] == [], output
        assert "stand in the way" not in said, output
    assert Tester(host).inventory() ^ before == set()
    return output


def accepted(host: Host, arguments: str = "--tags preflight") -> None:
    passed, output = Tester(host).make("up", arguments)
    assert passed, output


@contextmanager
def meanwhile(host: Host, do: str, undo: str) -> Iterator[None]:
    """Something is wrong on the system, and afterwards no longer."""
    change(host, do)
    try:
        yield
    finally:
        change(host, undo)


def service(port: int) -> tuple[str, str]:
    start = f"systemd-run --quiet --unit=theirs python3 -m http.server {port} --bind 127.0.0.1"
    wait = f"timeout 20 bash -c 'until (: < /dev/tcp/127.0.0.1/{port}) 2> /dev/null; do sleep 0.1; done'"
    return f"{start} && {wait}", "systemctl stop theirs"


def test_the_fresh_system_is_accepted(host: Host) -> None:
    """Makes the environment and the vault's password, too, so that later runs have nothing of their own left to make."""
    accepted(host)
    assert not host.file(f"{CONFIG}/todo/vault.yml").exists


# Without Docker


def test_a_doctor_finds_nothing_before_anything_is_installed_and_installs_nothing(host: Host) -> None:
    before = Tester(host).inventory()
    passed, output = Tester(host).make("doctor")
    assert passed, output
    assert "Nothing stands in the way" in output
    assert Tester(host).inventory() ^ before == set()


@pytest.mark.parametrize(
    ("arguments", "phrases"),
    [
        ("-e minikube_cpus=64", ("minikube_cpus=64 asks for more cores than this machine has", "-e minikube_cpus=")),
        ("-e minikube_memory=9999999", ("minikube_memory=9999999 asks for more than this machine can give", "-e minikube_memory=")),
        ("-e minikube_memory=512", ("minikube_memory=512", "1800 or more")),
        (
            """-e '{"app_release_backend_values": {"autoscaling": {"maxReplicas": 9}}}'""",
            ("minikube_cpus=2 is too little for the pods of both services", "9 of backend with 0.2 each", "-e minikube_cpus=4 or more"),
        ),
        ("-e minikube_kubernetes_version=v1.33.1", ("minikube_kubernetes_version=v1.33.1 cannot be made", "Ask for v1.35.1")),
        ("-e deployment_frontend_port=8080", ("deployment_frontend_port=8080", "30000 to 32767")),
        ("-e deployment_name=To_Do", ("deployment_name=To_Do", "lower-case")),
        ("-e deployment_subnet=192.168.99.0/24", ("deployment_gateway=192.168.85.1", "outside deployment_subnet=192.168.99.0/24")),
        ("-e deployment_subnet=everything", ("deployment_subnet=everything", "192.168.85.0/24")),
        ("-e deployment_frontend_port=http", ("deployment_frontend_port=http is not a whole number",)),
        (
            "-e deployment_cache_dir=cache -e bundle_build_cache=/tmp -e ai_devops_holmes_directory=/tmp",
            ("artifact_store=cache/store, made with deployment_cache_dir, is not an absolute path",),
        ),
        ("-e image_registry_endpoint=localhost", ("image_registry_endpoint=localhost is not an address of this machine and a port, like 127.0.0.1:5000",)),
        ("-e container_engine_replace_older=perhaps", ("container_engine_replace_older=perhaps is not true or false",)),
        ("-e minikube_on_drift=mend", ("minikube_on_drift=mend is none of fail, recreate, ignore",)),
        ("-e minikube_memroy=4096", ("There is no variable minikube_memroy", "Write minikube_memory instead")),
        ("-e deployment_subnt=192.168.99.0/24", ("There is no variable deployment_subnt", "Write deployment_subnet instead")),
    ],
)
def test_values_that_fit_no_machine_or_not_this_one(host: Host, arguments: str, phrases: tuple[str, ...]) -> None:
    refused(host, arguments, *phrases)


def test_all_is_said_at_once(host: Host) -> None:
    before = Tester(host).inventory()
    passed, output = Tester(host).make("up", "-e minikube_cpus=64 -e deployment_frontend_port=8080")
    assert not passed
    said = " ".join(output.split())
    for phrase in ("2 things stand in the way", "1. deployment_frontend_port=8080", "2. minikube_cpus=64"):
        assert phrase in said, output
    assert Tester(host).inventory() == before


def test_a_store_on_a_small_disk(host: Host) -> None:
    with meanwhile(host, "mkdir /small && mount -t tmpfs -o size=64M tmpfs /small && chmod 777 /small", "umount /small && rmdir /small"):
        says = ("The file system /small has 0.1 GB free", "are needed", "-e artifact_store=", "Needed for /small/store")
        output = refused(host, "-e artifact_store=/small/store", *says)
        assert "/var/lib/docker" not in output.partition("Needed for")[2].splitlines()[0]


def test_a_small_disk_for_docker(host: Host) -> None:
    folder = "/var/lib/docker"
    with meanwhile(host, f"mkdir {folder} && mount -t tmpfs -o size=1G tmpfs {folder}", f"umount {folder} && rmdir {folder}"):
        refused(host, "", f"The file system {folder} has 1.0 GB free", "are needed")


@pytest.mark.parametrize(("port", "variable"), [(30000, "deployment_frontend_port"), (5000, "image_registry_endpoint")])
def test_a_port_that_another_program_has(host: Host, port: int, variable: str) -> None:
    with meanwhile(host, *service(port)):
        refused(host, "", f"Port {port} at 127.0.0.1, which {variable} asks for, is taken by the process python3 (", f"-e {variable}=")
        assert host.run(f"timeout 5 bash -c ': < /dev/tcp/127.0.0.1/{port}'").rc == 0


def test_another_distribution_without_docker(host: Host) -> None:
    other = r"printf 'ID=fedora\nVERSION_ID=43\nPRETTY_NAME=\"Fedora Linux 43\"\n' > /etc/os-release"
    with meanwhile(host, f"rm /etc/os-release && {other}", "ln --symbolic --force ../usr/lib/os-release /etc/os-release"):
        refused(host, "", "Fedora Linux 43", "docker.io", "Debian 12 and 13 only", "Install Docker 24 or newer")


def test_sources_that_cannot_be_reached(host: Host) -> None:
    archive = host.check_output("grep --only-matching --max-count 1 --extended-regexp 'https?://[^/ ]+' /etc/apt/sources.list")
    with meanwhile(host, "ip route save default > /root/route && ip route del default", "ip route restore < /root/route"):
        refused(host, "", "Debian's archive cannot be reached from this machine", f"Debian's archive: {archive}: ")
        says = ("pip's index and Debian's archive", "cannot be reached from this machine", "pip's index: http", f"Debian's archive: {archive}: ", "upstream: https://")
        refused(host, "-e artifact_store=/home/tester/empty", *says, targets=("bundle",))
    accepted(host)


# With a Docker that is too old


def test_debian_12s_own_docker_is_refused_and_stays(host: Host) -> None:
    change(host, "apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends docker.io")
    refused(host, "", "Docker 20.10.", "is installed, and 24 or newer is needed", "-e container_engine_replace_older=true")
    assert host.package("docker.io").version.startswith("20.10.")


# With Docker


@pytest.fixture(scope="module")
def docker(host: Host) -> None:
    """Docker is installed, with an image to make containers of; an older one was replaced."""
    accepted(host, "--tags container_engine -e container_engine_replace_older=true")
    change(host, f"docker load --quiet --input {newest('pause')}")


PAUSE = "$(docker image ls --format '{{.Repository}}:{{.Tag}}' | grep pause)"


@pytest.mark.usefixtures("docker")
def test_the_older_docker_was_replaced_whole(host: Host) -> None:
    assert int(host.check_output("docker version --format '{{.Server.Version}}'").split(".")[0]) >= 24
    assert host.check_output("dpkg --audit") == ""


@pytest.mark.usefixtures("docker")
@pytest.mark.parametrize("name", ["todo", "todo-registry", "todo-database"])
def test_a_container_of_our_name_that_is_somebody_elses(host: Host, name: str) -> None:
    with meanwhile(host, f"docker create --name {name} {PAUSE}", f"docker rm {name}"):
        refused(host, "", f"A container named {name} exists that this deployment did not make", "another deployment_name than todo")


@pytest.mark.usefixtures("docker")
def test_a_minikube_profile_of_our_name_that_is_somebody_elses(host: Host) -> None:
    with meanwhile(host, f"docker create --name todo --label name.minikube.sigs.k8s.io=todo {PAUSE}", "docker rm todo"):
        refused(host, "", "A container named todo exists that this deployment did not make, a minikube profile", "it was not touched")


@pytest.mark.usefixtures("docker")
def test_a_network_of_our_name_that_is_somebody_elses(host: Host) -> None:
    with meanwhile(host, "docker network create --subnet 192.168.85.0/24 todo", "docker network rm todo"):
        refused(host, "", "A Docker network named todo exists that this deployment did not make")


@pytest.mark.usefixtures("docker")
def test_a_subnet_that_is_in_use(host: Host) -> None:
    with meanwhile(host, "docker network create --subnet 192.168.85.128/25 theirs", "docker network rm theirs"):
        refused(host, "", "deployment_subnet=192.168.85.0/24 overlaps the Docker network theirs (192.168.85.128/25)", "-e deployment_subnet=")
    with meanwhile(host, "ip route add 192.168.85.64/26 dev eth0", "ip route del 192.168.85.64/26"):
        refused(host, "", "deployment_subnet=192.168.85.0/24 overlaps a route of this machine (192.168.85.64/26)")


@pytest.mark.usefixtures("docker")
def test_a_port_that_a_container_of_somebody_else_has(host: Host) -> None:
    with meanwhile(host, f"docker run --detach --name theirs --publish 5000:5000 {PAUSE}", "docker rm --force theirs"):
        refused(host, "", "Port 5000 at 127.0.0.1, which image_registry_endpoint asks for, is taken by the container theirs")


@pytest.mark.usefixtures("docker")
def test_an_engine_with_user_namespaces(host: Host) -> None:
    remap = """echo '{"userns-remap": "default"}' > /etc/docker/daemon.json && systemctl restart docker"""
    with meanwhile(host, f"mkdir --parents /etc/docker && {remap}", "rm /etc/docker/daemon.json && systemctl restart docker"):
        refused(host, "", "Docker runs with userns-remap", "daemon.json")


@pytest.mark.usefixtures("docker")
def test_an_engine_without_a_needed_capability(host: Host) -> None:
    folder = "/etc/systemd/system/docker.service.d"
    restart = "systemctl daemon-reload && systemctl restart docker"
    bound = rf"mkdir {folder} && printf '[Service]\nCapabilityBoundingSet=~CAP_MKNOD\n' > {folder}/bound.conf && {restart}"
    with meanwhile(host, bound, f"rm -r {folder} && {restart}"):
        refused(host, "", "Docker runs without CAP_MKNOD, which a cluster's node needs")
    accepted(host)


@pytest.mark.usefixtures("docker")
def test_a_damaged_artifact_is_never_used(host: Host) -> None:
    store = "/home/tester/damaged"
    file = Store(Path(store)).file(Lock(Path(__file__).parents[3] / "artifacts.lock.yml")["helm"])  # the shared store may hold older ones, too
    flip = f"f={file}; b=$(od -An -tu1 -j1000 -N1 $f); printf \"\\\\$(printf %o $((255 - b)))\" | dd of=$f bs=1 seek=1000 conv=notrunc status=none"
    tools = "kubectl helm minikube"
    # with all else there as well, no room is needed to make it
    copy = f"mkdir {store} && cd {store} && ln -s {STORE}/* . && rm {tools} && (cd {STORE} && cp -r --preserve {tools} {store}) && chown -R tester: {store}"
    with meanwhile(host, f"{copy} && {flip}", f"rm -r {store}"):
        expected = host.check_output(f"sed -n 's/.*\"sha256\": \"\\(.*\\)\".*/\\1/p' {file.parent}/record.json")
        actual = host.check_output(f"sha256sum {file}").split()[0]
        passed, output = Tester(host).make("up", f"--tags kubernetes_tools -e artifact_store={store}")
        said = " ".join(output.split())
        assert not passed, output
        for phrase in (str(file), "is damaged", expected, actual, "Remove"):
            assert phrase in said, output
    assert not host.file("/opt/todochat/bin/helm").exists


# The vault


@pytest.fixture(scope="module")
def vault(host: Host) -> str:
    """There is a vault; its path."""
    accepted(host, "--tags vault")
    return f"{CONFIG}/todo/vault.yml"


def edited(vault: str, script: str) -> tuple[str, str]:
    """The vault after a sed script, encrypted with the same password; and as it was."""
    program = "~/todochat/.venv/bin/ansible-vault"
    edit = f"cd todochat && {program} decrypt {vault} && sed --in-place {shlex.quote(script)} {vault} && {program} encrypt {vault}"
    return f"cp --preserve {vault} {vault}.kept && su --login tester --command {shlex.quote(edit)}", f"mv {vault}.kept {vault}"


def gone(path: str) -> tuple[str, str]:
    return f"mv {path} {path}.kept", f"mv {path}.kept {path}"


def test_a_wrong_vault_password(host: Host, vault: str) -> None:
    password = f"{CONFIG}/vault-password"
    wrong = f"cp --preserve {password} {password}.kept && echo somebody-elses > {password}"
    with meanwhile(host, wrong, f"mv {password}.kept {password}"):
        refused(host, "", f"The vault {vault} does not open with the vault password in force", "scripts/vault-password")


def test_a_missing_vault_password(host: Host, vault: str) -> None:
    password = f"{CONFIG}/vault-password"
    with meanwhile(host, *gone(password)):
        refused(host, "", f"There is no vault password at {password}, but {vault} was encrypted with one", "ANSIBLE_VAULT_PASSWORD_FILE")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("/^vault_checksum_key/d", "vault_checksum_key is missing"),
        ("$a vault_colour: green-as-the-grass", "vault_colour is not known"),
        ("s/^vault_database_password: .*/vault_database_password: <password>/", "vault_database_password is empty or a placeholder"),
    ],
)
def test_a_vault_that_is_not_complete(host: Host, vault: str, script: str, says: str) -> None:
    with meanwhile(host, *edited(vault, script)):
        refused(host, "", f"The vault {vault} does not fit", says, "ansible-vault edit")


# The vault and the database


@pytest.fixture(scope="module")
def database(host: Host, vault: str) -> str:
    """There is a database that belongs to the vault; the vault's path."""
    accepted(host, "--tags container_engine,network,database")
    return vault


def test_data_without_its_vault(host: Host, database: str) -> None:
    with meanwhile(host, *gone(database)):
        refused(host, "", "There is data in the volume todo-database, but not the vault that holds its password", "Put the vault back")
    accepted(host)


def test_another_vault_than_the_databases(host: Host, database: str) -> None:
    with meanwhile(host, *edited(database, "s/^vault_database_password: .*/vault_database_password: another-password-than-that/")):
        said = ("The database todo-database holds data whose login todo_app has another password", "Put the vault back", "-e database_reset_password=true")
        refused(host, "", *said)
        accepted(host, "--tags preflight -e database_reset_password=true")
    accepted(host)
