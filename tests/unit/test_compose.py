"""compose.yaml gives both services what the charts give them (as k8s/ shows it), and the database what its role gives it."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from role_variables import arguments

from ansible_collections.todochat.platform.plugins.module_utils import vault
from ansible_collections.todochat.platform.plugins.module_utils.images.local import local_name
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
APPLICATION = ("backend", "frontend")


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def rendered(name: str, kind: str) -> Any:
    """An object of a service as its chart makes it."""
    return read(f"k8s/{name}/{kind}.yaml")


def pod(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pod of a service, and its container."""
    spec = rendered(name, "deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    return spec, container


def kibibytes(amount: str) -> int:
    """Of 512Mi, as Kubernetes writes it, or 512m, as Compose does."""
    size, unit = re.fullmatch("([0-9]+)([kmg])i?", amount.lower()).groups()  # type: ignore[union-attr]
    return int(size) * 1024 ** "kmg".index(unit)


def tmpfs(service: dict[str, Any]) -> dict[str, int]:
    """The sizes of what is kept in memory, by folder."""
    return {entry.split(":")[0]: kibibytes(re.search(r"size=(\w+)", entry)[1]) for entry in service["tmpfs"]}  # type: ignore[index]


@pytest.mark.parametrize("name", APPLICATION)
def test_the_limits_are_the_charts(name: str) -> None:
    limits = pod(name)[1]["resources"]["limits"]
    assert float(SERVICES[name]["cpus"]) * 1000 == int(limits["cpu"].removesuffix("m"))
    assert kibibytes(SERVICES[name]["mem_limit"]) == kibibytes(limits["memory"])


@pytest.mark.parametrize("name", APPLICATION)
def test_the_environment_is_the_charts(name: str) -> None:
    others = {"PEERS"}  # there are none
    asked = {"PUBLIC_URL": "${TODOCHAT_PUBLIC_URL:-}"} if name == "frontend" else {}  # the chart has it where it is set
    assert SERVICES[name]["environment"] == {key: value for key, value in rendered(name, "configmap")["data"].items() if key not in others} | asked


@pytest.mark.parametrize("name", APPLICATION)
def test_its_health_is_asked_for_where_the_chart_asks_whether_it_is_ready(name: str) -> None:
    _, container = pod(name)
    asked = " ".join(SERVICES[name]["healthcheck"]["test"])
    port = next(port for port in container["ports"] if port["name"] == "http")
    assert container["readinessProbe"]["httpGet"]["path"] in re.findall(r"/health/\w+", asked)
    assert str(port["containerPort"]) in re.findall(r"\b\d{4,5}\b", asked)
    startup = container["startupProbe"]
    assert SERVICES[name]["healthcheck"]["start_period"] == f"{startup['failureThreshold'] * startup['periodSeconds']}s"


@pytest.mark.parametrize("name", APPLICATION)
def test_it_may_do_no_more_than_its_pod(name: str) -> None:
    spec, container = pod(name)
    service = SERVICES[name]
    assert service["user"] == f"{spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}"
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}
    assert {"cap_drop": ["ALL"], "read_only": True, "security_opt": ["no-new-privileges:true"]}.items() <= service.items()
    assert service["stop_grace_period"] == f"{spec['terminationGracePeriodSeconds']}s"


@pytest.mark.parametrize("name", APPLICATION)
def test_its_folders_are_its_pods(name: str) -> None:
    spec, container = pod(name)
    mounted = {mount["name"]: mount for mount in container["volumeMounts"]}
    in_memory = {mounted[volume["name"]]["mountPath"]: kibibytes(volume["emptyDir"]["sizeLimit"]) for volume in spec["volumes"] if "emptyDir" in volume}
    assert tmpfs(SERVICES[name]) == in_memory
    secrets = [f"secrets:{mount['mountPath']}:ro" for mount in mounted.values() if mount["name"] == "secrets"]
    assert SERVICES[name].get("volumes", []) == secrets


def test_the_migrations_run_as_in_the_pod_and_before_the_service() -> None:
    (migrations,) = pod("backend")[0]["initContainers"]
    assert SERVICES["migrations"]["command"] == migrations["command"]
    shared = COMPOSE["x-backend"].items()
    assert shared <= SERVICES["migrations"].items()
    assert shared <= SERVICES["backend"].items()
    assert SERVICES["backend"]["depends_on"] == {"migrations": {"condition": "service_completed_successfully"}}


def test_only_this_machine_reaches_it_and_only_the_frontend() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {"frontend": ["127.0.0.1:${TODOCHAT_PORT:-3000}:3000"]}
    assert SERVICES["frontend"]["environment"]["BACKEND_URL"] == f"http://backend:{rendered('backend', 'service')['spec']['ports'][0]['port']}"


