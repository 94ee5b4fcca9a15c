# `make run` starts the console, `make test` proves it. Both may be repeated; the second time they are quick.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BASE_PYTHON := $(shell command -v python3.11 || command -v python3)
PYTHON := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The environment is made anew only when what it is made of has changed.
installed = .venv/$(1)-$(shell cat $(2) | sha256sum | cut -c1-16)
RUN := $(call installed,run,requirements.txt)
DEV := $(call installed,dev,requirements.txt requirements-dev.txt)

APT := DEBIAN_FRONTEND=noninteractive apt-get
apt_install = $(APT) update -qq && $(APT) install -y -qq --no-install-recommends $(1) >/dev/null

.PHONY: help
help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: migrate build ## Start the console with its demo company
	@$(PYTHON) -m ticket_console.demo.seed
	@export SIMULATOR="$${SIMULATOR:-1}"; exec $(PYTHON) -m ticket_console.serve

.PHONY: migrate
migrate: $(RUN) ## Bring the database of DATABASE_URL up to date
	@$(PYTHON) -m alembic upgrade head

.PHONY: build
build: $(RUN) ## Build the front end if its sources changed
	@$(PYTHON) -m tools.build_frontend

.PHONY: test
test: lint system build ## Everything that has to hold: lint, types, contracts, unit, state, both databases, browser
	@$(PYTHON) -m pytest -q -n 2 -m "not browser"
	@$(PYTHON) -m pytest -q -m browser

.PHONY: lint
lint: $(DEV) ## Style, types and import directions
	@ruff check --quiet .
	@ruff format --check --quiet .
	@mypy
	@lint-imports --no-cache --verbose >.venv/contracts.txt || { cat .venv/contracts.txt; exit 1; }

# Tickets rated and itemised from end to end; a tenth of it tells as much on a small machine.
POPULATION ?= 1000000

.PHONY: bench
bench: $(DEV) build ## Measure the console beside the raw floor of this machine
	@$(PYTHON) -m benchmarks.engine
	@$(PYTHON) -m benchmarks.rating
	@$(PYTHON) -m benchmarks.population --tickets $(POPULATION)
	@$(PYTHON) -m benchmarks.exports
	@$(PYTHON) -m benchmarks.deciding
	@$(PYTHON) -m benchmarks.batch
	@$(PYTHON) -m benchmarks

.PHONY: replay
replay: $(RUN) ## Feed FILE, a file of real service requests, through the HTTP API
	@$(PYTHON) -m tools.replay $(FILE)

.PHONY: migration
migration: $(DEV) ## Write the first migration anew from the tables (until the first release)
	@$(PYTHON) -m tools.first_migration

.PHONY: pins
pins: $(DEV) ## Write the exact versions of this environment into the requirements
	@$(PYTHON) -m tools.pins

.PHONY: system
system:
	@command -v chromium >/dev/null && [ -n "$$(fc-list :lang=zh-cn family 2>/dev/null)" ] && command -v redis-server >/dev/null \
		|| { $(call apt_install,chromium fontconfig fonts-noto-cjk redis-server); }

.venv/bin/python:
	@$(BASE_PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(call apt_install,python3-venv); }
	@$(BASE_PYTHON) -m venv .venv

$(RUN): | .venv/bin/python
	@echo "Installing what the console runs on ..."
	@$(PYTHON) -m pip install --quiet --requirement requirements.txt
	@touch $@

$(DEV): | $(RUN)
	@echo "Installing what the tests need ..."
	@$(PYTHON) -m pip install --quiet --requirement requirements-dev.txt
	@touch $@
