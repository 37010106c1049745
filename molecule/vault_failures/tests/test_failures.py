"""Every task that handles a secret fails once, and its cause is readable; tests/unit/test_secrets.py knows which there are.

The order matters.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

import yaml
from vault_commands import (
    CONFIG,
    UNUSUAL,
    done_and_undone,
    passes,
    printed,
    read_only_database,
    read_vault,
    refused,
    root,
    unchangeable_secret,
)

pytest_plugins = ["vault_commands"]


def test_what_is_given_wrongly_has_one_message_and_changes_nothing() -> None:
    before = read_vault()
    edit = "The secret is as given"
    rotate = "The secret can have a new value"
    names = "database_password, database_login, database_url, jwt_keys, model_api_key, registry_login, mirror_login, checksum_key"
    refused(edit, "make vault DO=edit ARGS='-e secret=kanarienvogel' < /dev/null", "kanarienvogel", names)
    refused(edit, "make vault DO=edit ARGS='' < /dev/null", "It is not said which secret", "-e secret=NAME")
    refused(edit, "make vault DO=edit ARGS='-e secret=jwt_keys' < /dev/null", "standard input is empty", "from_file")
    refused(edit, "echo kanarie-is-no-ring | make vault DO=edit ARGS='-e secret=jwt_keys'", "must be a mapping", verbosely=True)
    refused(edit, "make vault DO=edit ARGS='-e secret=checksum_key -e from_file=/no/such'", "/no/such cannot be read: No such file")
    refused(rotate, "make vault DO=rotate ARGS='-e secret=database_url'", "external database", "DO=edit")
    refused(rotate, "make vault DO=rotate ARGS='-e secret=model_api_key'", "provider", "DO=edit")
    assert read_vault() == before


@contextmanager
def another_config(size: str = "1m") -> Iterator[str]:
    """A configuration folder of the user's in memory, with this vault and its password; the prefix that uses it."""
    root(f"mkdir -p /mnt/other && mount -t tmpfs -o size={size},mode=700,uid=$(id -u tester) tmpfs /mnt/other && cp -a {CONFIG} /mnt/other/todochat")
    try:
        yield "XDG_CONFIG_HOME=/mnt/other "
    finally:
        root("umount /mnt/other")


def fill(folder: str) -> None:
    root(f"dd if=/dev/zero of={folder}/full bs=4k 2> /dev/null; true")


def test_a_vault_that_does_not_fit_stops_every_way_before_anything_is_touched() -> None:
    task = "A vault that is there opens and is complete"
    with another_config() as elsewhere:
        root("cp /mnt/other/todochat/todo/vault.yml /mnt/other/kept; echo 'another password of the vault' > /mnt/other/todochat/vault-password")
        refused(task, f"{elsewhere}make up ARGS='--tags app_secrets'", "does not open with the vault password in force", "ANSIBLE_VAULT_PASSWORD_FILE")
        text = yaml.safe_dump({**read_vault(), "vault_checksum_key": "changeme"})
        encrypt = "cd todochat && cat > $V && XDG_CONFIG_HOME=/mnt/other .venv/bin/ansible-vault encrypt $V".replace("$V", "/mnt/other/todochat/todo/vault.yml")
        root(f"su --login tester --command {shlex.quote(encrypt)}", text)
        for command in ("make stop ARGS=''", "make plan ARGS='--tags app_secrets'"):
            refused(task, elsewhere + command, "vault_checksum_key is empty or a placeholder", "ansible-vault edit /mnt/other")
        playbook = f"{elsewhere}python3 bootstrap -- ansible-playbook playbooks/app.yml"
        refused(task, playbook, "vault_checksum_key is empty or a placeholder")


def test_a_vault_that_cannot_be_written_is_as_before() -> None:
    before = read_vault()
    with another_config("64k") as elsewhere:
        fill("/mnt/other")
        value = "echo kanarie-never-written-0815 |"
        refused("The secret is as given", f"{value} {elsewhere}make vault DO=edit ARGS='-e secret=checksum_key'", "cannot be written: No space left")
        refused("The secret has a new value", f"{elsewhere}make vault DO=rotate ARGS='-e secret=jwt_keys'", "cannot be written: No space left")
        refused("The vaults have a new password", f"{elsewhere}make vault DO=rekey ARGS=''", "No space left")
        root(f"diff --recursive {CONFIG} /mnt/other/todochat")
        root("rm /mnt/other/todochat/todo/vault.yml; chmod 500 /mnt/other/todochat/todo")
        arguments = "ARGS='-e database_reset_password=true --tags vault'"
        refused("The vault opens and is complete", f"{elsewhere}make up {arguments}", "cannot be written: Permission denied")
        refused("The vault opens and is complete", f"{elsewhere}make vault DO=create ARGS=''", "cannot be written: Permission denied")
        refused("There is a password", f"{elsewhere}make up ARGS='-e database_reset_password=true --tags database_configure'", "--tags vault")
    assert read_vault() == before


