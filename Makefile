# Everything starts from Python >= 3.11, make and a package registry: `make demo`, `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: help setup demo test check bench lock clean

help: ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "onrecord needs Python 3.11 or newer; name one: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $(READY)

setup: $(READY) ## a virtual environment with the pinned packages

demo: $(READY) ## capture a small site twice, and see what changed
	@$(BIN)/python -m tests.demo

test: $(READY) ## the tests
	@$(BIN)/python -m pytest

check: $(READY) ## formatting, lint, types, and which room may name what
	@$(BIN)/ruff format --check archive pipeline storage tests
	@$(BIN)/ruff check archive pipeline storage tests
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(READY) ## speed beside wget, memory, and texts beside gold and peers
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench.gold

lock: $(READY) ## pin the newest packages, with their hashes
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra dev pyproject.toml -o requirements.lock

clean: ## remove what was made
	rm -rf $(VENV) demo-store bench-out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
