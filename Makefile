# What an operator or a developer says here. Everything that knows how is in bootstrap, site.yml, playbooks/ and tests/.
PYTHON ?= python3
RUN := $(PYTHON) bootstrap --
RUN_TEST := PYTHONPATH=.ansible/collections $(PYTHON) bootstrap --test --
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help up plan down bundle check test lock

help: ## Show this list
	@echo "make TARGET [ARGS='--tags NAME ...']   (ARGS goes to ansible-playbook)"
	@sed -n 's/^\([a-z-]*\):.*## /  \1	/p' $(MAKEFILE_LIST) | expand -t 12

up: ## Take this machine to the running application; run again, it changes only what differs
	@$(RUN) ansible-playbook site.yml $(ARGS)

plan: ## Show what `make up` would change, and change nothing
	@$(RUN) ansible-playbook site.yml --check --diff $(ARGS)

down: ## Stop the application and take the cluster away; the data stays
	@$(RUN) ansible-playbook playbooks/down.yml $(ARGS)

bundle: ## Fill the store with everything that comes from outside, for use without the Internet
	@$(RUN) ansible-playbook playbooks/bundle.yml $(ARGS)

check: ## Run all linters, type checks and the unit tests that need no database
	@$(RUN_TEST) python tests/run.py check

test: ## Run everything: the checks, the backend's tests in its image, a fresh Debian system and a browser on it
	@$(RUN_TEST) python tests/run.py test

lock: ## Write the Python lock files anew, and record what artifacts.lock.yml lacks; needs the Internet
	@$(RUN_TEST) python tests/run.py lock
