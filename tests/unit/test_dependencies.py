"""Which scenarios an edit makes stale: all that it could break, and no others."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import contents
import dependencies
from dependencies import inputs, inputs_hash, names, reached, stale

ROOT = Path(__file__).resolve().parents[2]
# No part of the site: it is asked for by a playbook of its own.
ASKED_FOR = "ai_devops"
# In place of the roles that make a cluster.
OF_OTHERS = "existing_cluster"
ROLES = {path.name for path in ROOT.glob("roles/*")} - {ASKED_FOR, OF_OTHERS}
# They go the way of all roles, from a system on which nothing has been made or tag by tag.
WHOLE_WAY = {
    "account",
    "account_root",
    "account_trixie",
    "airgap",
    "airgap_trixie",
    "alternative",
    "collection",
    "containerd_store",
    "down_installed",
    "guides",
    "kind",
    "kubeadm",
    "tags",
    "tags_after",
    "tags_refused",
    "upgrade",
    "vault",
    "vault_failures",
}
ROLLOUTS = {"rollout", "rollout_faults", "rollout_schema"}
# They roll out what they have edited.
RELEASE = {"ai_devops", "app_release", "assistant", "diagnose", "edits", "growing", "operation", "vault_rotation"} | ROLLOUTS | WHOLE_WAY
# They build the application's images.
BUILD = {"app_images", "app_check", "assistant", "compose", "edits", "rollout", "rollout_schema"} | WHOLE_WAY
# They read the database itself.
SCHEMA = {"backup", "operation", "outbox", "rollout_faults", "rollout_schema"}
# It takes code of the backend alone, and nothing that the collection makes.
BACKEND_ALONE = {"outbox"}
NOTHING_IS_DEPLOYED = {"container_engine", "network", "database", "image_registry", "kubernetes_tools", "bundle", "artifact", "minikube", "app_images"}


@cache
def own_text(scenario: str) -> str:
    """All that stands in a scenario's own files, comments as well."""
    listed = [name for name in contents.listed(ROOT) if name.startswith(f"molecule/{scenario}/") and not name.endswith(".sum")]
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in listed)


# No needless red: the table


@pytest.mark.parametrize(
    ("edit", "scenarios"),
    [
        ("apps/backend/src/todo_backend/chat/rules.py", set(dependencies.PROVES_THE_APPLICATION)),
        ("apps/backend/src/todo_backend/text.py", set(dependencies.PROVES_THE_APPLICATION)),
        ("apps/frontend/components/todo-panel.tsx", set(dependencies.PROVES_THE_APPLICATION) - BACKEND_ALONE),
        ("apps/frontend/proxy.ts", set(dependencies.PROVES_THE_APPLICATION) - BACKEND_ALONE),
        ("apps/backend/tests/test_chat.py", set()),
        ("docs/testing.md", set()),
        ("README.md", set()),
        ("artifacts.lock.yml#new", set()),
        ("apps/backend/src/todo_backend/migrations/versions/0001_accounts_todos_and_conversations.py", BUILD | SCHEMA),
        ("apps/backend/Dockerfile", BUILD),
        ("apps/chart/templates/_deployment.tpl", RELEASE),
        ("apps/backend/chart/values.yaml", RELEASE | {"preflight"}),
        # asked for the releases' state, too
        (
            "plugins/module_utils/release/helm.py",
            RELEASE | {"metrics_server", "app_check", "backup", "compose", "disk_full", "down", "existing_cluster", "hostile"},
        ),
        ("plugins/modules/preflight.py", WHOLE_WAY | {"preflight"}),
        ("roles/preflight/tasks/main.yml", WHOLE_WAY | {"preflight"}),
        ("plugins/action/options.py", WHOLE_WAY | {"preflight", "compose", "ai_devops", "existing_cluster"}),
        (
            "plugins/modules/database_backup.py",
            {"airgap", "airgap_trixie", "backup", "collection", "disk_full", "existing_cluster", "growing", "guides", "tags_refused"},
        ),
        ("playbooks/compose.yml", {"compose"}),
        ("compose.yaml", {"compose"}),
        (
            "plugins/modules/app_check.py",
            {"ai_devops", "app_check", "assistant", "backup", "diagnose", "edits", "existing_cluster", "growing", "hostile", "operation"}
            | ROLLOUTS
            | WHOLE_WAY,
        ),
        ("requirements/test.txt#ruff", set()),
        ("requirements/test.txt#playwright", {"assistant", "compose"}),
        ("requirements/test.txt#pluggy", set(names())),
        ("requirements/controller.txt", set(names())),
        # whoever runs `make bundle`
        ("requirements/bundle.txt", {"airgap", "airgap_trixie", "preflight", "upgrade"}),
        ("scripts/sbom", {"airgap", "airgap_trixie", "preflight", "upgrade"}),
        ("bootstrap", set(names())),
        ("meta/runtime.yml", set(names()) - BACKEND_ALONE),
        ("bench/outbox/relay.py", {"outbox"}),
        ("pyproject.toml#tool.pytest.ini_options", set(names())),
        ("pyproject.toml#tool.ruff", set()),
        ("tests/run.py#molecule", set(names())),
        ("tests/checks.py", set()),
        ("plugins/callback/progress.py#run", set(names())),
        ("galaxy.yml", {"alternative", "collection", "guides"}),
    ],
)
def test_an_edit_stales_these_and_no_others(edit: str, scenarios: set[str]) -> None:
    assert set(stale(edit)) == scenarios