def test_a_password_that_comes_from_a_program_is_refused() -> None:
    script = "/home/tester/my-password"
    with done_and_undone(f"printf '#!/bin/sh\\ncat {CONFIG}/vault-password\\n' > {script}; chmod 755 {script}", f"rm {script}"):
        command = f"ANSIBLE_VAULT_PASSWORD_FILE={script} make vault DO=rekey ARGS=''"
        refused("The vaults have a new password", command, f"comes from the program {script}")


def test_a_database_that_cannot_be_asked_is_named() -> None:
    hba = "/var/lib/docker/volumes/todo-database/_data/pgdata/pg_hba.conf"
    again = "docker kill --signal HUP todo-database"
    with done_and_undone(f"cp -p {hba} {hba}.kept && sed -i '1i local all all reject' {hba} && {again}", f"mv {hba}.kept {hba} && {again}"):
        refused("The database is compared with what is asked", "make up ARGS='--tags database'", "todo-database refused", "pg_hba.conf rejects connection")
    with done_and_undone("docker pause todo-database", "docker unpause todo-database"):
        refused("The database has its owner and its login", "make up ARGS='--tags database'", "does not accept connections (it is paused")
    away = "docker stop todo-database"
    with done_and_undone(away, "docker start todo-database"):
        refused("What runs is what was built, and a user's way through the application works", "make up ARGS='--tags app_check'", "todo-database")
        refused("An earlier revision serves again", "make rollback TO=99", "There is no revision 99")
    # another container has its address
    taken = "docker rm --force todo-database && docker run --detach --name taken --network todo --ip 192.168.85.251 --entrypoint sleep"
    image = "$(docker container inspect --format '{{.Config.Image}}' todo-registry) 600"
    with done_and_undone(f"{taken} {image}", "docker rm --force taken"):
        refused("The database container runs on its volume", "make up ARGS='--tags database'", "Address already in use")
    passes("make up ARGS='--tags database'")


def test_an_external_database_that_does_not_answer_is_named_without_its_password() -> None:
    passes("make vault DO=edit ARGS='-e secret=database_url'", f"postgresql://u:{os.urandom(9).hex()}%2F@127.0.0.1:9/d\n")
    refused("The external database can be reached", "make up ARGS='--tags database'", "127.0.0.1:9", "make vault DO=edit")
    passes("make vault DO=edit ARGS='-e secret=database_url'", "\n")


def test_another_password_than_the_databases_is_refused_until_a_reset_is_asked_for() -> None:
    passes("make vault DO=edit ARGS='-e secret=database_password'", UNUSUAL["database_password"] + "\n")
    refused(
        "What was asked fits this machine, its Docker and the database",
        "make up ARGS='--tags preflight'",
        "has another password than the vault says",
        verbosely=True,
    )
    with read_only_database():
        refused(
            "The database has its owner and its login",
            "make up ARGS='-e database_reset_password=true --tags database'",
            "read-only transaction",
            verbosely=True,
        )


def test_a_cluster_that_refuses_or_does_not_answer_is_named() -> None:
    task = "The backend finds its secrets in a namespace that admits restricted pods only"
    arguments = "-e database_reset_password=true --tags app_secrets"
    with unchangeable_secret():
        refused(task, f"make up ARGS='{arguments}'", "the cluster refused the Secret", "no changes today", verbosely=True)
    config = "/home/tester/.local/state/todochat/todo/kubeconfig"
    root(f"sed 's,\\(server: https://[^:]*\\):.*,\\1:1,' {config} > /home/tester/nobody; chown tester /home/tester/nobody")
    refused(task, f"make up ARGS='{arguments} -e app_secrets_kubeconfig=/home/tester/nobody'", "the cluster cannot be asked", "refused")
    root("rm /home/tester/nobody")


def test_a_wrong_login_is_named_by_the_rollout() -> None:
    # the Secret has the vault's password, the database another one
    arguments = "-e database_reset_password=true -e app_release_timeout=30 --tags app_secrets,app_release"
    refused("Both releases are as charts, images and secrets say", f"make up ARGS='{arguments}'", "The rollout of backend", verbosely=True)
    assert all("password authentication failed for user" in text for text in list(printed.values())[-2:])
    passes("make up ARGS='-e database_reset_password=true'")
    assert "changed=0" in passes("make up")
