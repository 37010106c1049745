"""What people's shells, and other tools, leave in the environment of a command: for each a piece of shell that makes it so.

None of it is asked for by who runs `make`, and none changes what that does.
"""

from __future__ import annotations

FAILS = "#!/bin/sh\\nexit 9\\n"
KUBERC = """apiVersion: kubectl.config.k8s.io/v1beta1
kind: Preference
defaults:
- {command: get, options: [{name: output, default: name}]}"""
DOCKERS = '{"currentContext": "other", "proxies": {"default": {"httpProxy": "http://192.0.2.1:9"}}}'
HOSTILE = {
    "a locale that is not installed": "export LC_ALL=de_AT.UTF-8 LANG=de_AT.UTF-8",
    "no locale": "export LC_ALL=C LANG=C",
    "a language": "export LANGUAGE=de LC_MESSAGES=de_DE.UTF-8 LC_NUMERIC=de_DE.UTF-8",
    "files for their owner alone": "umask 077",
    "files for everybody": "umask 000",
    "a temporary folder of one's own": "mkdir -m 700 -p ~/tmp; export TMPDIR=~/tmp TMP=~/tmp TEMP=~/tmp",
    "a temporary folder that is gone": "export TMPDIR=/nowhere",
    "no configuration of Ansible": "export ANSIBLE_CONFIG=",
    "another project's Ansible": "export ANSIBLE_CONFIG=/nowhere/ansible.cfg ANSIBLE_INVENTORY=/nowhere ANSIBLE_COLLECTIONS_PATH=/nowhere",
    "another way to become root": "export ANSIBLE_BECOME_METHOD=doas ANSIBLE_BECOME_USER=nobody ANSIBLE_REMOTE_USER=nobody",
    "another view of Ansible": "export ANSIBLE_STDOUT_CALLBACK=minimal ANSIBLE_CALLBACKS_ENABLED=x ANSIBLE_LOG_PATH=/nowhere/log",
    "Ansible's tags and strategy": "export ANSIBLE_RUN_TAGS=none ANSIBLE_SKIP_TAGS=all ANSIBLE_STRATEGY=debug ANSIBLE_GATHERING=explicit",
    "another Python's modules": "export PYTHONPATH=/nowhere PYTHONHOME=/nowhere PYTHONSTARTUP=/nowhere PYTHONOPTIMIZE=2 PYTHONIOENCODING=ascii",
    "another virtual environment": "export VIRTUAL_ENV=/nowhere CONDA_PREFIX=/nowhere PYENV_VERSION=2.7",
    "a PATH as a plain su leaves it": "export PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
    "programs of other people first": f"mkdir -p ~/programs; cd ~/programs; printf '{FAILS}' | tee docker kubectl helm minikube > /dev/null; "
    "chmod 755 *; cd - > /dev/null; export PATH=~/programs:$PATH",
    "another cluster": "export KUBECONFIG=/nowhere KUBECTL_COMMAND_HEADERS=false KUBECTL_EXTERNAL_DIFF=false",
    "kubectl's preferences": f"mkdir -p ~/.kube; echo '{KUBERC}' > ~/.kube/kuberc",
    "another Helm": "export HELM_NAMESPACE=other HELM_DRIVER=configmap HELM_KUBECONTEXT=other HELM_DEBUG=true HELM_PLUGINS=/nowhere",
    "another minikube": "export MINIKUBE_HOME=/nowhere MINIKUBE_PROFILE=other MINIKUBE_DRIVER=none MINIKUBE_ACTIVE_DOCKERD=x",
    "another context of Docker": f"mkdir -p ~/.docker; echo '{DOCKERS}' > ~/.docker/config.json; "
    "export DOCKER_CONTEXT=other BUILDX_BUILDER=other DOCKER_DEFAULT_PLATFORM=linux/s390x",
    "another database": "export PGHOST=192.0.2.1 PGPORT=1 PGUSER=other PGSERVICE=other PGSSLMODE=verify-full DATABASE_URL=postgresql://192.0.2.1/other",
    "a proxy that knows nothing of this machine": "export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9 "
    "HTTPS_PROXY=http://127.0.0.1:9 ALL_PROXY=socks5://127.0.0.1:9",
    "another project's git": "export GIT_DIR=/nowhere GIT_WORK_TREE=/nowhere GIT_CONFIG_GLOBAL=/nowhere",
    "variables of make's": "export ARGS=--version DO=edit FILE=/nowhere TO=1 ROLE=other VM=other EMAIL=me@example.org PYTHON=/nowhere",
    "settings of shells": "export CDPATH=/ IFS=x BASH_ENV=/nowhere ENV=/nowhere POSIXLY_CORRECT=1 GREP_OPTIONS=-v GLOBIGNORE='*'",
    "settings of Node.js and pip": "export NODE_OPTIONS=--require=/nowhere PIP_REQUIRE_VIRTUALENV=true PIP_USER=true PIP_TARGET=/nowhere",
    "relative folders of XDG": "export XDG_CONFIG_HOME=config XDG_STATE_HOME=state XDG_CACHE_HOME=cache",
    "another name": "export USER=other LOGNAME=other USERNAME=other SUDO_USER=other MAIL=/nowhere",
    "few files and small ones": "ulimit -S -n 64; ulimit -S -f 100",
    "no standard input": "exec <&-",
    "open files of who started it": "exec 7</etc/passwd 8>/dev/null 9</etc/group",
    "a folder that is gone": 'gone=$(mktemp -d); checkout=$PWD; cd "$gone"; rmdir "$gone"; cd "$checkout"; export PWD=$gone OLDPWD=$gone',
    "signals that are ignored": "trap '' INT HUP CHLD PIPE TERM",
    "a checkout that everybody may write to": "chmod 777 .",
    "no terminal to speak of": "export TERM=unknown COLUMNS=0 LINES=x NO_COLOR=1",
}
