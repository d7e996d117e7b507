# Every target makes its own environment: python3 (3.11 or newer) and make are all a machine needs.

PYTHON ?= python3
BIN := .venv/bin
UV := env -u UV_PYTHON -u UV_PROJECT_ENVIRONMENT -u VIRTUAL_ENV -u PYTHONHOME -u PYTHONPATH $(BIN)/uv
SYNCED := .venv/.synced

.DEFAULT_GOAL := help
.PHONY: help demo test lint e2e bench bench-smoke

help: ## show these targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 22

$(SYNCED): pyproject.toml uv.lock
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed: install Python 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$$($(PYTHON) --version) is too old: Ristourne needs 3.11 or newer. Name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { \
		echo "$(PYTHON) cannot make virtual environments: install its venv module (Debian: apt install python3-venv)." >&2; exit 1; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) sync --locked --python $(BIN)/python
	@touch $@

demo: $(SYNCED) ## run the demo shop on this machine (ARGS="..." are passed on)
	$(BIN)/python manage.py demo $(ARGS)

test: $(SYNCED) ## run the tests (ARGS="tests/members -k enrol" narrows them)
	$(BIN)/pytest -n 2 --ignore=tests/e2e $(ARGS)

# makemigrations only compares models with files, but it looks for a database first: name one that is not there.
lint: $(SYNCED) ## check style, types, imports, migrations, API schema and templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	DATABASE_URL=postgres://localhost:1/none $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
	@if [ -n "$$(find templates */templates -name '*.html' 2>/dev/null | head -n 1)" ]; then \
		set -x; $(BIN)/djlint --check --lint $$(ls -d templates */templates 2>/dev/null); fi

e2e: $(SYNCED) ## drive the pages in a browser (needs Chromium; ARGS are passed on)
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
		echo "Chromium is not installed (Debian: apt-get install chromium)." >&2; exit 1; }
	$(UV) sync --locked --inexact --group e2e --python $(BIN)/python
	$(BIN)/pytest -n 2 tests/e2e $(ARGS)

bench: $(SYNCED) ## measure against pgbench on this machine
	@if [ -e tests/bench/__main__.py ]; then $(BIN)/python -m tests.bench $(ARGS); else echo "There is no benchmark yet."; fi

bench-smoke: $(SYNCED) ## run the benchmark briefly, to see that it works
	@if [ -e tests/bench/__main__.py ]; then $(BIN)/python -m tests.bench --smoke $(ARGS); else echo "There is no benchmark yet."; fi