def test_an_edited_action_stales_those_that_run_it() -> None:
    assert set(stale("plugins/action/vault_rekey.py")) == {name for name in names() if "DO=rekey" in own_text(name)}


@pytest.mark.parametrize("target", ["rollback", "backup", "down", "compose", "stop", "logs"])
def test_a_recipe_of_the_makefile_stales_those_that_make_it(target: str) -> None:
    found = set(stale(f"Makefile#{target}"))
    assert found, "nobody runs it"
    assert found <= {name for name in names() if re.search(rf"\b{target}\b", own_text(name))}


@pytest.mark.parametrize("role", sorted(ROLES - {"preflight", "bundle"}))
def test_a_roles_own_task_stales_its_scenario_those_of_the_whole_way_and_those_that_name_it(role: str) -> None:
    by_tag_or_playbook = {
        "app_check": {"ai_devops", "assistant", "backup", "diagnose", "edits", "existing_cluster", "growing", "hostile", "operation"} | ROLLOUTS,
        "app_images": {"app_check", "assistant", "compose", "edits", "rollout", "rollout_schema"},
        "app_release": {"ai_devops", "assistant", "diagnose", "edits", "growing", "operation", "vault_rotation"} | ROLLOUTS,
        "app_secrets": {"ai_devops", "assistant", "diagnose", "growing", "operation", "rollout", "vault_rotation"},
        "artifact": {"bundle", "compose", "preflight"},
        "container_engine": {"backup", "compose", "existing_cluster", "hostile", "preflight"},
        "database": {"backup", "growing", "preflight", "rollout", "vault_rotation"},
        "image_registry": {"app_images", "compose", "minikube"},
        "kubernetes_tools": {"disk_full", "preflight"},
        "minikube": {"backup", "down", "existing_cluster", "hostile"},
        "network": {"compose", "minikube", "preflight"},
    }
    assert set(stale(f"roles/{role}/tasks/main.yml")) == {role} | WHOLE_WAY | by_tag_or_playbook.get(role, set())


def test_a_role_that_is_asked_for_stales_its_scenario_and_its_options_those_that_prove_all() -> None:
    assert set(stale(f"roles/{ASKED_FOR}/tasks/main.yml")) == {ASKED_FOR, "existing_cluster"}
    assert set(stale(f"roles/{ASKED_FOR}/meta/argument_specs.yml")) == {ASKED_FOR, "existing_cluster"} | dependencies.PROVES_THE_OPTIONS
    assert set(stale(f"group_vars/all/main.yml#{ASKED_FOR}_directory")) == {ASKED_FOR, "preflight", "existing_cluster"}


def test_the_lines_that_tell_a_failure_are_read_where_something_is_to_fail() -> None:
    found = set(stale("plugins/callback/progress.py#failures"))
    assert {name for name in names() if re.search(r"Failed: |What to do: |\.?refused\(", own_text(name))} <= found
    assert not found & {name for name in names() if not re.search("refus|fail|not passed|rc [!=]=|Why|stand in", own_text(name))}
    assert found < set(names())


def test_what_is_painted_is_read_at_a_terminal_alone() -> None:
    assert set(stale("plugins/callback/progress.py#painting")) == {name for name in names() if re.search(r"\bscript -|\bpty\b", own_text(name))}


@pytest.mark.parametrize(
    ("variable", "readers"),
    [
        ("kubernetes_tools_store", {"kubernetes_tools"}),
        ("app_secrets_context", {"app_secrets"}),
        ("minikube_ports", {"minikube"}),
        ("app_check_url", {"app_check"}),
        ("deployment_team_vault_file", {"database", "app_secrets", "artifact"}),
    ],
)
def test_a_line_of_the_shared_variables_stales_those_that_read_it(variable: str, readers: set[str]) -> None:
    found = set(stale(f"group_vars/all/main.yml#{variable}"))
    assert readers <= found
    assert not found & (NOTHING_IS_DEPLOYED - readers - {"minikube", "app_images"})
    assert "alternative" not in found, "it has settings of its own"


