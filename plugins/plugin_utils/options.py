"""Which values the roles' options take, beyond what an argument specification can say, and what is wrong with those given.

A specification is looked at only when its role begins, after others have changed things, and takes any text for a string. Here
all are looked at before the first one. Pure, but for the lock files and source folders that options name.
"""

from __future__ import annotations

import difflib
import importlib.util
import ipaddress
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.todochat.platform.plugins.module_utils import vault
from ansible_collections.todochat.platform.plugins.module_utils.base import database_url
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.preflight.problems import LEAST_CORES, LEAST_MEMORY, NODE_PORTS
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.transfer import login_in, login_in_address

COLLECTION = Path(__file__).resolve().parents[2]
DEPLOYMENT = "deployment"
"""The first word of what the roles of a deployment share."""
MODULES_IMPORT = ("bcrypt", "docker", "yaml")
SHOWN = 100
"""Characters of a value that are repeated in a message."""
TYPES = {
    "bool": "true or false",
    "dict": "a mapping",
    "int": "a whole number",
    "list": "a list",
    "path": "a path",
    "str": "a text",
}
# What role preflight says itself, together with what it finds on the machine.
PREFLIGHTS_OWN = {"deployment_name", "deployment_frontend_port", "deployment_subnet", "minikube_cpus", "minikube_memory", "minikube_nodes"}

# What has to be in the lock file that another option names.
LOCKED = {"artifact_names": "artifact_lock", "artifact_optional_names": "artifact_lock", "kubernetes_tools_names": "kubernetes_tools_lock"}

REFERENCE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
NAME = re.compile(r"\b[a-z_]\w*", re.IGNORECASE)


@dataclass(frozen=True)
class Kind:
    """The values that an option takes; of a list, each element."""

    takes: str
    fits: Callable[[Any], Any]


def text(pattern: str) -> Callable[[Any], bool]:
    return lambda value: re.fullmatch(pattern, value) is not None


