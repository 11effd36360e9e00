# Every habit of the house. Needs make and Python 3.11 or later; everything else is put into .venv here.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.made-from
WORKERS ?= 3
PACKAGES := $(wildcard domain commands projections sagas read_api infra bench)

.DEFAULT_GOAL := help
.PHONY: help run test test-full check format contracts screenshots bench lock clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  CHOBO_FULL=<suite>:<seed> make test   one suite at full size (docs/testing.md)"
	@echo "  TESTS=tests/domain make test          only some tests;  WORKERS=4: more processes"

run: $(READY) ## start everything on an embedded PostgreSQL, with the sample shop running (http://127.0.0.1:8000)
	@$(BIN)/chobo up --demo

test: $(READY) ## every kind of test at small size (about sixteen minutes on 2 cores)
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder $(TESTS)

test-full: $(READY) ## the same at full size with fresh seeds
	@CHOBO_FULL=all $(BIN)/pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder --timeout 1800 $(TESTS)

check: $(READY) ## format, lint, types, import contracts, committed contract files
	@$(BIN)/ruff format --check --output-format concise . || { echo "run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy $(PACKAGES) tests
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m infra.contracts --check
	@.ci/no-machine-names
	@echo "check: all green"

format: $(READY) ## format the code and apply the safe fixes
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format .

contracts: $(READY) ## write OpenAPI, AsyncAPI, GraphQL schema, settings, errors, routes and metrics anew from the code
	@$(BIN)/python -m infra.contracts

screenshots: $(READY) ## write every page of the dashboard, light and dark, to docs/images (needs Chromium; two minutes)
	@$(BIN)/python -m tests.sagas.dashboard.screenshots

bench: $(READY) ## measure everything side by side with its ceiling (docs/performance.md)
	@$(BIN)/python -m bench

lock: $(READY) ## resolve pyproject.toml to exact versions with hashes, all and those of the image (needs the index)
	@command -v uv >/dev/null || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	@PATH="$(BIN):$$PATH" uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --quiet --output-file requirements.lock
	@PATH="$(BIN):$$PATH" uv pip compile pyproject.toml --universal --python-version 3.11 --constraint requirements.lock \
	  --generate-hashes --no-emit-index-url --no-annotate --quiet --output-file requirements-runtime.lock

clean: ## remove what was made here, but not data/
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info

$(READY): requirements.lock pyproject.toml .ci/make-venv
	@PYTHON="$(PYTHON)" .ci/make-venv $(VENV)
