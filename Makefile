# make demo    design the 100,000-GPU Colossus fabric, with its report and pictures
# make test    style, types, import contracts and tests
# make help    the rest

PYTHON ?= python3
APT := gcc libc6-dev libsimgrid-dev graphviz chromium chromium-driver frr iproute2 lldpd \
  opensm ibsim-utils infiniband-diags ibutils slurmctld slurm-client munge
# Debian packages of the tests, besides python3, python3-venv and make: SimGrid and a compiler for what it runs, Graphviz,
# a browser, the daemons that boot Ethernet fabrics in network namespaces, a subnet manager with a simulated fabric,
# and a scheduler.

VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run
TEST := $(VENV)/.test
LATEST := .venv-latest
LOCK := .venv-lock
DEMO := build/colossus-100k
INSTALL := -m pip --quiet --disable-pip-version-check install
# One worker more than cores, since tests of real tools wait; the files that take longest come first (tests/conftest.py).
PYTEST = -m pytest --numprocesses $$(( $$(nproc 2>/dev/null || echo 2) + 1 )) --dist loadfile --no-loadscope-reorder

# Tests start hundreds of processes, each of which would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo docs test test-all test-latest lint lock baselines mutants notebooks docs-pictures bench fuzz accuracy clean apt

help:
	@echo 'make demo      design colossus-100k into $(DEMO): report, tables and pictures'
	@echo 'make docs      the documentation as a site in build/site, without a network'
	@echo 'make test      style, types, import contracts and tests'
	@echo 'make test-all  the same, with the slow tests'
	@echo 'make test-latest  the tests with the newest version of every dependency, in $(LATEST)'
	@echo 'make lock      move the locks in requirements/ to the newest versions that pyproject.toml allows'
	@echo 'make bench     the benchmarks, each a ratio taken in one run'
	@echo 'make accuracy  the time model against measured collectives, with plots, and against published training runs'
	@echo 'make docs-pictures  redraw the pictures of the README and docs'
	@echo 'make notebooks  run the notebooks of the examples, and keep what they print'
	@echo 'make fuzz      20,000 drawn command lines and 300 signals: FUZZ="--seed 1 --minutes 30" bounds them'
	@echo 'make mutants   120 small changes of the code, drawn with a fixed seed, each of which a test must notice'
	@echo 'make baselines  keep the pictures that the tests compare with, after looking at them'
	@echo 'make clean     remove everything that make made'

.DEFAULT_GOAL := help

demo: $(RUN)
	$(BIN)/fabric design colossus-100k --out $(DEMO)
	@echo
	$(BIN)/fabric report colossus-100k -o $(DEMO)/report.html
	@echo 'the report:   $(DEMO)/report.md, and as a page $(DEMO)/report.html'
	@for picture in $(DEMO)/*.svg $(DEMO)/*.png; do echo "a picture:    $$picture"; done

# Strict: a warning, such as of a link that leads nowhere, fails it.
docs: $(TEST)
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --quiet -d build/doctrees -c docs . build/site
	@echo 'the site:     build/site/index.html'

lint: $(TEST)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# pytest comes last, so that its closing line is the last word.
test: apt lint
	$(BIN)/python $(PYTEST)

test-all: apt lint
	$(BIN)/python $(PYTEST) -m ""

test-latest: apt
	$(PYTHON) -m venv --clear $(LATEST)
	$(LATEST)/bin/python $(INSTALL) --upgrade pip setuptools
	$(LATEST)/bin/python $(INSTALL) --editable '.[test]'
	$(LATEST)/bin/python $(PYTEST)

bench: $(RUN)
	@set -e; for script in $(sort $(wildcard benchmarks/*.py)); do echo "$$script"; $(BIN)/python "$$script"; done

accuracy: $(RUN)
	$(BIN)/python benchmarks/accuracy.py
	$(BIN)/python -m benchmarks.training_accuracy

baselines: $(TEST)
	$(BIN)/python -m tests.draw.test_baselines

notebooks: $(TEST)
	$(BIN)/python -m tests.test_notebooks

fuzz: $(TEST)
	nice $(BIN)/python -m tests.fuzz.run $(FUZZ)

mutants: $(TEST)
	$(BIN)/python $(INSTALL) --require-hashes --no-build-isolation --requirement requirements/mutants.txt
	$(BIN)/python -m tests.mutants

docs-pictures: $(RUN)
	mkdir -p docs/pictures
	$(BIN)/fabric diagram colossus-100k -o docs/pictures/colossus-100k.svg
	$(BIN)/fabric scale colossus-100k --out build/scale
	cp build/scale/scale.svg docs/pictures/scale.svg
	$(BIN)/fabric diagram superpod-h100-1su -o docs/pictures/superpod-1su.svg
	$(BIN)/fabric diagram colossus-100k --level pod --highlight path:0,99999 -o docs/pictures/colossus-path.svg
	$(BIN)/fabric diagram colossus-100k --kind load -o docs/pictures/colossus-load.svg
	$(BIN)/fabric diagram superpod-h100-16su --kind racks -o docs/pictures/superpod-racks.svg
	$(BIN)/fabric diagram colossus-100k --kind adjacency -o docs/pictures/colossus-adjacency.svg
	$(BIN)/fabric diagram examples/direct.yaml --family dragonfly -o docs/pictures/dragonfly.svg
	$(BIN)/fabric diagram examples/direct.yaml --family slim-fly -o docs/pictures/slim-fly.svg
	$(BIN)/fabric train superpod-h100-1su --model llama3-70b --parallel tp=8,pp=4,vp=2,dp=8 --batch 64 --out build/train
	cp build/train/timeline.svg docs/pictures/training-step.svg

clean:
	rm -rf $(VENV) $(LATEST) $(LOCK) build dist *.egg-info .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment holds the versions of requirements/, checked by hash, as wheels: nothing is built by a tool that isn't
# locked. Fabric itself is then installed without an index, so a dependency that the lock lacks is an error.
$(RUN): requirements/run.txt pyproject.toml | $(BIN)/python
	$(BIN)/python $(INSTALL) --require-hashes --only-binary :all: --requirement $<
	$(BIN)/python $(INSTALL) --no-index --no-build-isolation --editable .
	@touch $@

$(TEST): requirements/test.txt pyproject.toml | $(BIN)/python
	$(BIN)/python $(INSTALL) --require-hashes --only-binary :all: --requirement $<
	$(BIN)/python $(INSTALL) --no-index --no-build-isolation --editable '.[test]'
	@touch $@ $(RUN)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# One lock for every platform and Python from 3.11 on; setuptools builds the package.
COMPILE := $(LOCK)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
  --generate-hashes --custom-compile-command 'make lock'

lock:
	$(PYTHON) -m venv $(LOCK)
	$(LOCK)/bin/python $(INSTALL) --upgrade uv
	echo setuptools | $(COMPILE) pyproject.toml - --output-file requirements/run.txt
	$(COMPILE) pyproject.toml --extra test --constraint requirements/run.txt --output-file requirements/test.txt
	echo 'cosmic-ray>=8.3' | $(COMPILE) - --constraint requirements/test.txt --output-file requirements/mutants.txt

# As root on Debian, install what is missing; elsewhere the packages are the user's own to see to, and their tests skip.
apt:
	@missing=; for package in $(APT); do \
	  dpkg-query --show "$$package" >/dev/null 2>&1 || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && apt-get install -qq --yes --no-install-recommends $$missing; \
	elif [ -n "$$missing" ]; then echo "please install:$$missing"; fi
