# make demo: all set-up and the worked example.  make test: all set-up and every check.
# Both work in a new clone, as root and as an ordinary user; PYTHON=python3.12 chooses the interpreter.

PYTHON ?= python3
WORKERS ?= 2

BIN := .venv/bin
EXAMPLE := .venv/.installed-example
DEV := .venv/.installed-dev
# mypy refuses a folder without Python files.
CHECKED := $(foreach folder,src tests examples benchmarks torture tools,$(if $(wildcard $(folder)/*.py $(folder)/*/*.py),$(folder)))

.PHONY: help demo test lint format bench torture clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    set up, then run the worked example on its own PostgreSQL"
	@echo "make test    set up, then run the linters, the type checker and all tests"
	@echo "make lint    linters and type checker only"
	@echo "make format  format the code"
	@echo "make bench   measure; writes docs/benchmarks.md"
	@echo "make torture attack the runtime at full size; writes docs/reliability.md"
	@echo "make clean   remove the environment and all caches; data in .freehold stays"

demo: $(EXAMPLE)
	$(BIN)/python -m examples.retail.demo

test: lint
	$(BIN)/python -m pytest -n $(WORKERS)

lint: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(CHECKED)

format: $(DEV)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(DEV)
	$(BIN)/python -m benchmarks

torture: $(DEV)
	$(BIN)/python -m torture --write

$(BIN)/python:
	tools/setup_debian.sh venv "$(PYTHON)"
	"$(PYTHON)" -m venv .venv

# A stamp per set of extras: installed again only when pyproject.toml has changed.
$(EXAMPLE): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[example]'
	@touch $@

$(DEV): pyproject.toml | $(BIN)/python
	tools/setup_debian.sh test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(EXAMPLE)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
