"""A registry with a login, a PostgreSQL and an account of one namespace that others run, of which a deployment is told by inventory/work.yml.

The cluster is the state's, of whose Minikube, registry and database nothing is said to that deployment.
"""

from __future__ import annotations

import base64
import shlex
import subprocess
import urllib.parse

from conftest import SYSTEM
from deployed import CHECKOUT

REGISTRY = "192.168.85.240:5443"
LOGIN = "pusher:a-Password:of-this-test"
PASSWORD = LOGIN.partition(":")[2]
DATABASE = f"postgresql://theirs:{urllib.parse.quote(PASSWORD)}@192.168.85.251/theirs"
URL = "http://192.168.85.2:30100"
ADMIN = "env KUBECONFIG=/home/tester/.local/state/todochat/todo/kubeconfig kubectl"
INVENTORY = "inventory/work.yml"
GIVEN = f"-i {INVENTORY}"
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
docker exec todo mkdir -p /etc/containerd/certs.d/{REGISTRY}
docker cp ca.crt todo:/etc/containerd/certs.d/{REGISTRY}/ca.crt
printf 'server = "https://{REGISTRY}"\\nca = "/etc/containerd/certs.d/{REGISTRY}/ca.crt"\\n' > hosts.toml
docker cp hosts.toml todo:/etc/containerd/certs.d/{REGISTRY}/hosts.toml
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
THEIR_VALUES = """
all:
  hosts:
    localhost:
      ansible_connection: local
      ansible_python_interpreter: "{{ ansible_playbook_python }}"
      deployment_cluster: existing
      deployment_name: work
      existing_cluster_source_context: work
      existing_cluster_registry_ca: /home/tester/ca.crt
      deployment_registry: REGISTRY
      deployment_repository: team/todo
      deployment_url: URL
      app_release_frontend_values:
        service: {type: NodePort, nodePort: 30100}
""".replace("REGISTRY", REGISTRY).replace("URL", URL)


def give(script: str, stdin: str = "") -> str:
    """A script of root's gets something that only it may see. What it prints."""
    done = subprocess.run(["docker", "exec", "-i", SYSTEM, "sh", "-c", script], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def edit(secret: str, value: str) -> None:
    command = f"cd todochat && make vault DO=edit ARGS='{GIVEN} -e secret={secret}' 2>&1"
    give(f"su --login tester --command {shlex.quote(command)}", f"{value}\n")


def set_up(more: str = "") -> None:
    """A registry, a database, and an account in the namespace `work`; and the inventory that names them, with `more` lines."""
    install = "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends apache2-utils openssl"
    give(f"{{ {install}; }} > /var/log/packages 2>&1 || {{ tail -n 30 /var/log/packages >&2; exit 1; }}")
    give(SET_UP_REGISTRY)
    give(f"install --owner=tester /root/registry/ca.crt /home/tester/ca.crt && {SET_UP_ACCOUNT}")
    server = give(f"{ADMIN} config view --minify --output=jsonpath={{.clusters[0].cluster.server}}").strip()
    token = give(f"{ADMIN} --namespace work create token deployer --duration=4h").strip()
    authority = give(f"{ADMIN} config view --raw --minify --output=jsonpath={{.clusters[0].cluster.certificate-authority-data}}")
    give("cat > /home/tester/cluster.crt", base64.b64decode(authority).decode())
    give(f"cat > /tmp/kubeconfig.sh; su --login tester --command 'sh /tmp/kubeconfig.sh {server} /home/tester/cluster.crt {token}'", KUBECONFIG)
    psql = "docker exec --interactive todo-database psql --username=postgres --quiet --set=ON_ERROR_STOP=1"
    give(psql, f"CREATE ROLE theirs LOGIN PASSWORD '{PASSWORD}'; CREATE DATABASE theirs OWNER theirs;")
    give(psql, "COPY (SELECT 'host theirs theirs all scram-sha-256') TO PROGRAM 'cat >> pg_hba.conf'; SELECT pg_reload_conf();")
    give(f"cat > {CHECKOUT}/{INVENTORY} && chown tester {CHECKOUT}/{INVENTORY}", THEIR_VALUES + more)