def between(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: least <= value <= most


def either(*fits: Callable[[Any], Any]) -> Callable[[Any], bool]:
    return lambda value: any(fit(value) for fit in fits)


def is_empty(value: Any) -> bool:
    return bool(value == "")


def parses(parse: Callable[[str], Any], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


def is_path(value: str) -> bool:
    return value.startswith(("/", "~")) and value.isprintable()


def is_port(value: str) -> bool:
    return value.isdecimal() and 0 < int(value) < 1 << 16


def is_endpoint(value: str) -> bool:
    """An address of this machine and a port."""
    address, _unused, port = value.rpartition(":")
    return is_address(address) and is_port(port)


def is_host_and_port(value: str) -> bool:
    host, _unused, port = value.rpartition(":")
    return is_host(host) and is_port(port)


def is_published(value: str) -> bool:
    """[address:]port:port[/protocol]"""
    matched = re.fullmatch(r"(?:([\d.]+):)?(\d+):(\d+)(?:/(?:tcp|udp|sctp))?", value)
    return matched is not None and is_port(matched[2]) and is_port(matched[3]) and (matched[1] is None or is_address(matched[1]))


def is_cidr(value: str) -> bool:
    return "/" in value and parses(ipaddress.ip_network, value)


def has_services(value: str) -> bool:
    return is_path(value) and all((Path(value).expanduser() / name).is_dir() for name in ("backend", "frontend"))


def is_lock(value: str) -> bool:
    return is_path(value) and Path(value).expanduser().is_file()


def leaves_room(value: str) -> bool:
    """Minikube gives its node the address after the gateway's, and counts up to 253."""
    return is_address(value) and int(value.rpartition(".")[2]) < 253


def is_base_url(value: str) -> bool:
    """One that can be gone on with: no login, query or fragment."""
    matched = re.fullmatch(r"https?://(?:\[[0-9a-fA-F:.]+\]|[^\s/:@?#\[\]]+)(?::(\d+))?(?:/[^\s?#]*)?", value)
    return matched is not None and (matched[1] is None or is_port(matched[1]))


is_address = partial(parses, ipaddress.IPv4Address)
is_subnet = partial(parses, ipaddress.IPv4Network)
is_host = text(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
is_url = text(r"https?://[^\s/:]+(:\d+)?(/\S*)?")
# Whatever the system, or a directory, takes: john.doe, JDoe, jdoe@corp.example, CORP\\jdoe.
is_user = text(r"(?!root$)[^\s:/,*+~-][^\s:/,*]{0,255}")
is_docker_name = text(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}")

PATH = Kind("an absolute path", is_path)
PROGRAM = Kind("a program, by its absolute path or its name", either(is_path, text(r"[\w.-]+")))
LOCK = Kind("an existing lock file, by its absolute path", is_lock)
SERVICES = Kind("an existing folder with sub-folders backend and frontend, by its absolute path", has_services)
LABEL = Kind("up to 63 lower-case letters, digits and hyphens, with no hyphen at either end", text(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"))
DOCKER_NAME = Kind("a name that Docker takes: letters, digits, dots, hyphens and underscores, two or more", is_docker_name)
DOCKER_NAME_OR_NONE = Kind("a name that Docker takes, nor empty for an external database", either(is_empty, is_docker_name))
REPOSITORY = Kind("the repository of an image: lower-case words, like todo or team/todo", text(r"[a-z0-9]+([._/-][a-z0-9]+)*"))
ARTIFACT = Kind("a list of artifacts' names", text(r"[a-z0-9]+(-[a-z0-9]+)*"))
ENDPOINT = Kind("an address of this machine and a port, like 127.0.0.1:5000", is_endpoint)
REGISTRY = Kind("a host, with a port where it is not 443, like registry.example.org", either(is_host, is_host_and_port))
LOGIN = Kind("like name:password", either(is_empty, lambda value: vault.name_and_password_problem(value) is None))
FILE_OR_NONE = Kind("the absolute path of a file", either(is_empty, is_lock))
CONTEXT = Kind("the name of a context, without spaces; empty for the current one", text(r"\S*"))
HOST_AND_PORT = Kind("a host and a port, like 127.0.0.1:5000", is_host_and_port)
ADDRESS = Kind("an IPv4 address, like 192.168.85.250", is_address)
GATEWAY = Kind("an IPv4 address that ends in 252 at most, as the node gets the next one", leaves_room)
SUBNET = Kind("a subnet in CIDR notation, like 192.168.85.0/24", is_subnet)
PUBLISHED = Kind("a list of ports as docker run publishes them, like 127.0.0.1:30000:30000", is_published)
NODE_PORT = Kind(f"a port that Kubernetes publishes, {NODE_PORTS[0]} to {NODE_PORTS[-1]}", between(NODE_PORTS[0], NODE_PORTS[-1]))
CPUS = Kind(f"a number of CPUs, {LEAST_CORES} or more", between(LEAST_CORES, 1 << 10))
NODES = Kind("a number of nodes, 1 to 99", between(1, 99))
MEMORY = Kind(f"memory in MiB, {LEAST_MEMORY} or more", between(LEAST_MEMORY, 1 << 24))
SECONDS = Kind("a number of seconds, 1 to 86400", between(1, 86400))
URL = Kind("a URL, like http://127.0.0.1:30000", is_url)
MIRROR = Kind("a base URL, like https://mirror.example:8443/todochat, or the absolute path of a folder", either(is_empty, is_base_url, is_path))
VERSION = Kind("a version like v1.35.1", text(r"v\d+\.\d+\.\d+"))
USER = Kind("the name of an ordinary user", is_user)
USERS = Kind("a list of ordinary users' names", is_user)
IDENTIFIER = Kind("a name of lower-case letters, digits and underscores, up to 63, that begins with a letter", text(r"[a-z][a-z0-9_]{0,62}"))
PASSWORD = Kind("a password in printable ASCII", text(r"[ -~]*"))
# Its password is empty until the vault is made.
DATABASE_URL = Kind("like postgresql://user:password@host:5432/database", either(is_empty, partial(parses, database_url.parameters)))
MODEL = Kind("a language model's name, like openai/gpt-oss-120b", text(r"[!-~]*"))
MODEL_URL = Kind("an endpoint, like https://api.groq.com/openai/v1", is_base_url)
TOKENS = Kind("a number of tokens, 0 or more", between(0, 1 << 53))
SECRETS = Kind("a list of Secrets' names", text(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"))
CIDRS = Kind("a list of addresses in CIDR notation, like 10.0.0.7/32", is_cidr)
KEY = Kind("a key of 16 or more printable characters", either(is_empty, lambda value: vault.text_problem(value) is None))
KEY_RING = Kind("a mapping of active and keys, as role app_secrets documents it", lambda value: not value or vault.jwt_keys_problem(value) is None)
VALUES = Kind("a mapping of the chart's values", lambda value: all(isinstance(name, str) for name in value))
COMPONENTS = Kind("a list of artifacts that role artifact found", lambda value: ARTIFACT.fits(value["name"]))

# By the option's name; the first pattern that matches as a whole counts.
KINDS: tuple[tuple[str, Kind], ...] = (
    (r"app_secrets_kubectl", PROGRAM),
    (r"app_check_database_container", DOCKER_NAME_OR_NONE),
    (r"network_name|.*_network|image_registry_name|database_name|.*_registry_container", DOCKER_NAME),
    (r".*_context", CONTEXT),
    (r".*_(namespace|profile)", LABEL),
    (r".*_repository", REPOSITORY),
    (r".*_names", ARTIFACT),
    (r"bundle_components", COMPONENTS),
    (r".*_endpoint", ENDPOINT),
    (r"(existing_cluster|app_secrets)_registry", REGISTRY),
    (r"(existing_cluster|app_secrets)_registry_login|artifact_mirror_login", LOGIN),
    (r"existing_cluster_registry_ca|artifact_mirror_ca", FILE_OR_NONE),
    (r"(app_images|app_release|app_check)_registry", REGISTRY),
    (r"minikube_registry_address|.*_registry", HOST_AND_PORT),
    (r".*_gateway", GATEWAY),
    (r".*_address", ADDRESS),
    (r".*_subnet", SUBNET),
    (r".*_ports", PUBLISHED),
    (r".*_node_port", NODE_PORT),
    (r".*_cpus", CPUS),
    (r".*_memory", MEMORY),
    (r".*_nodes", NODES),
    (r".*_timeout", SECONDS),
    (r"(app_(secrets|release)_database|database)_url", DATABASE_URL),
    (r"app_release_model_url", MODEL_URL),
    (r".*_model_(name|fallback)", MODEL),
    (r".*_model_tokens(_per_user)?", TOKENS),
    (r".*_cidrs", CIDRS),
    (r".*_pull_secrets", SECRETS),
    (r".*_url", URL),
    (r"artifact_mirror", MIRROR),
    (r".*_version", VERSION),
    (r".*_user", USER),
    (r".*_users", USERS),
    (r"database_database|app_check_database|.*_(owner|login)", IDENTIFIER),
    (r"database_password", PASSWORD),
    (r".*_(checksum|api)_key", KEY),
    (r".*_jwt_keys", KEY_RING),
    (r"(app_release|existing_cluster)_\w+_values", VALUES),
    (r"app_images_source|app_release_charts|existing_cluster_charts", SERVICES),
    (r".*_lock", LOCK),
    (r".*_(kubectl|helm|executable|kubeconfig|store|home|directory|links|build_cache)", PATH),
)


def kind_of(option: str) -> Kind | None:
    return next((kind for pattern, kind in KINDS if re.fullmatch(pattern, option)), None)


@cache
def specification(role: str) -> dict[str, Any]:
    """A role's argument specification."""
    file = COLLECTION / "roles" / role / "meta/argument_specs.yml"
    found: dict[str, Any] = yaml.load(file.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # plain YAML, read before each run
    return dict(found["argument_specs"]["main"])


def specifications() -> dict[str, dict[str, dict[str, Any]]]:
    """The options of each role of this collection."""
    roles = sorted(file.parents[1].name for file in COLLECTION.glob("roles/*/meta/argument_specs.yml"))
    return {role: specification(role)["options"] for role in roles}


def defaults(roles: Mapping[str, Mapping[str, Mapping[str, Any]]], template: Callable[[str], str]) -> dict[str, Any]:
    """All defaults, as a role would see them; ``template`` lets a text be filled in."""
    found = {name: option["default"] for options in roles.values() for name, option in options.items()}
    # any role's: each goes up from it to the collection
    return {"role_path": str(COLLECTION / "roles/preflight")} | {name: template(value) if isinstance(value, str) else value for name, value in found.items()}


@dataclass(frozen=True)
class Variables:
    """What the play's variables are before they are filled in, and how one is."""

    raw: Mapping[str, Any]
    fill_in: Callable[[str], Any]

    def value(self, name: str) -> Any:
        """What a variable is, None where it is not given or cannot be filled in."""
        try:
            return self.fill_in(name) if name in self.raw else None
        except AnsibleError:
            return None

    def origin(self, name: str) -> str:
        """The variable that an option repeats, directly or not: the one somebody sets."""
        seen = {name}
        while isinstance(self.raw.get(name), str) and (matched := REFERENCE.fullmatch(self.raw[name].strip())):
            if matched[1] in seen or matched[1] not in self.raw:
                break
            name = matched[1]
            seen.add(name)
        return name

    def parts(self, name: str) -> list[str]:
        """The variables that this one is made with."""
        content = self.raw[name] if isinstance(self.raw[name], str | list | dict) else ""
        found = (word for expression in EXPRESSION.findall(str(content)) for word in NAME.findall(expression))
        return list(dict.fromkeys(word for word in found if word in self.raw and word != name))

    def all_parts(self, name: str) -> set[str]:
        """And those that they are made with in turn."""
        found: set[str] = set()
        waiting = self.parts(name)
        while waiting:
            part = waiting.pop()
            if part not in found:
                found.add(part)
                waiting += self.parts(part)
        return found


def problems(
    variables: Variables, roles: Mapping[str, Mapping[str, Mapping[str, Any]]], shared: Iterable[str] = (), before_preflight: bool = False
) -> list[UserError]:
    """What does not fit, each once and by the variable that somebody gave; ``shared`` are known variables beside the options."""
    faults: dict[str, UserError | None] = {}
    for name, option in ((name, option) for options in roles.values() for name, option in options.items()):
        if name in variables.raw and variables.raw[name] != option.get("default"):
            origin = variables.origin(name)
            # of several options that repeat one, its own words count
            if (origin == name or origin not in faults) and (fault := fault_of(name, origin, option, variables)):
                faults[origin] = fault
    if before_preflight:
        for origin in PREFLIGHTS_OWN & set(faults):
            if not isinstance(faults[origin], WrongTypeError):
                faults[origin] = None  # said by preflight; what is made with it is not at fault either
    misnamed = list(unknown(variables.raw, roles, list(shared)))
    return misnamed + [fault for origin, fault in faults.items() if fault and not variables.all_parts(origin) & set(faults)]


class WrongTypeError(UserError):
    """A value that not even role preflight could look at."""


def fault_of(name: str, origin: str, option: Mapping[str, Any], variables: Variables) -> UserError | None:
    """What is wrong with an option's value."""
    hidden = option.get("no_log", False)
    remedy = f"Give {origin} such a value, or leave it out."
    try:
        value = variables.fill_in(name)
    except AnsibleError as error:
        why = "" if hidden else f": {error}"
        return WrongTypeError(f"{origin}={shown(variables.raw[origin], hidden)} cannot be filled in{why}", f"Give {origin} a value without what is not known.")
    made = variables.parts(origin)
    given = f"{origin}={shown(value, hidden)}" + (f", made with {' and '.join(made)}," if made else "")
    if option["type"] in ("str", "path") and not isinstance(value, str | int | float):
        return WrongTypeError(f"{given} is not {TYPES[option['type']]}", remedy)
    checked = ArgumentSpecValidator({name: dict(option)}).validate({name: value})
    if checked.error_messages:
        if "choices" in option:
            return WrongTypeError(f"{given} is none of {', '.join(option['choices'])}", f"Give {origin} one of them, or leave it out.")
        # Ansible's own words repeat the value.
        inner = f" as asked: {'; '.join(checked.error_messages)}" if isinstance(value, list | dict) and option["type"] in ("list", "dict") else ""
        return WrongTypeError(f"{given} is not {TYPES[option['type']]}{'' if hidden else inner}", remedy)
    value = checked.validated_parameters[name]
    if name == "artifact_mirror" and login_in(value):
        return login_in_address(origin)
    kind = kind_of(name)
    if kind and value != option.get("default") and not all(kind.fits(each) for each in elements(value)):
        return UserError(f"{given} is not {kind.takes}", remedy)
    if name == "artifact_source" and value == "mirror" and not variables.value("artifact_mirror"):
        return UserError(f"{given} needs artifact_mirror, which is empty", "Name a base URL or folder that keeps upstream's paths in artifact_mirror.")
    return not_in_lock(given, value, variables.value(LOCKED[name])) if name in LOCKED else None


def not_in_lock(given: str, value: Any, lock: Any) -> UserError | None:
    """The names that the lock file does not have. Kubernetes' version is looked at where a cluster is to be made of it."""
    path = Path(str(lock)).expanduser() if lock else COLLECTION / "artifacts.lock.yml"
    if not path.is_file():
        return None  # said of the lock file itself
    try:
        held = Lock(path)
    except UserError as error:
        return error
    missing = [name for name in value if name not in held.artifacts]
    known = ", ".join(held.artifacts)
    return UserError(f"{given} names {', '.join(missing)}, which the lock file {path} does not have", f"Name some of these: {known}.") if missing else None


def elements(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value
    else:
        yield value


def shown(value: Any, hidden: bool) -> str:
    if hidden:
        return "(not shown)"
    line = " ".join(str(value).split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}..."


def lacking(interpreter: str = sys.executable) -> Iterator[UserError]:
    """The packages that modules import and this Python does not have, which is to run them: its owner may have made it without our lock file."""
    if interpreter != sys.executable:
        why = f"ansible_python_interpreter is {interpreter}, and modules need the Python that runs this, {sys.executable}, which has what they import"
        yield UserError(why, "Take it out of the inventory, or set it to {{ ansible_playbook_python }} for the host localhost.")
    elif missing := [name for name in MODULES_IMPORT if importlib.util.find_spec(name) is None]:
        why = f"The Python that runs this, {sys.executable}, lacks {', '.join(missing)}, which modules import"
        lock = shlex.quote(str(COLLECTION / "requirements/controller.txt"))
        yield UserError(why, f"Run `{shlex.quote(sys.executable)} -m pip install --require-hashes -r {lock}`.")


def unknown(raw: Iterable[str], roles: Mapping[str, Mapping[str, Any]], shared: list[str]) -> Iterator[UserError]:
    """Variables that are named like an option, but are none."""
    known = [*(name for options in roles.values() for name in options), *shared]
    first_words = [*roles, *({DEPLOYMENT} if shared else ())]
    for name in sorted(raw):
        words = [word for word in first_words if name.startswith(f"{word}_")]
        if words and name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
            where = "group_vars/all/main.yml names them" if words[0] == DEPLOYMENT else f"the README of role {words[-1]} names them"
            what = f"There is no variable {name}: nothing would read it."
            yield UserError(what, f"Write {close[0]} instead." if close else f"Take it out, or give one of those that there are; {where}.")
