"""Debian's Prometheus reads what the backend tells it and warns of a real fault; a forgotten password; Debian's Caddy before the application,
with a browser before that, and its PgBouncer before the database.

The order matters.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import urllib.parse
from typing import Any

import pytest
from chromium import pass_story
from conftest import SYSTEM, Tester
from deployed import CHECKOUT, until
from testinfra.host import Host

KUBECTL = "KUBECONFIG=~/.local/state/todochat/todo/kubeconfig kubectl --namespace todo"
IN_A_POD = f"{KUBECTL} exec deployment/backend --container backend --"
JOURNEY = f"{IN_A_POD} python3 -m todo_backend.acceptance http://backend:8001"
ALERTS = f"{CHECKOUT}/apps/backend/monitoring/alerts.yml"
DASHBOARD = f"{CHECKOUT}/apps/backend/monitoring/dashboard.json"
TARGETS = "/etc/prometheus/backend.json"
CONFIGURATION = f"""
global: {{scrape_interval: 2s, evaluation_interval: 2s}}
rule_files: ["{ALERTS}"]
scrape_configs:
  - job_name: todochat-backend
    file_sd_configs:
      - {{files: [{TARGETS}], refresh_interval: 2s}}
"""
# Two connections for all pods: what a session of another's left would show.
POOLER = """
[databases]
* = host=192.168.85.251 port=5432
[pgbouncer]
listen_addr = 192.168.85.1
listen_port = 6432
auth_type = scram-sha-256
auth_file = /etc/pgbouncer/userlist.txt
pool_mode = transaction
default_pool_size = 2
logfile = /var/log/postgresql/pgbouncer.log
pidfile = /var/run/postgresql/pgbouncer.pid
"""
# Debian's Prometheus cannot ask Kubernetes, and does not reach the pods from outside: it is told their addresses, and runs in the node's network.
START = """
systemctl stop prometheus
node=$(docker inspect --format '{{.State.Pid}}' todo)
systemd-run --quiet --unit=metrics nsenter --target $node --net prometheus --config.file=/etc/prometheus/todochat.yml \
  --storage.tsdb.path=/var/lib/prometheus/todochat --web.listen-address=0.0.0.0:9090
"""
ACCOUNT, FORGOTTEN = "traveller@example.com", "a password for this test alone"
FIRING_SECONDS = 150
AT_ONCE = 'for one in 1 2 3 4; do {} & all="$all $!"; done; for one in $all; do wait $one || exit 1; done'
GUIDE = f"{CHECKOUT}/docs/production.md"
# Of an authority of its own, as the name leads nowhere else.
ITS_OWN = "{\n    local_certs\n    skip_install_trust\n}\n"
AUTHORITY = "/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt"
BEHIND = """
import sys, urllib.error, urllib.request
from ansible_collections.todochat.platform.plugins.module_utils.acceptance import Visitor, account, travel
visitor = Visitor(sys.argv[1])
print(travel(visitor, None))
with account(visitor):
    cookies = [cookie for handler in visitor._opener.handlers for cookie in getattr(handler, "cookiejar", ())]
    print("secure" if cookies and all(cookie.secure for cookie in cookies) else cookies)
foreign = urllib.request.Request(sys.argv[1] + "/api/auth/logout", method="POST", headers={"Origin": "https://elsewhere.example"})
try:
    urllib.request.urlopen(foreign, timeout=10)
except urllib.error.HTTPError as error:
    print("from elsewhere it answers", error.code)
"""
# One that tells the application another host than people typed.
REWRITING = """{name} {{
    reverse_proxy 127.0.0.1:30000 {{
        header_up Host elsewhere.internal
    }}
}}
"""
OPENS = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=10)"
EDIT = "make vault DO=edit ARGS='-e secret=database_url'"
USERS = "SELECT count(*) FROM users"
LOG_IN = """
import json, sys
from ansible_collections.todochat.platform.plugins.module_utils.acceptance import JourneyError, Visitor
email, password = json.load(sys.stdin)
try:
    Visitor("http://127.0.0.1:30000").call("log in", "POST", "/api/auth/login", {"email": email, "password": password})
except JourneyError as error:
    sys.exit(str(error))
"""


def give(script: str, stdin: str) -> subprocess.CompletedProcess[str]:
    """A script of root's gets something that only it may see."""
    return subprocess.run(["docker", "exec", "-i", SYSTEM, "sh", "-c", script], input=stdin, capture_output=True, text=True, check=False)


