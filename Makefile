# Everything a developer types. Each target makes .venv first, and skips that when it is current.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 4
SERVERS ?= 15 17 18

.DEFAULT_GOAL := help
.PHONY: help demo test test-all check bench screenshots shapes snapshots clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(READY): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say which: make PYTHON=python3.12"; exit 1; }
	@echo "installing rag-wizard and its tools into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(READY) ## the wizard on an embedded PostgreSQL with a CloneAI-like database
	@$(BIN)/rag-wizard --demo

test: $(READY) ## all tests on PostgreSQL 18, long series as a fixed sample
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal -m 'not slow'

# On the older servers the long series are left to those that look at what servers do differently.
OLDER := tests/integration/test_starting_databases.py tests/integration/test_shapes.py tests/integration/test_capture.py

test-all: $(READY) ## all tests, all series on PostgreSQL 18, and the integration tests on 15 and 17
	@tests/support/matrix.sh
	@for server in $(SERVERS); do \
		echo "== PostgreSQL $$server"; \
		if [ $$server = 18 ]; then $(BIN)/pytest -n $(WORKERS) --dist worksteal || exit 1; continue; fi; \
		export RAG_WIZARD_TEST_PG=$$server; \
		$(BIN)/pytest -n $(WORKERS) --dist worksteal -m 'not slow' tests/integration || exit 1; \
		$(BIN)/pytest -n $(WORKERS) --dist worksteal -m slow $(OLDER) || exit 1; \
		unset RAG_WIZARD_TEST_PG; \
	done

check: $(READY) ## ruff, mypy, import contract, squawk
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/squawk sql/deploy/*.sql sql/revert/*.sql

bench: $(READY) ## what a rollout costs, beside psql and beside nothing (BENCH="--rows 10000000", "--help")
	@$(BIN)/python -m tests.bench $(BENCH)

screenshots: $(READY) ## draw screenshots/*.svg anew from a real run
	@$(BIN)/python screenshots/make.py

shapes: $(READY) ## write sql/shapes.json anew: what the rollout's SQL makes on a real server
	@$(BIN)/python -m tests.support.shapes

snapshots: $(READY) ## accept changed screens as the new snapshots (look at them first)
	@$(BIN)/pytest tests/ui --snapshot-update

clean: ## remove .venv and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
