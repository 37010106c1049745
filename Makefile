# What an operator or a developer says here. Everything that knows how is in bootstrap, site.yml, playbooks/ and tests/.
# Each is given on the command line, never by the environment, where a name like FILE is somebody else's: `make backup FILE=path`.
PYTHON := python3
RUN = $(PYTHON) -I bootstrap$(if $(FROM), --from '$(FROM)'$(if $(KEY), --key '$(KEY)')) --
RUN_TEST := $(PYTHON) -I bootstrap --test --
ARGS :=
ROLE :=
VM :=
DO := list
FILE :=
FROM :=
KEY :=
TO :=
EMAIL :=
# Where the caller stands, for whom messages name commands: with -C that is elsewhere.
export TODOCHAT_CALLED_FROM := $(value PWD)
VAULT := $(sort $(basename $(notdir $(wildcard playbooks/vault/*.yml))))

.DEFAULT_GOAL := help
.PHONY: help up plan doctor status diagnose mcp logs open stop start down compose vault backup restore drill schedule rollback move reset-password assist bundle check test test-full bench lock

help: ## Show this list
	@echo "make TARGET [ARGS='--tags NAME ...']   (ARGS goes to ansible-playbook)"
	@sed -n 's/^\([a-z-]*\):.*## /  \1	/p' $(MAKEFILE_LIST) | expand -t 12

up: ## Take this machine to the running application; run again, it changes only what differs. FROM=folder: with a bundle, without a network
	@$(RUN) ansible-playbook site.yml $(ARGS)

plan: ## Show what `make up` would change, and change nothing
	@$(RUN) ansible-playbook site.yml --check --diff $(ARGS)

doctor: ## Say what stands in the way on this machine, before anything is installed; change nothing
	@$(RUN) ansible-playbook playbooks/doctor.yml --check --tags preflight $(ARGS)

status: ## Show how the application and its parts are, and which command comes next
	@$(RUN) ansible-playbook playbooks/status.yml $(ARGS)

diagnose: ## Name what is wrong, with what shows it and the command that mends it; change nothing
	@$(RUN) ansible-playbook playbooks/diagnose.yml --check $(ARGS)

mcp: ## Let other programs look, by the Model Context Protocol: install that, and show what to paste
	@$(RUN) ansible-playbook playbooks/mcp.yml $(ARGS)

logs: ## Show the last lines of both services; ARGS='-e service=backend,database -e lines=200' of others
	@$(RUN) ansible-playbook playbooks/logs.yml $(ARGS)

open: ## Open the application in a browser
	@$(RUN) ansible-playbook playbooks/open.yml $(ARGS)

stop: ## Stop the application, the cluster and what stands beside it; the data stays
	@$(RUN) ansible-playbook playbooks/stop.yml $(ARGS)

start: ## Bring back what was stopped, as it was
	@$(RUN) ansible-playbook playbooks/start.yml $(ARGS)

down: ## Take the cluster away, the data stays; ARGS='-e remove=application' less, data, installed more
	@$(RUN) ansible-playbook playbooks/down.yml $(ARGS)

compose: ## Run the application without Kubernetes, by compose.yaml, with the images of the cluster
	@$(RUN) ansible-playbook playbooks/compose.yml $(ARGS)

vault: ## List the vault's secrets; DO=create, edit, rekey or rotate: do that, ARGS='-e secret=NAME' with one of them
	$(if $(filter $(DO),$(VAULT)),,$(error There is no DO=$(DO) for a vault. Choose one of $(VAULT)))
	@$(RUN) ansible-playbook playbooks/vault/$(DO).yml $(ARGS)

backup: ## Write a backup of the database, proven by restoring it; FILE=path: there
	@$(RUN) ansible-playbook playbooks/backup.yml $(if $(FILE),-e '{"file": "$(FILE)"}') $(ARGS)

restore: ## Put the backup FILE=path in the place of what is in the database; ARGS='-e replace=todo' where it holds data
	@$(RUN) ansible-playbook playbooks/restore.yml $(if $(FILE),-e '{"file": "$(FILE)"}') $(ARGS)

drill: ## Restore the newest backup for a trial, beside the database, and say whether it passed; FILE=path: that one
	@$(RUN) ansible-playbook playbooks/drill.yml $(if $(FILE),-e '{"file": "$(FILE)"}') $(ARGS)

schedule: ## Back the database up every day, with a drill, and keep 7; ARGS='-e every=weekly -e keep=4' otherwise, every=off no more
	@$(RUN) ansible-playbook playbooks/schedule.yml $(ARGS)

rollback: ## Go back to the revision of the deployment before what runs; TO=number: to that one
	@$(RUN) ansible-playbook playbooks/rollback.yml $(if $(TO),-e to=$(TO)) $(ARGS)

move: ## Move people and their data to the deployment of the inventory TO=path; ARGS='-i path': from that one
	@$(RUN) python scripts/move $(if $(TO),--to $(TO)) $(ARGS)

reset-password: ## Give the account EMAIL=address another password, which is shown once; its sessions end
	@$(RUN) ansible-playbook playbooks/reset_password.yml $(if $(EMAIL),-e '{"email": "$(EMAIL)"}') $(ARGS)

assist: ## Set up assistants for operations that can look and change nothing; ARGS='-e ai_devops_state=absent' takes them away
	@$(RUN) ansible-playbook playbooks/ai_devops.yml $(ARGS)

# A shell expands ~ in a word like KEY=~/key, or leaves it; the playbook expands it.
bundle: AT = $(FILE:~/%=$(HOME)/%)
bundle: ## Fill the store with everything that comes from outside; FILE=folder: write a bundle for machines without a network, KEY=file: signed with that
	@$(RUN) ansible-playbook playbooks/bundle.yml $(if $(FILE),-e '{"file": "$(FILE)"}') $(ARGS)
	$(if $(and $(FILE),$(KEY)),@rm -f '$(AT)/manifest.json.sig' && ssh-keygen -q -Y sign -f '$(KEY:~/%=$(HOME)/%)' -n todochat-bundle '$(AT)/manifest.json')

check: ## Run all linters, type checks and the unit tests that need no database
	@$(RUN_TEST) python tests/run.py check

test: ## Run the checks, the site with a browser on it, and each scenario that has no passing record; ROLE=name: that one; VM=bookworm: a real machine
	@$(RUN_TEST) python tests/run.py $(if $(VM),machine $(VM),test $(ROLE))

test-full: ## Run everything, whatever passed before
	@$(RUN_TEST) python tests/run.py test-full

bench: ## Time a deployment of its own against a plain shell script's; ARGS='--runs N' for medians
	@$(RUN) python bench/deployment.py $(ARGS)

lock: ## Write the Python lock files anew, take Debian's packages of today, and record what artifacts.lock.yml lacks; needs the Internet
	@$(RUN_TEST) python tests/run.py lock
