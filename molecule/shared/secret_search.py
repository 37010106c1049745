"""Where a secret could be, how it is looked for there, and how a canary gets there, without which that nothing is found would say nothing."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from vault_commands import CONFIG, HELM, KUBECTL, PROCESSES, forms, root, values

NEEDLES = "/dev/shm/needles"
KEPT = {
    f"{CONFIG}/vault-password": "the password itself, its owner's alone",
    "/var/lib/docker/volumes/todo/_data/lib/minikube/etcd": "etcd's data: the Secret lives there",
}
"""Where a value has to be. The encrypted vault needs no exception, and neither does PostgreSQL, which keeps a verifier."""
# Prints in its first life or in its second one, and stays in that.
LIVES = """
import os, pathlib, sys, time
mark = pathlib.Path("/lives/second")
life = "second" if mark.exists() else "first"
mark.touch()
if life == os.environ["PRINTS_IN"]:
    print(os.environ["PLANTED"], flush=True)
if life == "first":
    sys.exit(1)
time.sleep(3600)
"""
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"generateName": "planted-"},
    "spec": {
        "containers": [
            {
                "name": "planted",
                "image": "IMAGE",
                "command": ["python3", "-c", LIVES],
                "env": [{"name": "PLANTED", "value": "CANARY"}, {"name": "PRINTS_IN", "value": "LIFE"}],
                "volumeMounts": [{"name": "lives", "mountPath": "/lives"}],
            }
        ],
        "volumes": [{"name": "lives", "emptyDir": {}}],
    },
}
# One of a release's revisions in Helm's Secrets has one more value.
REVISION = """
import base64, gzip, json, os, sys
revisions = sorted(json.load(sys.stdin)["items"], key=lambda secret: int(secret["metadata"]["labels"]["version"]))
secret = revisions[int(sys.argv[1])]
release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
release["config"] = {**(release.get("config") or {}), "planted": os.environ["canary"]}
secret["data"]["release"] = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
print(json.dumps(secret))
"""
PUSH = "env -C /home/tester/todochat PYTHONPATH=.ansible/collections .venv/bin/python molecule/shared/push.py todo-registry"
# Any image of the machine's Docker with the usual programs.
IMAGE = "$(docker container inspect --format '{{.Config.Image}}' todo-database)"


@dataclass(frozen=True)
class Place:
    """How root looks in a place for the lines of $NEEDLES, and puts $canary into it, by names for what is put there."""

    search: str
    plants: dict[str, str]


def seen(process: str) -> str:
    """A process that ends once the sampler has written its canary down, which grep gets from a pipe."""
    return f"timeout 30 bash -c 'until printf %s \"{process}\" | grep --quiet --fixed-strings --file=- {PROCESSES}; do sleep 0.2; done'"


def revision(release: str, number: int) -> str:
    """One of the release's revisions, by its place among all, holds the canary."""
    listed = f"{KUBECTL} -n todo get secrets -l owner=helm,name={release} -o json"
    return f"export canary; {listed} | python3 -c '{REVISION}' {number} | {KUBECTL} replace -f - > /dev/null"


def pod(life: str, option: str) -> str:
    """A pod has printed the canary in its first or second life; the option of `kubectl logs` shows it."""
    image = f"{KUBECTL} -n todo get pods -l app.kubernetes.io/instance=backend -o jsonpath='{{.items[0].spec.containers[0].image}}'"
    filled = json.dumps(POD).replace('"LIFE"', json.dumps(life)).replace("'", "'\\''")
    return f"""
        pod=$(printf %s '{filled}' | sed "s,IMAGE,$({image}),; s,CANARY,$canary," | {KUBECTL} create -f - -o name)
        for second in $(seq 90); do
            {KUBECTL} logs {option} $pod 2> /dev/null | grep --quiet --fixed-strings "$canary" && exit
            sleep 1
        done
        {KUBECTL} describe $pod; exit 1"""


def image(name: str, content: str = "", change: str = "") -> str:
    """An image of one layer is in the machine's Docker."""
    load = f'tar -c -C $folder . | docker import --change "LABEL of=test {change}" - {name}'
    return f'folder=$(mktemp -d); echo "{content}" > $folder/file; {load} && rm -r $folder'