def test_the_images_are_the_clusters() -> None:
    images = arguments(read("roles/app_images/tasks/main.yml")[0]["todochat.platform.app_images"])["images"]
    shared = read("group_vars/all/main.yml")
    for image in images:
        service = SERVICES[image["name"]]
        default = local_name(f"{shared['image_registry_endpoint']}/{shared['deployment_name']}/{image['name']}")
        assert service["image"].replace("${TODOCHAT_IMAGES:-todo}", shared["deployment_name"]) == default
        assert f"{{{{ app_images_source }}}}/{Path(service['build']).name}" == image["context"]
        assert service["pull_policy"] == "never"  # whoever listens at the registry's port, or on Docker Hub, cannot answer to it


def test_the_database_is_that_of_its_role() -> None:
    postgres, service, role = Lock(ROOT / "artifacts.lock.yml")["postgres"], SERVICES["database"], read("roles/database/vars/main.yml")
    assert service["image"] == re.sub("-[0-9a-f]+$", "", postgres.reference)
    assert service["build"] == {"dockerfile_inline": f"FROM {postgres.upstream_image}"}
    assert service["pull_policy"] == "never"  # nobody on Docker Hub is to answer to the store's name
    environment = {name: value for name, value in service["environment"].items() if name not in ("POSTGRES_DB", "POSTGRES_PASSWORD_FILE")}
    assert environment == {name: value for name, value in role["__database_env"].items() if name != "POSTGRES_PASSWORD_FILE"}
    assert service["healthcheck"]["test"] == role["__database_healthcheck"]["test"]
    (container,) = (
        task["community.docker.docker_container"] for task in read("roles/database/tasks/container.yml") if "community.docker.docker_container" in task
    )
    assert service["stop_grace_period"] == f"{container['stop_timeout']}s"
    assert service["shm_size"] == container["shm_size"].lower()
    confined = role["__database_confined"]
    assert {f"{{{{ __database_confined.{name} }}}}" for name in confined} <= {str(value) for value in container.values()}
    names = {"security_opt": "security_opts", "mem_limit": "memory", "pids_limit": "pids_limit"}
    assert {name: service[name] for name in names} == {name: confined[of_role] for name, of_role in names.items()}
    assert service["logging"] == {"driver": confined["log_driver"], "options": confined["log_options"]}
    assert {name: service[name] for name in ("read_only", "cap_drop", "tmpfs")} == {name: confined[name] for name in ("read_only", "cap_drop", "tmpfs")}


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_takes_all_of_the_machine(name: str) -> None:
    service = SERVICES[name]
    assert service.keys() >= {"mem_limit", "pids_limit"}
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


def test_what_runs_beside_the_cluster_may_little_and_takes_no_disk() -> None:
    for path in ("roles/database/tasks/container.yml", "roles/image_registry/tasks/main.yml"):
        (container,) = (arguments(task["community.docker.docker_container"]) for task in read(path) if "community.docker.docker_container" in task)
        assert container.keys() >= {"read_only", "cap_drop", "security_opts", "memory", "pids_limit", "log_driver", "log_options"}


def make_secrets(folder: Path) -> None:
    """What the service `secrets` runs, on another folder, where nobody but root could give files away."""
    *python, program = SERVICES["secrets"]["command"]
    assert python == ["python3", "-c"]
    owners = "import os; os.chown = lambda file, user, group: print(os.path.basename(file), user, group)\n"
    subprocess.run([sys.executable, "-c", owners + program.replace("/run/secrets/todochat", str(folder))], check=True)


def test_the_secrets_are_what_the_services_take_and_nobody_else_reads_them(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"database_password", "database_url", "jwt_keys"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o400}
    assert vault.text_problem((tmp_path / "database_password").read_text()) is None
    assert vault.url_problem((tmp_path / "database_url").read_text()) is None
    assert vault.jwt_keys_problem(json.loads((tmp_path / "jwt_keys").read_text())) is None
    assert (tmp_path / "database_password").read_text() in (tmp_path / "database_url").read_text()


def test_secrets_stay_and_a_start_that_was_broken_off_makes_them_anew(tmp_path: Path) -> None:
    def content() -> dict[str, str]:
        return {file.name: file.read_text() for file in tmp_path.iterdir()}

    make_secrets(tmp_path)
    first = content()
    make_secrets(tmp_path)
    assert content() == first
    (tmp_path / "jwt_keys").rename(tmp_path / ".jwt_keys")
    make_secrets(tmp_path)
    assert content().keys() == first.keys()
    assert not set(content().values()) & set(first.values())


def test_each_copys_secrets_are_its_own(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        make_secrets(tmp_path / name)
    assert os.listdir(tmp_path / "one") != []
    for file in (tmp_path / "one").iterdir():
        assert file.read_text() != (tmp_path / "other" / file.name).read_text()
