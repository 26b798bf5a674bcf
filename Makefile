# Every target sets up what it needs: a virtual environment in .venv, from the package index alone.
MAKEFLAGS += --no-print-directory
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEMO ?= demo

.PHONY: install demo test test-fast check format docs bench clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Facewright needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: $(INSTALLED)  ## from two videos to a swapped one, in about a quarter of an hour on two cores
	$(BIN)/facewright demo $(DEMO)

test: $(INSTALLED)  ## the whole suite, in three processes, which wait by turns (tests of one file stay together)
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test-fast: $(INSTALLED)  ## what runs in a minute or two
	$(BIN)/python -m pytest -m "not slow and not terminal" -n auto

check: $(INSTALLED)  ## format, lint, types, import contracts, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(INSTALLED)  ## the tables in .docs of all stages, options and goals, from the catalog
	$(BIN)/python -m tests.docs

bench: $(INSTALLED)  ## measured speeds of this machine
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
