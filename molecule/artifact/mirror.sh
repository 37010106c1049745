# Makes a mirror with two files and an image, a lock file that names them, and a vault with the mirror's login. As root.
{
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends apache2-utils nginx openssl
} > /var/log/packages 2>&1 || { tail -n 30 /var/log/packages >&2; exit 1; }
mkdir -p /etc/mirror /srv/mirror/tools/v1 /etc/systemd/system/nginx.service.d
cd /etc/mirror

# Who vouches for it, and who may read it.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt 2> /dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=mirror -keyout server.key -out server.csr 2> /dev/null
printf 'subjectAltName=IP:127.0.0.1' > names
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt 2> /dev/null
chmod 644 server.key
install --owner=tester ca.crt /home/tester/ca.crt
password=$(openssl rand -hex 12)
htpasswd -Bin reader <<< "$password" > logins

# The registry is the product's own image, and has that image.
archives=(/home/tester/.cache/todochat/store/registry/*/registry.tar)
image=$(docker load --quiet --input "${archives[0]}" | sed 's/^Loaded image: //')
docker run --detach --name theirs --network host --volume /etc/mirror:/set:ro \
  --env REGISTRY_HTTP_ADDR=127.0.0.1:5443 --env REGISTRY_HTTP_TLS_CERTIFICATE=/set/server.crt --env REGISTRY_HTTP_TLS_KEY=/set/server.key \
  --env REGISTRY_AUTH=htpasswd --env REGISTRY_AUTH_HTPASSWD_REALM=theirs --env REGISTRY_AUTH_HTPASSWD_PATH=/set/logins "$image" > /dev/null
install -D ca.crt /etc/docker/certs.d/127.0.0.1:5443/ca.crt
for _ in {1..300}; do
  docker login --username reader --password-stdin 127.0.0.1:5443 <<< "$password" > /dev/null 2>&1 && break
  sleep 0.2
done
pushed=127.0.0.1:5443/library/registry:2.8.3
docker tag "$image" "$pushed"
docker push --quiet "$pushed" > /dev/null
digest=$(docker image inspect --format '{{index .RepoDigests 0}}' "$pushed")
docker logout 127.0.0.1:5443 > /dev/null

# All of it has one address, and 8 MB a second. Where nginx dies, it comes back.
cat > /etc/nginx/conf.d/mirror.conf <<'NGINX'
log_format mirror '$request_method $status $uri $body_bytes_sent "$http_range"';
server {
    listen 127.0.0.1:8443 ssl;
    ssl_certificate /etc/mirror/server.crt;
    ssl_certificate_key /etc/mirror/server.key;
    access_log /var/log/nginx/mirror.log mirror;
    limit_rate 8m;
    location /todochat/ {
        alias /srv/mirror/;
        auth_basic mirror;
        auth_basic_user_file /etc/mirror/logins;
    }
    location /todochat/v2/ {
        proxy_pass https://127.0.0.1:5443/v2/;
        proxy_set_header Host $http_host;
    }
}
NGINX
printf '[Service]\nRestart=always\nRestartSec=2\n' > /etc/systemd/system/nginx.service.d/again.conf
systemctl daemon-reload
systemctl restart nginx

printf '#!/bin/sh\necho small works\n' > /srv/mirror/tools/v1/small
head --bytes=80M /dev/urandom > /srv/mirror/tools/v1/large
small=$(sha256sum < /srv/mirror/tools/v1/small | cut -d ' ' -f 1)
large=$(sha256sum < /srv/mirror/tools/v1/large | cut -d ' ' -f 1)
mkdir /home/tester/lock
cat > /home/tester/lock/artifacts.lock.yml <<LOCK
schema: 1
artifacts:
  small: {version: v1, url: "https://upstream.invalid/tools/{version}/small", sha256: {amd64: $small, arm64: $small}, build: {}, seconds: 1}
  large: {version: v1, url: "https://upstream.invalid/tools/{version}/large", sha256: {amd64: $large, arm64: $large}, build: {}, seconds: 1}
  image: {version: v1, upstream_image: "docker.io/library/registry:2.8.3", sha256: ${digest##*:}, build: {}, seconds: 1}
LOCK
cat > /home/tester/mirror.yml <<VARIABLES
artifact_lock: /home/tester/lock/artifacts.lock.yml
artifact_store: /home/tester/store
artifact_source: mirror
artifact_mirror: https://127.0.0.1:8443/todochat
artifact_mirror_ca: /home/tester/ca.crt
VARIABLES
su --login tester --command 'mkdir store && cd todochat && make vault DO=create' > /dev/null
su --login tester --command "cd todochat && make vault DO=edit ARGS='-e secret=mirror_login'" <<< "reader:$password" > /dev/null