def sql(host: Host, text: str, database: str = "todo") -> str:
    psql = f"docker exec todo-database psql --username=postgres --dbname={database} --no-psqlrc --quiet --tuples-only --no-align"
    return str(host.check_output(f"{psql} --command %s", text))


def make_database(host: Host, name: str) -> None:
    """An empty one, which lets the application's logins in."""
    sql(host, f"CREATE DATABASE {name} OWNER todo_owner")
    sql(host, f"COPY (SELECT 'host {name} +todo_owner all scram-sha-256') TO PROGRAM 'cat >> pg_hba.conf'; SELECT pg_reload_conf()")


def login_of(tester: Tester) -> tuple[str, str]:
    """The name and the password by which the application logs in to its database."""
    vault = tester.vault()
    return vault.get("vault_database_login", "todo_app"), vault["vault_database_password"]


def gives(command: str, stdin: str) -> None:
    """A command of the guide's, which asks for something and must succeed."""
    done = give(f"su --login tester --command {shlex.quote(f'cd todochat && {command} 2>&1')}", stdin)
    assert done.returncode == 0, f"{command}\n{done.stdout}"


def install(host: Host, *packages: str) -> None:
    """Debian's packages, whose output is shown where that fails."""
    command = f"apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends {' '.join(packages)}"
    host.check_output("sh -c %s", f"{{ {command}; }} > /var/log/packages 2>&1 || {{ tail -n 30 /var/log/packages >&2; exit 1; }}")


def pods(tester: Tester) -> list[Any]:
    """The backend's pods that stay."""
    items = tester.kubectl("get pods --selector app.kubernetes.io/name=backend")["items"]
    return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]


