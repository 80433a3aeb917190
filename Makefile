# Everything a person or CI runs. `make up` needs Python 3.11+, make and a shell; nothing else.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := @$(PYTHON) -I arcane/local/install.py
LOCK := uv pip compile pyproject.toml --quiet --universal --generate-hashes --no-annotate --no-header $(UPGRADE)
WORKERS ?= 2
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest

.DEFAULT_GOAL := help
.PHONY: help up down install-dev test lint fmt types web unit tests nightly coverage bench lock docs docs-check \
	i18n-extract screenshots image clean

help: ## lists these targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## installs what is missing and starts everything on loopback; Ctrl-C stops it
	$(INSTALL) run
	@exec $(BIN)/arcane up

down: ## stops what an earlier `make up` left running
	@$(BIN)/arcane down

install-dev:
	$(INSTALL) dev

test: install-dev ## everything a machine without Docker can check
	@$(MAKE) --no-print-directory --jobs 2 lint types web # one core each
	@$(MAKE) --no-print-directory tests

lint: install-dev ## style, format, import contracts
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/lint-imports

fmt: install-dev ## puts the code into its format
	$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format --quiet

types: install-dev ## mypy --strict
	$(BIN)/mypy

web: install-dev ## the checks of the TypeScript modules
	PATH="$$PWD/.venv/node:$$PATH" npm run --silent check
	PATH="$$PWD/.venv/node:$$PATH" npm run --silent test

unit: install-dev ## the fast tests: no database, no browser
	$(PYTEST) -q -n $(WORKERS) tests/unit tests/property tests/architecture

tests: install-dev ## every test; neighbours stay on one worker, and share what their module set up
	$(PYTEST) -q -n $(WORKERS) --dist worksteal --durations 40 --durations-min 5

nightly: install-dev ## the laws again, with 20,000 examples each, and the chaos of 2,000 jobs on every broker; takes hours
	HYPOTHESIS_PROFILE=nightly $(PYTEST) -q -n $(WORKERS) -p no:randomly tests/property
	ARCANE_TEST_CHAOS_JOBS=2000 $(PYTEST) -q -rP -n 0 tests/integration/jobs/test_chaos.py

coverage: install-dev ## the tests again, with branch coverage
	$(BIN)/coverage erase
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/coverage run --parallel-mode -m pytest -q -n 0
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: install-dev ## the measured claims; prints what bench/README.md records
	$(BIN)/python -m bench

EXTRAS := --extra clickhouse --extra rabbitmq --extra kafka --extra worker --extra statistics --extra parquet
lock: ## resolves the dependencies (UPGRADE=--upgrade for newer ones); no registry host gets into the files
	$(LOCK) --all-extras --group build --group local --group dev --group e2e -o requirements-dev.lock
	$(LOCK) $(EXTRAS) --group build --group local -c requirements-dev.lock -o requirements-local.lock
	$(LOCK) --group build $(EXTRAS) -c requirements-dev.lock -o requirements.lock

docs-check: install-dev ## documentation against code
	$(PYTEST) -q -n 0 tests/architecture

docs: install-dev ## writes the reference pages that come from the code: settings, command line, OpenAPI
	$(BIN)/python -m tests.support.reference_pages

i18n-extract: install-dev ## collects every sentence a person sees into web/locale/messages.pot
	@mkdir -p web/locale
	$(BIN)/pybabel --quiet extract -F web/babel.cfg -k say -k say_to:2 --no-wrap --sort-by-file -o web/locale/messages.pot .

screenshots: install-dev ## pictures of every page for the README and for review
	$(BIN)/python -m tests.e2e.screenshots

image: ## the two container images
	docker build --target backend -t arcane-backend .
	docker build --target worker -t arcane-worker .

clean: ## removes what was built; keeps .local (your data)
	rm -rf .venv node_modules web/static/dist dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
