# PYTHON chooses the interpreter: make demo PYTHON=python3.12
PYTHON ?= python3
UV ?= uv

SUPPORTED := 3.11 3.12 3.13
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
FOUND := $(if $(VERSION),is Python $(VERSION),does not run)

# One stamp for each thing installed. An environment made by another Python has no stamp of this name, so it is made anew.
BASE := .venv/base-$(VERSION)
RUN := .venv/run-$(VERSION)
DEV := .venv/dev-$(VERSION)
BENCH := .venv-bench/bench-$(VERSION)
PACKAGE := pyproject.toml src/coverage/lifecircle/__init__.py

# Wheels alone: nothing is built, and no package runs code while it is installed. What the product imports is compiled
# once on all cores (some shells forbid Python to keep compiled modules, and every start would compile them again); the
# tools of the tests are compiled when they are first imported.
unexport PYTHONDONTWRITEBYTECODE
COMPILED := bin/python -m compileall -qq -j 0 .venv/lib
INSTALL := bin/python -m pip install --quiet --disable-pip-version-check --no-input
LOCKED := $(INSTALL) --require-hashes --only-binary :all: --no-compile
EDITABLE := $(INSTALL) --no-build-isolation --no-deps --editable .

.DEFAULT_GOAL := help
.PHONY: help demo test lint format bench bench-siting fuzz gallery lock clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(RUN) ## run the whole job on Monaco and print where the map lies
	.venv/bin/lifecircle demo --out maps/demo

test: $(DEV) ## run every test, on all cores
	.venv/bin/python -m pytest --numprocesses auto --dist loadfile

lint: $(DEV) ## check style, types and the order of the layers
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

format: $(DEV) ## put the code into the form that lint asks for
	.venv/bin/ruff check --fix-only .
	.venv/bin/ruff format .

bench: $(BENCH) ## measure against other tools, in an environment of its own (some: make bench BENCH_ARGS="--only T1")
	PYTHONPATH=tests .venv-bench/bin/python -m benchmarks $(BENCH_ARGS)

bench-siting: $(RUN) ## measure siting at the scale of a city (some: make bench-siting BENCH_ARGS="--only city --progress")
	PYTHONPATH=tests .venv/bin/python -m benchmarks.siting_scale $(BENCH_ARGS)

FUZZ_N ?= 2000
fuzz: $(DEV) ## break files of every format and see that each is read or refused (fewer: make fuzz FUZZ_N=100)
	.venv/bin/python tests/fuzz.py $(FUZZ_N)

gallery: $(DEV) ## renew the pictures and the page that the README shows
	.venv/bin/python tests/gallery.py

lock: ## renew the locks to the newest releases (needs uv: make lock UV=/path/to/uv)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv, and '$(UV)' is not there: pip install uv" >&2; exit 1; }
	$(LOCK) --group build pyproject.toml --output-file requirements/run.txt
	$(LOCK) --group build --group dev --all-extras --constraints requirements/run.txt pyproject.toml --output-file requirements/dev.txt
	$(LOCK) --group build --constraints requirements/run.txt pyproject.toml requirements/bench.in --output-file requirements/bench.txt

# One version for every supported Python, hashes of every file, and no word of where a file came from.
LOCK := $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	--only-binary :all: --generate-hashes --no-annotate --custom-compile-command 'make lock'

$(BASE):
	$(if $(filter $(VERSION),$(SUPPORTED)),,$(error lifecircle needs Python 3.11, 3.12 or 3.13, and '$(PYTHON)' $(FOUND): install one and name it, as in: make demo PYTHON=python3.12))
	$(PYTHON) -m venv --clear .venv
	@touch $@

$(RUN): $(BASE) requirements/run.txt $(PACKAGE)
	.venv/$(LOCKED) --requirement requirements/run.txt
	@.venv/$(COMPILED) || true # some packages carry test files that are not Python
	.venv/$(EDITABLE)
	@touch $@

$(DEV): $(RUN) requirements/dev.txt
	.venv/$(LOCKED) --requirement requirements/dev.txt
	@touch $@

$(BENCH): $(BASE) requirements/bench.txt $(PACKAGE)
	$(PYTHON) -m venv --clear .venv-bench
	.venv-bench/$(LOCKED) --requirement requirements/bench.txt
	.venv-bench/$(EDITABLE)
	@touch $@

clean: ## remove what make has made, the environments too
	rm -rf .venv .venv-bench maps/demo dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