class Prometheus:
    """Prometheus, asked as a dashboard asks it."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.node = host.check_output("docker inspect --format '{{(index .NetworkSettings.Networks \"todo\").IPAddress}}' todo")

    def ask(self, what: str) -> Any:
        """What its API answers."""
        fetch = "import sys, urllib.request as u; print(u.build_opener(u.ProxyHandler({})).open(sys.argv[1], timeout=10).read().decode())"
        answer = json.loads(self.host.check_output("python3 -c %s %s", fetch, f"http://{self.node}:9090/api/v1/{what}"))
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression: str) -> list[Any]:
        """The series of an expression."""
        found: list[Any] = self.ask(f"query?query={urllib.parse.quote(expression)}")["result"]
        return found

    def number(self, expression: str) -> float:
        """The value of an expression of one series; 0 where there is none."""
        return sum(float(one["value"][1]) for one in self.query(expression))

    def firing(self) -> set[str]:
        return {one["metric"]["alertname"] for one in self.query('ALERTS{alertstate="firing"}')}


@pytest.fixture(scope="module")
def prometheus(host: Host) -> Prometheus:
    """Debian's Prometheus with the alert rules; it is told of the backend's pods as their annotations say."""
    install(host, "prometheus", "pgbouncer")
    found = []
    for pod in pods(Tester(host)):
        annotations = pod["metadata"]["annotations"]
        assert annotations["prometheus.io/scrape"] == "true"
        address = f"{pod['status']['podIP']}:{annotations['prometheus.io/port']}"
        found.append({"targets": [address], "labels": {"pod": pod["metadata"]["name"]}})
    assert give(f"cat > {TARGETS}", json.dumps(found)).returncode == 0
    assert give("cat > /etc/prometheus/todochat.yml", CONFIGURATION).returncode == 0
    host.check_output("promtool check config /etc/prometheus/todochat.yml")
    host.check_output("sh -c %s", START)
    there = Prometheus(host)
    until(lambda: host.run(f"timeout 2 bash -c '</dev/tcp/{there.node}/9090'").rc == 0, 60)
    return there


def test_the_rules_are_ones_that_prometheus_takes(host: Host, prometheus: Prometheus) -> None:
    host.check_output(f"promtool check rules {ALERTS}")
    (group,) = prometheus.ask("rules")["groups"]
    assert {rule["name"] for rule in group["rules"]} == set(re.findall(r"- alert: (\w+)", host.file(ALERTS).content_string))


def test_each_pod_is_scraped_and_tells_what_users_do(tester: Tester, prometheus: Prometheus) -> None:
    there = {pod["metadata"]["name"] for pod in pods(tester)}
    assert len(there) >= 2
    until(lambda: {one["metric"]["pod"] for one in prometheus.query("todo_database_up == 1")} == there, 60)
    signed_up = 'sum(todo_requests_total{method="POST", route="/auth/signup", status="201"})'
    before = prometheus.number(signed_up)
    tester.sees(JOURNEY)
    until(lambda: prometheus.number(signed_up) == before + 1, 30)


def test_every_question_of_the_dashboard_has_an_answer(host: Host, tester: Tester, prometheus: Prometheus) -> None:
    tester.sees(JOURNEY)
    panels = json.loads(host.file(DASHBOARD).content_string)["panels"]
    questions = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(questions) > 10
    until(lambda: all(map(prometheus.query, questions)), 60, lambda: [one for one in questions if not prometheus.query(one)])


def test_the_public_ports_tell_nothing(tester: Tester, prometheus: Prometheus) -> None:
    ask = (
        "import sys, urllib.request, urllib.error\n"
        "try: print(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1], timeout=10).status)\n"
        "except urllib.error.HTTPError as error: print(error.code)"
    )
    assert tester.sees(f"python3 -c '{ask}' http://127.0.0.1:30000/metrics") == "404"
    assert tester.sees(f"{IN_A_POD} python3 -c '{ask}' http://backend:8001/metrics") == "404"
    assert prometheus.number("count(todo_requests_total)") > 0  # where they are told


def test_a_database_that_is_away_is_warned_of_until_it_is_back(host: Host, tester: Tester, prometheus: Prometheus) -> None:
    assert prometheus.firing() == set()
    host.check_output("docker stop todo-database")
    until(lambda: "TodochatDatabaseUnreachable" in prometheus.firing(), FIRING_SECONDS, prometheus.firing)
    assert "TodochatBackendDown" not in prometheus.firing()
    host.check_output("docker start todo-database")
    until(lambda: "TodochatDatabaseUnreachable" not in prometheus.firing(), FIRING_SECONDS, prometheus.firing)
    tester.sees(f"{KUBECTL} wait --for=condition=Available --timeout=120s deployment/backend deployment/frontend")
    tester.sees(JOURNEY)


def log_in(password: str) -> str:
    """Why somebody cannot log in; empty where they can."""
    told = give(f"cd {CHECKOUT} && PYTHONPATH=.ansible/collections python3 -c '{LOG_IN}'", json.dumps([ACCOUNT, password]))
    return told.stderr if told.returncode else ""


def test_a_forgotten_password_is_replaced_and_shown_once(host: Host, tester: Tester) -> None:
    tester.sees("cd todochat && PYTHONPATH=.ansible/collections python3 molecule/site/visitor.py begin")
    assert log_in(FORGOTTEN) == ""
    passed, output = tester.make("reset-password", "--check")
    assert not passed
    assert "make reset-password EMAIL=" in output
    reset = f"make reset-password EMAIL={ACCOUNT}"
    assert "would give the account another password" in tester.sees(f"cd todochat && {reset} ARGS=--check 2>&1")
    assert log_in(FORGOTTEN) == ""

    output = tester.sees(f"cd todochat && {reset} 2>&1")
    (password,) = re.findall(r"Password +(\S+)", output)
    assert output.count(password) == 1
    assert "answers 401" in log_in(FORGOTTEN)
    assert log_in(password) == ""
    logs = host.check_output("journalctl --no-pager; cat /home/tester/.local/state/todochat/events.jsonl")
    logs += tester.sees(f"{KUBECTL} logs --selector app.kubernetes.io/name=backend --tail=-1 --all-containers")
    assert password not in logs
    assert ACCOUNT not in logs


def test_an_account_that_is_not_there_is_named_so(tester: Tester) -> None:
    told = tester.sees("cd todochat && make reset-password EMAIL=nobody@example.com 2>&1 || true")  # its words are what counts
    end = " ".join(told[told.rindex("Failed: ") :].split())
    assert "Why: The password was not changed: There is no account with this e-mail address." in end
    assert "What to do: Look at how the address is written." in end


def guides_proxy(host: Host) -> tuple[str, str]:
    """The name at which the guide's proxy answers, and its configuration."""
    (block,) = re.findall(r"^```text\n(.*?)^```", host.file(GUIDE).content_string, re.DOTALL | re.MULTILINE)
    return block.split()[0], block


def serve_at(host: Host, name: str, caddyfile: str) -> None:
    """Caddy answers there, by a certificate of its own authority's."""
    assert give("cat > /etc/caddy/Caddyfile", ITS_OWN + caddyfile).returncode == 0
    host.check_output("systemctl start caddy && sudo systemctl reload caddy")  # where the package's own start was kept back
    until(lambda: host.file(AUTHORITY).exists, 60)
    until(lambda: host.run(f"SSL_CERT_FILE={AUTHORITY} python3 -c '{OPENS}' https://{name}/").rc == 0, 60)


