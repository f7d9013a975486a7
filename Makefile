# Every target works from a fresh clone with Python 3.11 to 3.14 and nothing else: the first use of
# a level sets up .venv (see bootstrap.sh), and no environment has to be activated.
# `make PYTHON=/path/to/python3.13 …` chooses the interpreter.

SUBMISSIONS ?=
OUT ?= out
ARGS ?=
export PYTHON

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# Each process has a server of its own; the tests of one file stay together and share it.
PARALLEL := -n logical --maxprocesses 8 --dist loadfile
# Given by hand: $(shell) does not pass exported variables on before GNU make 4.4.
missing = $(shell PYTHON='$(PYTHON)' sh bootstrap.sh $(@:setup-%=%) check 2>&1)

# The sample class is the project's own, so that it may run as mere processes where bubblewrap does
# not work; but not the submission that attacks whatever grades it.
CLASS := samples/class
HOSTILE := $(CLASS)/mateo
ASKED_FOR := --assignment samples
WALLED = $(shell bwrap --unshare-all --ro-bind / / true 2>/dev/null && echo yes)
ifneq ($(SUBMISSIONS),)
GRADED = "$(SUBMISSIONS)"
else ifeq ($(WALLED),yes)
GRADED = $(ASKED_FOR) $(CLASS)
else
GRADED = $(ASKED_FOR) --sandbox process $(filter-out $(HOSTILE),$(wildcard $(CLASS)/*)) \
	$(info Bubblewrap does not work here: $(notdir $(HOSTILE)), whose submission attacks the grader, stays out.)
endif

.PHONY: help grade lab test bench docs mutants mutants-sample lint clean lock setup-grade setup-lab setup-dev \
	test-containers test-sandbox test-browser test-notebooks test-notebooks-container test-tracker test-slow test-all
.NOTPARALLEL:

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

grade: setup-grade ## grade the sample class, or SUBMISSIONS=folder, into OUT=folder
	@$(BIN)/kit grade $(GRADED) --out "$(OUT)" $(ARGS)

lab: setup-lab ## open the notebooks in JupyterLab
	@$(BIN)/kit lab $(ARGS)

test: setup-dev ## run the tests that need no container engine and no browser (ARGS=…)
	@$(PYTEST) -q -rsfE $(PARALLEL) -m "not container and not browser and not notebook and not slow" tests $(ARGS)

# Those of the servers look at all containers that there are, and so run by themselves.
CONTAINERS := tests/pglab/servers/test_container.py

test-containers: setup-dev ## run the tests on a container engine
	@export KIT_REQUIRE="$${KIT_REQUIRE:-container}"; failed=0; \
	$(PYTEST) -q -rsfE -m container $(CONTAINERS) $(ARGS) || failed=1; \
	$(PYTEST) -q -rsfE $(PARALLEL) -m "container and not notebook" --ignore $(CONTAINERS) tests \
		$(ARGS) || failed=1; \
	exit $$failed

test-sandbox: setup-dev ## run the tests of the bubblewrap sandbox
	@KIT_REQUIRE=sandbox $(PYTEST) -q -rsfE -m "sandbox and not container" tests $(ARGS)

test-browser: setup-dev ## run the tests in Chromium
	@KIT_REQUIRE=browser $(PYTEST) -q -rsfE -n logical --maxprocesses 4 --dist load -m browser tests $(ARGS)

test-notebooks: setup-dev ## run every notebook from its first cell to its last
	@$(PYTEST) -q -rsfE -n logical --maxprocesses 4 --dist load -m "notebook and not container" tests $(ARGS)

test-notebooks-container: setup-dev ## run every notebook on PostgreSQL in a container
	@KIT_REQUIRE=container $(PYTEST) -q -rsfE -n logical --maxprocesses 4 --dist load -m "notebook and container" tests $(ARGS)

test-tracker: setup-dev ## run the tests of the tracker, on TRACKER_TEST_VERSION=16 or such
	@$(PYTEST) -q -rsfE $(PARALLEL) -m "not container and not browser and not slow" tests/tracker $(ARGS)

test-slow: setup-dev ## run the slow tests that need nothing special
	@$(PYTEST) -q -rsfE $(PARALLEL) -m "slow and not container and not browser and not notebook" tests $(ARGS)

test-all: setup-dev ## run every test; what the machine lacks is skipped, with the reason
	@$(PYTEST) -q -rsfE tests $(ARGS)

mutants: setup-dev ## grade every mutant of the solutions, and write their ledgers
	@$(BIN)/kit exercise verify --mutants $(ARGS)

mutants-sample: setup-dev ## grade those of changed exercises, and a part of the others
	@$(BIN)/kit exercise verify --mutants --sample $(ARGS)

bench: setup-dev ## measure every figure that the README quotes
	@for script in bench/*.py; do echo "$$script"; $(BIN)/python "$$script" || exit 1; done

lint: setup-dev ## check style, types and the direction of imports
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo

docs: setup-dev ## build the site of the pages in docs/
	@$(BIN)/python docs/build.py

lock: ## resolve pyproject.toml into requirements.lock again (needs uv)
	@uv pip compile --quiet --universal --upgrade --all-extras --python-version 3.11 \
		--no-annotate --no-header --no-emit-index-url --no-emit-find-links \
		pyproject.toml --output-file requirements.lock

clean: ## delete what the targets made, except .venv and your own work and progress
	@rm -rf out build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache
	@find src tests bench exercises solutions migrations -name __pycache__ -type d -prune \
		-exec rm -rf {} +

setup-grade setup-lab setup-dev:
	$(if $(missing),$(error $(missing)))
	@sh bootstrap.sh $(@:setup-%=%)
