# The two commands a new machine needs: `make demo` and `make test`. Both make the environment first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
export PYTHONDONTWRITEBYTECODE ?= 1

.PHONY: help setup demo test lint format servers clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(VENV)/.installed ## Make .venv with everything pinned

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "tumorresp needs Python 3.11 (pyradiomics does not build on later ones); say which with PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV): some minutes the first time"
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt pip hatchling editables numpy 'setuptools<81' wheel versioneer cython
	$(PIP) install -c constraints.txt torch==2.13.0
	$(PIP) install -c constraints.txt --no-build-isolation pyradiomics==3.0.1
	$(PIP) install -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

demo: setup ## One subject's baseline and two follow-ups through the whole line
	$(BIN)/tumorresp demo --out demo-output

test: setup servers ## The whole test suite, with real DICOM tools and servers where they can be had
	$(BIN)/python -m pytest -n 2 --dist loadgroup --cov --cov-report=term $(PYTEST_ARGS)

lint: setup ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Let ruff format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

servers: ## Install the Debian packages that the tests talk to (needs root; tests skip without them)
	@sh deploy/install-test-servers.sh

clean: ## Remove what was made here
	rm -rf $(VENV) build dist demo-output .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