PLACES = {
    "processes, by command line and environment": Place(
        f"systemctl stop sampler; grep -aoFf $NEEDLES {PROCESSES}",
        {"in a command line": f'{seen("$0")} "$canary"', "in an environment": f"export canary; {seen('$canary')}"},
    ),
    "all revisions of the releases": Place(
        f"""
        for release in backend frontend; do
            for revision in $({HELM} history $release -o json | grep -o '"revision":[0-9]*' | cut -d: -f2); do
                {HELM} get all $release --revision $revision
            done
        done | grep -aoFf $NEEDLES""",
        {"in the backend's first": revision("backend", 0), "in the frontend's last": revision("frontend", -1)},
    ),
    "all objects of the cluster but the Secret": Place(
        f"""
        for kind in $({KUBECTL} api-resources --verbs=list -o name); do
            {KUBECTL} get $kind -A -o yaml $([ $kind != secrets ] || echo --field-selector=metadata.name!=backend-secrets)
        done | grep -aoFf $NEEDLES""",
        {
            "in a ConfigMap": f"{KUBECTL} -n default create configmap planted-$RANDOM --from-literal=planted=$canary",
            "in another Secret": f"{KUBECTL} -n todo create secret generic planted-$RANDOM --from-literal=planted=$canary",
            "in a namespace's annotation": f"{KUBECTL} annotate namespace todo --overwrite planted=$canary",
        },
    ),
    "logs of all pods": Place(
        f"""
        {KUBECTL} get pods -A --no-headers | while read -r namespace pod rest; do
            {KUBECTL} -n $namespace logs --all-containers $pod
            {KUBECTL} -n $namespace logs --all-containers --previous $pod
        done 2> /dev/null | grep -aoFf $NEEDLES""",
        {"by a container that runs": pod("second", ""), "by the one before": pod("first", "--previous")},
    ),
    "logs and settings of all containers": Place(
        "for id in $(docker ps -aq); do docker logs $id; docker inspect $id; done 2>&1 | grep -aoFf $NEEDLES",
        {
            "in a log": f'docker run --interactive --network none --entrypoint cat {IMAGE} <<< "$canary"',
            "in a label": f"docker run --network none --label planted=$canary --entrypoint true {IMAGE}",
        },
    ),
    "the machine's journal": Place(
        "journalctl --no-pager | grep -aoFf $NEEDLES",
        {"in a service's line": 'systemd-cat <<< "$canary" && journalctl --sync'},
    ),
    "the node's journal": Place(
        "docker exec todo journalctl --no-pager | grep -aoFf $NEEDLES",
        {"in a service's line": 'docker exec -i todo systemd-cat <<< "$canary" && docker exec todo journalctl --sync'},
    ),
    "layers and settings of all images": Place(
        "docker save $(docker images -q) | grep -aoFf $NEEDLES",
        {"in a file": image("planted:file", content="$canary"), "in a label": image("planted:label", change="planted=$canary")},
    ),
    "compressed layers in the registry": Place(
        "find /var/lib/docker/volumes/todo-registry/_data -type f -exec zgrep -aoFHf $NEEDLES {} +",
        {"in a file": f"{image('planted', content='$canary')} && {PUSH} planted 127.0.0.1:5000/planted:registry"},
    ),
    "compressed layers in the node": Place(
        "find /var/lib/docker/volumes/todo/_data/lib/containerd/io.containerd.content.v1.content -type f -exec zgrep -aoFHf $NEEDLES {} +",
        {
            "in a file": f"{image('planted', content='$canary')} && docker exec todo crictl pull $({PUSH} planted 127.0.0.1:5000/planted:node)",
        },
    ),
    "what the node has in memory": Place(
        "docker exec -i todo grep -raoFHf /dev/stdin /run /tmp --exclude-dir=rootfs < $NEEDLES",
        {f"in {folder}": f"docker exec -i todo tee {folder}/planted <<< \"$canary\"" for folder in ("/run", "/tmp")},
    ),
    "all files": Place(
        "grep -raoFHf $NEEDLES --devices=skip --exclude=processes $(find / -maxdepth 1 -type d ! -name / ! -name proc ! -name sys ! -name dev)",
        {
            "as it is in the user's home": 'echo "$canary" > /home/tester/planted',
            "in base64 in memory": 'echo "of $canary" | base64 > /run/planted',
            "in hexadecimal in /var/lib": 'printf %s "$canary" | od -An -tx1 | tr -d " \\n" > /var/lib/planted',
        },
    ),
}


def planted(place: Place) -> dict[str, str]:
    """The values that were put into the place, by what they were put in."""
    canaries = {name: f"canary-{os.urandom(8).hex()}" for name in place.plants}
    for name, canary in canaries.items():
        root(f"set -o pipefail; read -r canary; {place.plants[name]}", f"{canary}\n")
    return canaries


def found_in(place: Place, canaries: dict[str, str]) -> list[str]:
    """The names of the values and canaries that are found there, for files as FILE:NAME, but for those that have to be where they are."""
    known = {form: name for name, value in {**values, **canaries}.items() for form in forms(value)}
    root(f"umask 077; cat > {NEEDLES}", "\n".join(known) + "\n")
    try:
        lines = root(f"NEEDLES={NEEDLES}; {place.search}", check=False).splitlines()
    finally:
        root(f"rm {NEEDLES}")
    hits = {next((f"{line[: -len(form)]}{name}" for form, name in known.items() if line.endswith(form)), line) for line in lines}
    return sorted(hit for hit in hits if not any(hit.startswith(f"{path}{end}") for path in KEPT for end in (":", "/")))
