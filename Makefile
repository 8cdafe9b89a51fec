# Everything starts from Python >= 3.11, make and a package registry: `make demo`, `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
PEERS := .peers
FUZZER := $(VENV)/fuzzer
TIME ?= 600
# How many tests run at once: one more than there are cores, for tests that wait.
JOBS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))
# Compiled once and kept, where the environment says that Python keeps nothing: workers and commands start many times.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadgroup --durations 30

.PHONY: help setup peers interop demo test test-rest test-all torture check bench fuzz lock clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "onrecord needs Python 3.11 or newer; name one: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -q archive pipeline storage
	@touch $(READY)

setup: $(READY) ## a virtual environment with the pinned packages

peers: $(PEERS)/ready ## other people's tools, beside ours, for the tests that want them (needs npm for one)

$(PEERS)/ready: tests/peers/requirements.lock Makefile
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@echo "setting up $(PEERS)"
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r tests/peers/requirements.lock
	@if command -v npm >/dev/null; then npm pack --silent --pack-destination $(PEERS) replaywebpage@2.5.3 >/dev/null \
	  && tar -xzf $(PEERS)/replaywebpage-2.5.3.tgz -C $(PEERS) package/ui.js package/sw.js; else echo "no npm: no ReplayWeb.page"; fi
	@if command -v npm >/dev/null; then npm pack --silent --pack-destination $(PEERS) axe-core@4.14.1 >/dev/null \
	  && tar -xzf $(PEERS)/axe-core-4.14.1.tgz -C $(PEERS) package/axe.min.js; else echo "no npm: no axe-core"; fi
	@touch $(PEERS)/ready

interop: $(READY) ## outside readers of our archives and writers for them, TOOLS="name name" for some; prints a table
	@$(BIN)/python -m tests.interop $(TOOLS)

demo: $(READY) ## capture a small site twice, and see what changed
	@$(BIN)/python -m tests.demo

test: $(READY) ## the tests, some minutes of them: a sample of everything, servers and a browser included
	@$(PYTEST) -m "not full"

test-rest: $(READY) ## what `make test` leaves out: every case of what it samples, long waits, real pages
	@$(PYTEST) -m full

test-all: peers test test-rest ## all tests

torture: $(READY) ## hours of faults: kills, failing disks and networks, damage; then the numbers
	@TORTURE=long $(BIN)/python -m pytest --timeout 0 -m torture

check: $(READY) ## formatting, lint, types, which room may name what, circles, sizes, words
	@$(BIN)/ruff format --check archive pipeline storage tests
	@$(BIN)/ruff check archive pipeline storage tests
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.checks

bench: $(READY) ## speed beside wget and pywb, memory, and texts beside gold and peers; EARLIER=FOLDER: beside that build
	@if [ -n "$(EARLIER)" ]; then $(BIN)/python -m tests.bench.builds "$(EARLIER)"; fi
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench.lookup
	@$(BIN)/python -m tests.bench.gold
	@$(BIN)/python -m tests.bench.pdf
	@$(BIN)/python -m tests.bench.ways

fuzz: $(FUZZER) ## coverage-guided fuzzing of what reads strangers' bytes, TIME=600 seconds in all
	@$(BIN)/python -m tests.fuzz --time $(TIME)

$(FUZZER): $(READY) tests/fuzz/requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes --no-deps \
	  -r tests/fuzz/requirements.lock || { echo "atheris, the fuzzer, has no package for this machine and this Python; it has some for Linux on x86-64"; exit 1; }
	@touch $(FUZZER)

lock: $(READY) ## pin the newest packages, with their hashes
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra dev pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  tests/peers/requirements.in -o tests/peers/requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  tests/fuzz/requirements.in -o tests/fuzz/requirements.lock

clean: ## remove what was made
	rm -rf $(VENV) $(PEERS) .interop demo-store bench-out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