def test_an_entry_of_the_lock_stales_those_that_take_it_from_the_store() -> None:
    assert not set(stale("artifacts.lock.yml#metrics-server")) & NOTHING_IS_DEPLOYED
    assert {"network", "bundle"} <= set(stale("artifacts.lock.yml#pause"))
    assert set(stale("artifacts.lock.yml#debian")) >= set(stale("artifacts.lock.yml#postgres")) | set(stale("artifacts.lock.yml#kube-proxy"))
    # built into another one
    assert set(stale("artifacts.lock.yml#kicbase")) <= set(stale("roles/bundle/files/go/crictl/go.sum"))


# No false green


def commands(scenario: str) -> Iterator[tuple[str, str]]:
    """Targets of make, with DO, that stand in a scenario's files as a command does, found without knowing YAML or Python."""
    for targets, do in re.findall(r"(?:&& |! |command: |up: |plan: |[\"'(|] ?)make((?: [a-z]+)+)(?: DO=(\w+))?", own_text(scenario)):
        yield from ((target, do or "list") for target in targets.split())
    yield from ((target, "list") for target in re.findall(r'(?:make|passes|run)\((?:tester, )?"([a-z]+)"', own_text(scenario)))


def test_what_a_scenario_makes_is_an_input_with_its_playbook() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    seen = 0
    for scenario in names():
        found = set(reached(scenario))
        for target, do in commands(scenario):
            if recipe := re.search(rf"^{target}:.*\n(?:\t.*\n)*?\t.*ansible-playbook (\S+)", makefile, re.MULTILINE):
                seen += 1
                assert {f"Makefile#{target}", recipe[1].replace("$(DO)", do)} <= found, f"{scenario}: make {target} DO={do}"
        for playbook in re.findall(r"ansible-playbook (playbooks/\S+\.yml)", own_text(scenario)):
            assert playbook in found, scenario
    assert seen > 50


@pytest.mark.parametrize("scenario", names())
def test_all_that_an_input_imports_is_one_as_well(scenario: str) -> None:
    """By Ansible's and Python's own words for it, in every file alike."""
    found = set(reached(scenario))
    for name in found:
        if name.startswith(("plugins/module", "plugins/action", "plugins/plugin_utils")):
            text = (ROOT / name).read_text(encoding="utf-8")
            for module, names_of_it in re.findall(r"^from ansible_collections\.todochat\.platform\.([\w.]+) import (.+)", text, re.MULTILINE):
                path = module.replace(".", "/")
                assert {f"{path}.py", *(f"{path}/{word}.py" for word in re.findall(r"\w+", names_of_it))} & found, f"{name}: {module}"
        if name.startswith("roles/") and "/tasks/" in name:
            text = (ROOT / name).read_text(encoding="utf-8")
            for module in re.findall(r"^\s+todochat\.platform\.(\w+):", text, re.MULTILINE):
                assert f"plugins/modules/{module}.py" in found, name
            for tasks in re.findall(r"import_tasks: (\S+)", text):
                assert f"{name.rpartition('/')[0]}/{tasks}" in found, name


@pytest.mark.parametrize("scenario", ["vault", "vault_rotation", "vault_failures"])
def test_a_fixture_that_no_test_names_counts(scenario: str) -> None:
    assert "molecule/vault/sampler.py" in inputs(scenario)


