#!/usr/bin/env bash
# The baseline of bench/deployment.py, which gives it all variables below: the script that somebody would write who
# wants the application running and nothing else. It issues the commands of site.yml with the same images, flags and
# files, one after another, and ends in the same state. It checks no hashes, compares nothing and explains nothing.
#
#   plain.sh up     from nothing to /health/ready; run again, what is there is kept
#   plain.sh edit   builds the edited backend, loads it into the node and rolls it out
#   plain.sh back   has Helm put back what was before the edit
#   plain.sh down   takes away what up or site.yml made under this name
#
# A line "== part" begins each part; parts are named as the roles that do the same.
set -euo pipefail
umask 022
shopt -s nullglob

registry_name=$NAME-registry
database_name=$NAME-database
url=http://127.0.0.1:$FRONTEND_PORT
export KUBECONFIG

part() { echo "== $1"; }

# minikube's docker driver refuses root
user=$(id -un)
as_user=()
if [ "$user" = root ]; then
  user=minikube
  as_user=(runuser -u "$user" --)
fi

find_home() {
  local home
  home=$(getent passwd "$user" | cut -d: -f6)
  minikube_home=$home/.local/share/todochat/$NAME/.minikube
  # shellcheck disable=SC2153 # MINIKUBE is the caller's, minikube the command with all around it
  minikube=("${as_user[@]}" env --chdir=/ HOME="$home" USER="$user" LOGNAME="$user" MINIKUBE_HOME="$minikube_home" KUBECONFIG="$minikube_home/kubeconfig"
    MINIKUBE_IN_STYLE=false MINIKUBE_WANTUPDATENOTIFICATION=false MINIKUBE_SUPPRESS_DOCKER_PERFORMANCE=true "$MINIKUBE")
}

# build NAME REFERENCE: package sources and certificates come as secrets, as in the role
build() {
  local arguments=() file base=PYTHON
  [ "$1" = backend ] || base=NODE
  local builder=${base}_BUILDER_IMAGE runtime=${base}_RUNTIME_IMAGE
  for file in "$BUILD_SECRETS"/*; do
    arguments+=("--secret=id=${file##*/},src=$file")
  done
  DOCKER_BUILDKIT=1 docker build --progress=plain --tag="$2" --build-arg=BUILDER_IMAGE="${!builder}" --build-arg=RUNTIME_IMAGE="${!runtime}" "${arguments[@]}" "$SOURCES/$1"
}

# push REFERENCE: leaves the digest in $digest
push() { digest=$(docker push "$1" | sed -n 's/.*digest: \(sha256:[0-9a-f]*\) .*/\1/p'); }

# build_and_push NAME: leaves the digest in $digest
build_and_push() {
  local reference=$REGISTRY/$NAME/$1:plain
  build "$1" "$reference"
  push "$reference"
}

# made FILE COMMAND...: a secret that is made once
made() {
  local file=$SECRETS/$1
  shift
  [ -s "$file" ] || (umask 077 && "$@" >"$file")
}
random() { head -c 32 /dev/urandom | base64 --wrap=0 | tr '+/' '-_' | tr -d '='; }
jwt_keys() { printf '{"active":"plain","keys":{"plain":"%s"}}' "$(random)"; }
database_url() { printf 'postgresql://todo_app:%s@%s:5432/todo' "$(cat "$SECRETS/database_password")" "$DATABASE_ADDRESS"; }

healthy() {
  curl --noproxy '*' --silent --show-error --fail --output /dev/null --max-time 10 --retry 60 --retry-delay 1 --retry-all-errors "$url/health/ready"
}

