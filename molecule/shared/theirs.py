"""What others run and this project only uses: an account in a namespace of a cluster, a registry with a login, and a PostgreSQL by URL.

The registry and the PostgreSQL are those of the machine's own roles, in another container and as another database, of which nothing is said.
"""

from __future__ import annotations

import base64
import shlex
import subprocess
import urllib.parse
from collections.abc import Iterable

from conftest import SYSTEM, Tester
from deployed import CHECKOUT

REGISTRY = "192.168.85.240:5443"
LOGIN = "pusher:a-Password:of-this-test"
PASSWORD = LOGIN.partition(":")[2]
DATABASE = f"postgresql://theirs:{urllib.parse.quote(PASSWORD)}@192.168.85.251/theirs"
ADMIN = "env KUBECONFIG=/home/tester/.local/state/todochat/todo/kubeconfig kubectl"
INVENTORY = "inventory/work.yml"
GIVEN = f"-i {INVENTORY}"
KUBECTL = "KUBECONFIG=~/.local/state/todochat/work@work/kubeconfig kubectl --namespace work"
# As whoever runs a registry sets it up: an authority of their own, and a login. The node's containerd is told of the authority.
SET_UP_REGISTRY = f"""
set -e
mkdir /root/registry && cd /root/registry
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt 2> /dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=registry -keyout server.key -out server.csr 2> /dev/null
printf 'subjectAltName=IP:192.168.85.240' > names
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt 2> /dev/null
chmod 644 server.key
htpasswd -Bbn {LOGIN.replace(":", " ", 1)} > htpasswd
image=$(docker inspect --format '{{{{.Config.Image}}}}' todo-registry)
docker run --detach --name theirs --network todo --ip 192.168.85.240 --volume /root/registry:/set:ro \
  --env REGISTRY_HTTP_ADDR=0.0.0.0:5443 --env REGISTRY_HTTP_TLS_CERTIFICATE=/set/server.crt --env REGISTRY_HTTP_TLS_KEY=/set/server.key \
  --env REGISTRY_AUTH=htpasswd --env REGISTRY_AUTH_HTPASSWD_REALM=theirs --env REGISTRY_AUTH_HTPASSWD_PATH=/set/htpasswd $image
printf 'server = "https://{REGISTRY}"\\nca = "/etc/containerd/certs.d/{REGISTRY}/ca.crt"\\n' > hosts.toml
"""
TRUST_REGISTRY = f"""
set -e
docker exec {{node}} mkdir -p /etc/containerd/certs.d/{REGISTRY}
for file in ca.crt hosts.toml; do docker cp --quiet /root/registry/$file {{node}}:/etc/containerd/certs.d/{REGISTRY}/$file; done
"""
# As docs/existing-cluster.md has it.
BINDING = "kubectl --namespace work create rolebinding deployer --role=deployer --serviceaccount=work:deployer"
SET_UP_ACCOUNT = f"""
set -e
cd {CHECKOUT}
export KUBECONFIG=/home/tester/.local/state/todochat/todo/kubeconfig
kubectl create namespace work
kubectl --namespace work create serviceaccount deployer
kubectl --namespace work apply --filename docs/existing-cluster/role.yaml
{BINDING}
"""
KUBECONFIG = """
set -e
umask 077
mkdir -p ~/.kube
export KUBECONFIG=~/.kube/config
kubectl config set-cluster theirs --server=$1 --certificate-authority=$2 --embed-certs
kubectl config set-credentials deployer --token=$3
kubectl config set-context work --cluster=theirs --user=deployer --namespace=work
kubectl config set-context other --cluster=theirs
kubectl config use-context other
"""


def give(script: str, stdin: str = "") -> str:
    """A script of root's gets something that only it may see. What it prints."""
    done = subprocess.run(["docker", "exec", "-i", SYSTEM, "sh", "-c", script], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def edit(secret: str, value: str) -> None:
    command = f"cd todochat && make vault DO=edit ARGS='{GIVEN} -e secret={secret}' 2>&1"
    give(f"su --login tester --command {shlex.quote(command)}", f"{value}\n")


def set_up(nodes: Iterable[str]) -> None:
    """A registry, a database, and an account in the namespace `work` of the cluster to which the state's kubeconfig leads. Its nodes are containers."""
    install = "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends apache2-utils openssl"
    give(f"{{ {install}; }} > /var/log/packages 2>&1 || {{ tail -n 30 /var/log/packages >&2; exit 1; }}")
    give(SET_UP_REGISTRY)
    for node in nodes:
        give(TRUST_REGISTRY.format(node=node))
    give(f"install --owner=tester /root/registry/ca.crt /home/tester/ca.crt && {SET_UP_ACCOUNT}")
    server = give(f"{ADMIN} config view --minify --output=jsonpath={{.clusters[0].cluster.server}}").strip()
    token = give(f"{ADMIN} --namespace work create token deployer --duration=4h").strip()
    authority = give(f"{ADMIN} config view --raw --minify --output=jsonpath={{.clusters[0].cluster.certificate-authority-data}}")
    give("cat > /home/tester/cluster.crt", base64.b64decode(authority).decode())
    give(f"cat > /tmp/kubeconfig.sh; su --login tester --command 'sh /tmp/kubeconfig.sh {server} /home/tester/cluster.crt {token}'", KUBECONFIG)
    psql = "docker exec --interactive todo-database psql --username=postgres --quiet --set=ON_ERROR_STOP=1"
    give(psql, f"CREATE ROLE theirs LOGIN PASSWORD '{PASSWORD}'; CREATE DATABASE theirs OWNER theirs;")
    give(psql, "COPY (SELECT 'host theirs theirs all scram-sha-256') TO PROGRAM 'cat >> pg_hba.conf'; SELECT pg_reload_conf();")


def give_inventory(content: str) -> None:
    """The inventory that names them."""
    give(f"cat > {CHECKOUT}/{INVENTORY} && chown tester {CHECKOUT}/{INVENTORY}", content)


def passes(tester: Tester, target: str, arguments: str = "") -> str:
    passed, output = tester.make(target, f"{GIVEN} {arguments}".strip())
    assert passed, output
    return output