def test_what_ansible_runs_with_a_tag_is_an_input() -> None:
    """Ansible itself says which roles' tasks a tag chooses; the scenario of that tag has each of these roles' tasks among its inputs."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "site.yml", "--list-tasks"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tasks = re.findall(r"^ {6}todochat\.platform\.(\w+) : (?!Validating arguments).+TAGS: \[(.+)\]$", listed, re.MULTILINE)
    assert {role for role, _ in tasks} == {OF_OTHERS, *ROLES} - {"bundle"}
    for scenario in ROLES:
        chosen = {role for role, tags in tasks if scenario in tags.split(", ")}
        found = reached(scenario)
        assert [role for role in chosen if not any(name.startswith(f"roles/{role}/tasks/") for name in found)] == []
        assert f"roles/{scenario}/tasks/main.yml" in found


@pytest.mark.parametrize("scenario", sorted(ROLES - {"preflight"}))
def test_a_roles_scenario_starts_the_site_with_tags_alone(scenario: str) -> None:
    """Without any, all roles would run, and most of them are no inputs of it. Of role preflight all starts without one are refused by itself."""
    starts = {"up", "up_changes_nothing", "refused"}
    for file in ROOT.glob(f"molecule/{scenario}/**/*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        constants = {one.targets[0].id: one.value for one in ast.walk(tree) if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)}
        helpers = [one for one in tree.body if isinstance(one, ast.FunctionDef)]
        called = [(helper, call) for helper in helpers for call in ast.walk(helper) if isinstance(call, ast.Call)]
        passing_on = {helper.name for helper, call in called if name_of(call) in starts and not list(contents.strings(call))}
        for _, call in called:
            words = [*contents.strings(call)]
            words += [word for one in ast.walk(call) if isinstance(one, ast.Name) and one.id in constants for word in contents.strings(constants[one.id])]
            if words and name_of(call) in starts | passing_on:
                assert any("--tags" in word for word in words), f"{file.name}:{call.lineno}: name the tags, or move it to a scenario of no role"


def name_of(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def test_every_target_of_make_is_one_even_where_a_file_has_its_name() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split()
    assert {name for name in contents.parts("Makefile") if name.islower()} == set(phony)


def test_the_parts_and_scenarios_that_are_named_exist() -> None:
    assert set(dependencies.PROVES_THE_APPLICATION) <= set(names())
    defined = {one.name for one in contents.python(contents.VIEW).definitions}
    assert defined >= contents.FAILURES | contents.PAINTING
    assert [name for name in contents.files() if name.startswith("tests/") and "molecule" in contents.parts(name)] == ["tests/run.py"]


def test_an_earlier_checkout_can_be_made_of_this_one(tmp_path: Path) -> None:
    """Scenario upgrade replaces lines of sources, which are no inputs of it."""
    command = [sys.executable, ROOT / "molecule/upgrade/earlier.py", tmp_path / "earlier"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# Edits of a checkout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of this one, which all is asked about."""
    for name in contents.listed(ROOT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    monkeypatch.setattr(contents, "ROOT", tmp_path)
    return tmp_path


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_new_file_a_mode_and_a_line_count_and_a_comment_of_a_shared_file_does_not(checkout: Path) -> None:
    before = {name: inputs_hash(name) for name in ("network", "database")}

    def changed() -> set[str]:
        now = {name: inputs_hash(name) for name in before}
        found = {name for name in before if now[name] != before[name]}
        before.update(now)
        return found

    assert changed() == set()
    (checkout / "molecule/network/tests/test_more.py").write_text("")
    assert changed() == {"network"}
    (checkout / ".gitignore").write_text("test_more.py\n")
    assert changed() == {"network"}
    (checkout / "molecule/network/README.md").write_text("")
    assert changed() == set()
    (checkout / "roles/database/tasks/lock.yml").chmod(0o755)
    assert changed() == {"database"}
    edit(checkout / "artifacts.lock.yml", "  postgres:\n", "  # about it\n  postgres:\n")
    assert changed() == set()
    edit(checkout / "group_vars/all/main.yml", "192.168.85.251", "192.168.85.252")
    assert changed() == {"database"}
    edit(checkout / "Makefile", "site.yml --check", "site.yml --check --diff --check")
    assert changed() == {"network", "database"}
    edit(checkout / "roles/network/tasks/main.yml", 'name: "{{ network_name }}"\n', 'name: "{{ network_name or minikube_ports }}"\n')
    assert changed() == {"network"}, "that of another role, which the database's system has already"
    edit(checkout / "group_vars/all/main.yml", 'minikube_ports: ["127', 'minikube_ports: ["128')
    assert changed() == {"network"}, "what is read is found anew"


def test_a_new_word_leads_to_its_playbook(checkout: Path) -> None:
    assert "playbooks/down.yml" not in inputs("network")
    tests = checkout / "molecule/network/tests/test_network.py"
    edit(tests, "def test_the_host", 'def test_it_goes(tester: Tester) -> None:\n    tester.make("down")\n\n\ndef test_the_host')
    assert {"Makefile#down", "playbooks/down.yml", "plugins/module_utils/whole/removal.py"} <= set(inputs("network"))


def test_a_line_is_traced_to_the_part_that_it_is_of() -> None:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    recipe = 1 + next(number for number, line in enumerate(lines) if "playbooks/rollback.yml" in line)
    assert dependencies.touched(f"Makefile:{recipe}") == {"Makefile#rollback"}
    assert set(stale(f"Makefile:{recipe}")) == set(stale("Makefile#rollback"))
    way = stale("plugins/modules/release_rollback.py")["rollout_schema"]
    assert way[0].startswith("make rollback")
    assert way[-2:] == ["playbooks/tasks/revision.yml", "plugins/modules/release_rollback.py"]


def test_a_shared_lines_scenarios_and_their_ways_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    dependencies.main("--change", "compose.yaml")
    assert capsys.readouterr().out.splitlines() == [
        f"compose.yaml: 1 of {len(names())}: compose",
        "  compose: make compose > playbooks/compose.yml > compose.yaml",
    ]


def test_a_link_leads_to_what_it_names() -> None:
    assert "molecule/account/tests/test_account.py" in inputs("account_trixie")
