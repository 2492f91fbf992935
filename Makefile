# `make` alone lists the targets. NEURAL=0 leaves out torch and the neural codecs; VENV=DIR puts the environment elsewhere.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
NEURAL ?= 1
WORKERS ?= 2
# what `make demo` works on: CORPUS=DIR READER=emodb for your own speech, SERVE=0 to end after the report
CORPUS ?= analysis/corpora/synthetic
READER ?= manifest
PORT ?= 8000
SERVE ?= 1

PY := $(VENV)/bin/python
RUN_SET := $(VENV)/.base $(if $(filter-out 0,$(NEURAL)),$(VENV)/.neural)
DEV_SET := $(RUN_SET) $(VENV)/.pesq $(VENV)/.s3 $(VENV)/.dev

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help install demo serve worker test test-slow faults bench load deploy-check lint format clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

install: $(RUN_SET) $(VENV)/.pesq  ## create .venv and install what is pinned (again only when a requirements file changed)

demo: install  ## from a folder of speech to a report, then serve it; CORPUS=DIR READER=emodb, SERVE=0, PORT=8000
	$(PY) manage.py demo --corpus "$(CORPUS)" --reader $(READER) --port $(PORT) $(if $(filter 0,$(SERVE)),--no-serve)

serve: install  ## serve the site on PORT
	$(PY) manage.py migrate --verbosity 0
	$(PY) manage.py runserver $(PORT)

worker: install  ## render what waits in the job table, until stopped
	$(PY) manage.py worker

# A .env that points at a real study's database or broker is not for the tests.
test test-slow faults bench load: export DATA_DIR := $(CURDIR)/var/test
test test-slow faults bench load: export DATABASE_URL := sqlite:///$(CURDIR)/var/test/db.sqlite3
test test-slow faults bench load: export CELERY_BROKER_URL :=
test test-slow faults bench load: export CODEC_DOWNLOAD := 0

test: lint  ## the fast tests, after the linters
	$(PY) -m pytest -m "not slow" -n $(WORKERS) -rfEs --durations=10

test-slow: $(DEV_SET)  ## the tests that take minutes
	$(PY) -m pytest -m slow -rfEs --durations=10

bench: $(DEV_SET)  ## measure speed; prints figures, passes no judgement
	$(PY) -m pytest -o addopts=--import-mode=importlib -o python_files='bench_*.py' -q -s -rfEs tests/bench

faults: $(DEV_SET)  ## break things while raters answer, the slow way too; prints figures
	$(PY) -m pytest -s -rfEs tests/faults

load: $(DEV_SET)  ## raters by the thousand over HTTP; LOAD="--database sqlite --raters 500 --kill-every-s 30"
	$(PY) -m tests.bench.load $(LOAD)

deploy-check: $(DEV_SET)  ## hold docker/ against its linters and schemas; needs no Docker engine
	$(PY) -m pytest tests/architecture/test_deployment.py

lint: $(DEV_SET)  ## ruff, mypy, the import contracts, and that no migration is missing
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy .
	$(VENV)/bin/lint-imports --no-logo
	$(PY) manage.py makemigrations --check --dry-run

format: $(DEV_SET)  ## let ruff lay out the code and sort the imports
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

clean:  ## remove the environment and the caches; var/ with its data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each requirements file: make compares its date with the file's, so an installed environment costs nothing.
$(VENV)/.%: requirements-%.txt | $(PY)
	$(PY) -m pip install --disable-pip-version-check -r $<
	@touch $@

$(VENV)/.neural $(VENV)/.s3 $(VENV)/.dev: $(VENV)/.base

# PESQ is built from source. Where there is no C compiler it has no scores, and one that appears later is found.
$(VENV)/.pesq: | $(VENV)/.base
	@if command -v cc >/dev/null; then $(PY) -m pip install --disable-pip-version-check pesq==0.0.4 && touch $@; fi

$(PY):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and no python3 was found."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Name another: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "$(PYTHON) cannot create environments; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
