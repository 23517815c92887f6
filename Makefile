# The verbs of this project. `make run` needs Python 3.11 or newer and nothing else; `make test` also Node.js, a browser and GDAL.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
CHROMIUM ?= /usr/bin/chromium
PROCESSES ?= 2
# How long one test may take, by far: one that hangs is told of, with where each of its threads stands.
SECONDS_EACH ?= 600
GDAL ?= /usr/bin
# What tests run that comes from Debian, as package:program.
DEBIAN ?= curl:curl nginx:nginx pgbouncer:pgbouncer
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --no-emit-options --allow-unsafe
SOURCES := app tests benchmarks migrations

export CHROMIUM
export GDAL
export CUSTOM_COMPILE_COMMAND := make lock
export REDOCLY_TELEMETRY := off
export REDOCLY_SUPPRESS_UPDATE_NOTICE := true

.PHONY: run test prove check fix bench bench-smoke openapi lock browser services gdal clean
.DELETE_ON_ERROR:

run: $(VENV)/.runtime ## Start the service; the first start makes the database and loads the built-in record
	@exec $(BIN)/evidence serve

test: $(VENV)/.dev node_modules/.package-lock.json browser services gdal ## Run every test, on SQLite and on PostgreSQL (PROCESSES=4: in so many processes)
	node_modules/.bin/redocly lint openapi/openapi.json
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --timeout $(SECONDS_EACH) $(ARGS)

prove: $(VENV)/.dev ## Try the properties on many more examples (PROVE=10: ten times as many); takes hours
	PROVE=$(or $(PROVE),10) $(BIN)/python -m pytest -m "hypothesis or prove" $(ARGS)

check: $(VENV)/.dev ## Look at the code without running it
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@find $(wildcard $(SOURCES)) -name '*.py' -exec awk 'FNR == 401 { print FILENAME ": more than 400 lines"; bad = 1 } END { exit bad }' {} +

fix: $(VENV)/.dev ## Mend what a machine can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.dev ## Measure, beside the peers
	$(BIN)/python -m benchmarks $(ARGS)

bench-smoke: $(VENV)/.dev ## Run the benchmark on very little, to see that it runs
	$(BIN)/python -m benchmarks --smoke

openapi: $(VENV)/.runtime ## Write the description of the API anew, and what has changed in it since the last version
	$(BIN)/evidence openapi >openapi/openapi.json.new
	mv openapi/openapi.json.new openapi/openapi.json
	$(BIN)/evidence openapi --since "$$(ls -v openapi/versions/*.json | tail -n 1)" >openapi/unreleased.md || echo 'A client of the last version is broken: see openapi/unreleased.md' >&2

lock: $(VENV)/.dev ## Pin every dependency by hash (UPGRADE=1: to the newest)
	$(COMPILE) $(if $(UPGRADE),--upgrade) --only-build-deps --build-deps-for editable -o requirements-build.lock pyproject.toml
	$(COMPILE) $(if $(UPGRADE),--upgrade) -o requirements.lock pyproject.toml
	$(COMPILE) $(if $(UPGRADE),--upgrade) --extra dev --extra duplicates -c requirements.lock -o requirements-dev.lock pyproject.toml
	npm $(if $(UPGRADE),update,install) --package-lock-only
	@! grep -nE '(^|[^#])(--[a-z-]*(index|link|host)|[a-z]+://)' requirements*.lock
	@! grep -n '"resolved"' package-lock.json

clean: ## Remove what can be made again; never the data
	rm -rf $(VENV) node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find $(wildcard $(SOURCES)) -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.runtime: requirements-build.lock requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 …' >&2; exit 1; }
	@echo 'Installing the dependencies into $(VENV) …'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --require-hashes -r requirements-build.lock -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo 'Installing the tools for development into $(VENV) …'
	@$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json .npmrc
	npm ci
	@touch $@

services:
	@missing=; for one in $(DEBIAN); do PATH="$$PATH:/usr/sbin" command -v "$${one#*:}" >/dev/null || missing="$$missing $${one%%:*}"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing$$missing …" && apt-get update -q >/dev/null && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing >/dev/null; \
	else \
	  echo "The tests need programs that are not there. As root: apt-get install$$missing" >&2; exit 1; \
	fi

browser:
	@test -x '$(CHROMIUM)' || if [ '$(CHROMIUM)' = /usr/bin/chromium ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo 'Installing Chromium …' && apt-get update -q >/dev/null && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium >/dev/null; \
	else \
	  echo 'The browser test needs Chromium, and $(CHROMIUM) is not there. As root: apt-get install chromium. Or: make test CHROMIUM=/path/to/chromium' >&2; exit 1; \
	fi

gdal:
	@test -x '$(GDAL)/ogrinfo' || if [ '$(GDAL)' = /usr/bin ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo 'Installing GDAL …' && apt-get update -q >/dev/null && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends gdal-bin >/dev/null; \
	else \
	  echo 'A test needs ogrinfo and ogr2ogr of GDAL, and they are not in $(GDAL). As root: apt-get install gdal-bin. Or: make test GDAL=/folder/of/them' >&2; exit 1; \
	fi