up() {
  part network
  docker network inspect "$NAME" >/dev/null 2>&1 || docker network create --subnet="$SUBNET" --gateway="$GATEWAY" "$NAME"

  part image_registry
  docker container inspect "$registry_name" >/dev/null 2>&1 ||
    docker run --detach --name="$registry_name" --restart=unless-stopped --network="$NAME" --ip="$REGISTRY_ADDRESS" --publish="$REGISTRY:5000" \
      --volume="$registry_name:/var/lib/registry" "$REGISTRY_IMAGE"

  part database
  made database_password random
  made jwt_keys jwt_keys
  made database_url database_url
  docker container inspect "$database_name" >/dev/null 2>&1 ||
    docker run --detach --name="$database_name" --restart=unless-stopped --stop-timeout=60 --shm-size=128m --network="$NAME" --ip="$DATABASE_ADDRESS" \
      --env=PGDATA=/var/lib/postgresql/data/pgdata --env=POSTGRES_PASSWORD_FILE=/proc/sys/kernel/random/uuid \
      --env=POSTGRES_INITDB_ARGS='--encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8' \
      --health-cmd='pg_isready --quiet --host=127.0.0.1' --health-interval=5s --health-timeout=3s --health-retries=6 --health-start-period=30s \
      --volume="$database_name:/var/lib/postgresql/data" "$POSTGRES_IMAGE"
  timeout 60 sh -c "until docker exec $database_name pg_isready --quiet --host=127.0.0.1; do sleep 0.1; done"
  docker exec --interactive "$database_name" psql --no-psqlrc --quiet --username=postgres --set=ON_ERROR_STOP=1 --set=VERBOSITY=terse <<SQL
SELECT 'CREATE ROLE todo_owner NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'todo_owner') \gexec
SELECT 'CREATE DATABASE todo OWNER todo_owner' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'todo') \gexec
SELECT 'CREATE ROLE todo_app LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'todo_app') \gexec
ALTER ROLE todo_app PASSWORD '$(cat "$SECRETS/database_password")';
GRANT todo_owner TO todo_app;
ALTER ROLE todo_app SET role = todo_owner;
SQL

  part minikube
  [ ${#as_user[@]} = 0 ] || id "$user" >/dev/null 2>&1 || useradd --create-home --shell=/bin/bash --groups=docker "$user"
  find_home
  "${as_user[@]}" mkdir -p "$minikube_home/cache" "$minikube_home/files/etc/containerd/certs.d/$REGISTRY"
  cp --recursive --dereference --update "$CACHE/." "$minikube_home/cache/"
  cat >"$minikube_home/files/etc/containerd/certs.d/$REGISTRY/hosts.toml" <<TOML
server = "http://$REGISTRY_ADDRESS:5000"
[host."http://$REGISTRY_ADDRESS:5000"]
  capabilities = ["pull", "resolve"]
TOML
  [ ${#as_user[@]} = 0 ] || chown -R "$user:" "$minikube_home/cache" "$minikube_home/files"
  "${minikube[@]}" start --profile="$NAME" --driver=docker --container-runtime=containerd --kubernetes-version="$KUBERNETES_VERSION" --cpus="$CPUS" \
    --memory="$MEMORY" --nodes=1 --network="$NAME" --ports="127.0.0.1:$FRONTEND_PORT:$FRONTEND_PORT" --base-image="$NODE_IMAGE" --cni=bridge --extra-config=apiserver.enable-aggregator-routing=true \
    --preload=false --install-addons=false --embed-certs --interactive=false
  install -D --mode=0600 "$minikube_home/kubeconfig" "$KUBECONFIG"

  part metrics_server
  docker tag "$METRICS_SERVER_IMAGE" "$REGISTRY/$NAME/metrics-server:plain"
  push "$REGISTRY/$NAME/metrics-server:plain"
  "$HELM" upgrade --install metrics-server "$METRICS_SERVER_CHART" --namespace=kube-system --wait \
    --set="image.repository=$REGISTRY/$NAME/metrics-server,image.digest=$digest"

  part app_images
  build_and_push backend
  local backend_digest=$digest
  build_and_push frontend
  local frontend_digest=$digest

  part app_secrets
  "$KUBECTL" apply --filename=- <<YAML
apiVersion: v1
kind: Namespace
metadata:
  name: $NAME
  labels: {pod-security.kubernetes.io/enforce: restricted}
YAML
  "$KUBECTL" create secret generic backend-secrets --namespace="$NAME" --dry-run=client --output=yaml \
    --from-file="$SECRETS/database_url" --from-file="$SECRETS/jwt_keys" | "$KUBECTL" apply --server-side --filename=-

  part app_release
  "$HELM" upgrade --install backend "$SOURCES/backend/chart" --namespace="$NAME" --wait \
    --set="image.repository=$REGISTRY/$NAME/backend,image.digest=$backend_digest"
  "$HELM" upgrade --install frontend "$SOURCES/frontend/chart" --namespace="$NAME" --wait \
    --set="image.repository=$REGISTRY/$NAME/frontend,image.digest=$frontend_digest,service.nodePort=$FRONTEND_PORT"

  part app_check
  healthy
}

edit() {
  local reference=$NAME/backend:edited
  find_home
  part app_images
  build backend "$reference"
  "${minikube[@]}" image load --profile="$NAME" "$reference"
  part app_release
  "$KUBECTL" set image --namespace="$NAME" deployment/backend "migrations=$reference" "backend=$reference"
  "$KUBECTL" rollout status --namespace="$NAME" deployment/backend --timeout=300s
  part app_check
  healthy
}

back() {
  part app_release
  "$HELM" rollback backend --namespace="$NAME" --wait
  part app_check
  healthy
}

down() {
  if id "$user" >/dev/null 2>&1; then
    find_home
    # without the profile's own record minikube would find nothing to delete
    [ ! -d "$minikube_home/profiles/$NAME" ] || "${minikube[@]}" delete --profile="$NAME"
    rm -rf "${minikube_home%/.minikube}"
  fi
  docker ps --all --quiet --filter="name=^/?$NAME(-registry|-database)?\$" | xargs --no-run-if-empty docker rm --force --volumes
  docker volume ls --quiet --filter="name=^$NAME(-registry|-database)?\$" | xargs --no-run-if-empty docker volume rm
  docker network ls --quiet --filter="name=^$NAME\$" | xargs --no-run-if-empty docker network rm
  docker image ls --filter="reference=$NAME/*" --filter="reference=$REGISTRY/$NAME/*" --filter="reference=todochat/$NAME-*" --format='{{.Repository}}:{{.Tag}}' |
    xargs --no-run-if-empty docker image rm
}

"$1"