def test_the_guides_proxy_brings_tls_and_nothing_else_is_to_be_set(host: Host) -> None:
    name, block = guides_proxy(host)
    install(host, "caddy")
    host.check_output("sh -c %s", f"echo '127.0.0.1 {name}' >> /etc/hosts")
    serve_at(host, name, block)
    seen = give(f"cd {CHECKOUT} && SSL_CERT_FILE={AUTHORITY} PYTHONPATH=.ansible/collections python3 -c '{BEHIND}' https://{name}", "")
    assert seen.returncode == 0, seen.stderr
    steps, cookies, elsewhere = seen.stdout.splitlines()
    assert "ask the assistant" in steps
    assert cookies == "secure"
    assert elsewhere == "from elsewhere it answers 403"
    host.check_output("systemctl stop caddy")


def test_behind_a_proxy_that_names_another_host_a_browser_needs_one_setting(host: Host, tester: Tester) -> None:
    """Which the next run takes away again, as it is not given there."""
    name, _ = guides_proxy(host)
    setting = {"app_release_frontend_values": {"config": {"PUBLIC_URL": f"https://{name}"}}}
    passed, output = tester.up(f"--tags app_release -e '{json.dumps(setting)}'")
    assert passed, output
    serve_at(host, name, REWRITING.format(name=name))
    pass_story(SYSTEM, f"https://{name}", "todo", "todo-database")
    host.check_output("systemctl stop caddy")


def test_the_data_moves_into_a_database_of_others_as_the_guide_says(host: Host, tester: Tester) -> None:
    """The guide's commands in their order, but for those of the proxy, which the test before stopped."""
    (block,) = re.findall(r"^```sh\n(.*?)^```", host.file(GUIDE).content_string, re.DOTALL | re.MULTILINE)
    login, password = login_of(tester)
    make_database(host, "moved")
    address = f"postgresql://{login}:{urllib.parse.quote(password, safe='')}@192.168.85.251/moved"
    host.check_output("install --directory --owner=tester /mnt/stick")
    before = sql(host, USERS)
    assert before != "0"
    for command in block.splitlines():
        if not command.startswith("sudo systemctl"):
            gives(command, f"{address}\n" if command == EDIT else "")
    assert sql(host, USERS, "moved") == before
    tester.sees(JOURNEY)
    gives(EDIT, "\n")


def test_the_application_works_behind_a_pooler_that_shares_connections(host: Host, tester: Tester) -> None:
    login, password = login_of(tester)
    # Debian's files are for PgBouncer's user alone.
    assert give("cat > /etc/pgbouncer/userlist.txt", f'"{login}" "{password}"\n').returncode == 0
    assert give("cat > /etc/pgbouncer/pgbouncer.ini", POOLER).returncode == 0
    host.check_output("systemctl restart pgbouncer")
    address = f"postgresql://{login}:{urllib.parse.quote(password, safe='')}@192.168.85.1:6432/todo"
    gives(EDIT, f"{address}\n")
    passed, output = tester.up("--tags app_secrets,app_release,app_check")
    assert passed, output
    tester.sees(AT_ONCE.format(JOURNEY))
    used = f"SELECT count(*), string_agg(DISTINCT host(client_addr), ' ') FROM pg_stat_activity WHERE usename = '{login}'"
    until(lambda: sql(host, used) in ("1|192.168.85.1", "2|192.168.85.1"), 90, lambda: sql(host, used))


# The image has Python, and no sed.
ANOTHER_DATABASE = (
    'from pathlib import Path; address = Path("/run/secrets/todochat/database_url").read_text().strip(); '
    'Path("/tmp/new/database_url").write_text(address.removesuffix("/todo") + "/new")'
)


def test_a_new_database_is_migrated_through_the_pooler_by_several_at_once(host: Host) -> None:
    make_database(host, "new")
    other = f"mkdir -p /tmp/new && cp /run/secrets/todochat/jwt_keys /tmp/new && python3 -c '{ANOTHER_DATABASE}'"
    migrate = "TODO_SECRETS_DIR=/tmp/new python3 -m todo_backend.migrate"
    done = give(f"su --login tester --command '{IN_A_POD.replace('exec', 'exec --stdin')} sh'", f"set -e; {other}; {AT_ONCE.format(migrate)}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sql(host, "SELECT count(*) FROM pg_stat_activity WHERE datname = 'new' AND host(client_addr) <> '192.168.85.1'") == "0"
    version = "SELECT version_num FROM alembic_version"
    assert sql(host, version, "new") == sql(host, version)
