"""A PostgreSQL that somebody else keeps, which speaks TLS by an authority of its own that nothing here knows yet."""

from __future__ import annotations

import urllib.parse

from theirs import give

ADDRESS = "192.168.85.241"
# Unusual, so that whatever does not quote it breaks.
PASSWORD = "else'where/%?#@&\\$(id)"
URL = f"postgresql://away:{urllib.parse.quote(PASSWORD, safe='')}@{ADDRESS}/away?sslmode=verify-full"
AUTHORITY = "/root/elsewhere/ca.crt"
START = f"""
set -e
mkdir /root/elsewhere && cd /root/elsewhere
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt
openssl req -newkey rsa:2048 -nodes -subj /CN=elsewhere -keyout server.key -out server.csr
printf 'subjectAltName=IP:{ADDRESS}' > names
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt
chown 70:70 server.* && chmod 600 server.key
image=$(docker inspect --format '{{{{.Config.Image}}}}' todo-database)
docker run --detach --name elsewhere --network todo --ip {ADDRESS} --env=POSTGRES_PASSWORD_FILE=/proc/sys/kernel/random/uuid \\
  --volume=/root/elsewhere:/tls:ro $image -c ssl=on -c ssl_cert_file=/tls/server.crt -c ssl_key_file=/tls/server.key
timeout 60 sh -c 'until docker exec elsewhere pg_isready --quiet --host=127.0.0.1; do sleep 0.2; done'
"""


def start() -> str:
    """It runs, with an empty database. What that printed."""
    password = PASSWORD.replace("'", "''")
    setup = f"CREATE ROLE away LOGIN PASSWORD '{password}'; CREATE DATABASE away OWNER away;"
    return give(f"{{ {START} }} 2>&1") + give("docker exec -i elsewhere psql --username=postgres --quiet --set=ON_ERROR_STOP=1", setup)
