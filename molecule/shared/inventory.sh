#!/bin/bash
# Prints what there is on a machine that a run could touch, a line each: what is in Docker, and, without `docker` as
# argument, also kube contexts, files with mode, owner and content, packages, users and groups. To be run as root.
if command -v docker >/dev/null && docker version >/dev/null 2>&1; then
  docker container ls --all --format 'container {{.Names}}'
  docker network ls --format 'network {{.Name}}'
  docker volume ls --format 'volume {{.Name}}'
  docker image ls --format 'image {{.Repository}}:{{.Tag}} {{.ID}}'
fi
[ "$1" = docker ] && exit

sed -n 's/^- name: /context /p; s/^current-context: /current context /p' /home/*/.kube/config 2>/dev/null
# Not what Ansible, Python, pip and kubectl keep for themselves, nor the copies that tools make of /etc/group and the like.
theirs=(\( -path '*/.ansible' -o -path '*/.venv' -o -path '*/__pycache__' -o -path '*/.cache/pip' -o -path '*/.kube/cache' -o -path '/etc/*-' -o -path /etc/ld.so.cache \) -prune)
places=(/home /root /opt /srv /etc /usr/local -xdev)
find "${places[@]}" "${theirs[@]}" -o -type f -printf 'file %p %m %u:%g\n' -o -type l -printf 'link %p %l %u:%g\n' -o -type d -printf 'folder %p %m %u:%g\n'
find "${places[@]}" "${theirs[@]}" -o -type f -exec sha256sum {} + | sed -E 's/^(.{16})\S+ +(.*)/file \2 \1/'
find /var/lib -mindepth 1 -maxdepth 1 -printf '%y %p %u:%g\n'
dpkg-query --show --showformat 'package ${Package} ${db:Status-Status}\n'
getent passwd | sed 's/^/user /'
getent group | sed 's/^/group /'
