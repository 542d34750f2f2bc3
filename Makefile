# Cohort: everything a developer types. Python 3.11 or newer, make and a network for the first installation are all it takes.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := run
.PHONY: setup run test lint eval bench bars models lock clean

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest
OWN := --no-deps --editable .

setup: $(VENV)/.installed                       ## the virtual environment with what the server needs

run: setup                                      ## the whole marketplace in one process, with demo data
	@exec $(BIN)/cohort serve

test: $(VENV)/.installed-dev                    ## all tests; what needs an absent server is skipped and says so
	$(PYTEST) -rs $(TESTS)

lint: $(VENV)/.installed-dev                    ## what CI checks before the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

eval: $(VENV)/.installed-dev                    ## how well the offline planner reads sentences it was not fitted on
	$(BIN)/python -m evals.intents

bench: $(VENV)/.installed-dev                   ## times and CPU of a real server on an empty home
	$(BIN)/python -m tests.bench

bars: $(VENV)/.installed-dev                    ## the tests in their full size
	$(PYTEST) -m full --timeout 1800 $(TESTS)

models: $(VENV)-models/.installed               ## the parity tests against the original weights, in an environment with torch
	$(VENV)-models/bin/python -m pytest -m models tests/vectorstore

lock: $(VENV)/.uv                               ## resolve pyproject.toml into requirements/*.txt
	$(VENV)/.uv/bin/uv pip compile -q --no-header --python-version 3.11 pyproject.toml \
	  --extra embedded -o requirements/run.txt
	$(VENV)/.uv/bin/uv pip compile -q --no-header --python-version 3.11 pyproject.toml \
	  --extra embedded --extra dev -c requirements/run.txt -o requirements/dev.txt
	$(VENV)/.uv/bin/uv pip compile -q --no-header --python-version 3.11 pyproject.toml \
	  --extra embedded --extra dev --extra models --override requirements/no-torch.txt \
	  -c requirements/dev.txt -o requirements/models.txt

clean:                                          ## caches and builds; .venv and the data in .cohort stay
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis bench-results ./*.egg-info
	find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +

$(VENV)/bin/python $(VENV)-models/bin/python:
	@test -n "$(PYTHON)" || { echo "Cohort needs Python 3.11 or newer: install python3 first (Debian, Ubuntu: apt install python3 python3-venv)." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Cohort needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1). Install python3.11, or name one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: the module venv is missing (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@echo "Making $(dir $(@D)) with $$($(PYTHON) -V)"
	@$(PYTHON) -m venv $(dir $(@D))

$(VENV)/.installed: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the server needs (about a minute the first time)"
	@$(PIP) install -r requirements/run.txt && $(PIP) install $(OWN)
	@touch $@

$(VENV)/.installed-dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the tests need (about a minute the first time)"
	@$(PIP) install -r requirements/dev.txt && $(PIP) install $(OWN)
	@touch $@ $(VENV)/.installed

$(VENV)-models/.installed: requirements/models.txt pyproject.toml | $(VENV)-models/bin/python
	@echo "Installing torch and sentence-transformers beside (several minutes, 1.7 GB)"
	@$(VENV)-models/bin/python -m pip --disable-pip-version-check --quiet install torch==2.13.0 -r requirements/models.txt
	@$(VENV)-models/bin/python -m pip --disable-pip-version-check --quiet install $(OWN)
	@touch $@

$(VENV)/.uv: | $(VENV)/bin/python
	@$(PYTHON) -m venv $@ && $@/bin/python -m pip --disable-pip-version-check --quiet install uv
