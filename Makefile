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
.PHONY: help install demo serve worker test test-slow validation faults bench load deploy-check security lint lock format clean

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
test test-slow validation faults bench load: export DATA_DIR := $(CURDIR)/var/test
test test-slow validation faults bench load: export DATABASE_URL := sqlite:///$(CURDIR)/var/test/db.sqlite3
test test-slow validation faults bench load: export CELERY_BROKER_URL :=
test test-slow validation faults bench load: export CODEC_DOWNLOAD := 0

test: lint  ## the fast tests, after the linters
	$(PY) -m pytest -m "not slow" -n $(WORKERS) --dist worksteal -rfEs --durations=10

test-slow: $(DEV_SET)  ## the tests that take minutes
	$(PY) -m pytest -m slow -rfEs --durations=10

validation: $(DEV_SET)  ## hold statistics and rater models against simulated and published studies, the slow way too
	$(PY) -m pytest -rfEs --durations=10 tests/validation

bench: $(DEV_SET)  ## measure speed; prints figures, passes no judgement
	$(PY) -m pytest -o addopts=--import-mode=importlib -o python_files='bench_*.py' -q -s -rfEs tests/bench

faults: $(DEV_SET)  ## break things while raters answer, the slow way too; prints figures
	$(PY) -m pytest -s -rfEs tests/faults

load: $(DEV_SET)  ## raters by the thousand over HTTP; LOAD="--database sqlite --raters 500 --kill-every-s 30"
	$(PY) -m tests.bench.load $(LOAD)

deploy-check: $(DEV_SET)  ## hold docker/ against its linters and schemas; needs no Docker engine
	$(PY) -m pytest tests/architecture/test_deployment.py

# Low findings are left out: assertions for the type checker, and programs that are started from argument lists.
BANDIT = $(VENV)/bin/bandit --quiet --recursive --severity-level medium analysis codecs_runner listening manage.py
security: $(DEV_SET)  ## look for weak code, secrets in files and vulnerable packages (asks osv.dev), and list the packages in var/sbom.cdx.json
	@$(BANDIT) 2>/dev/null || $(BANDIT)
	$(PY) -m pytest tests/architecture/test_secrets.py
	$(PY) -m pip check --disable-pip-version-check
	@mkdir -p var
	$(VENV)/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --output-reproducible --output-file var/sbom.cdx.json $(PY)
	PATH="$(abspath $(VENV))/bin:$$PATH" .ci/audit

lint: $(DEV_SET)  ## ruff, mypy, the import contracts, bandit, and that no migration is missing
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy .
	$(VENV)/bin/lint-imports --no-logo
	@$(BANDIT) 2>/dev/null || $(BANDIT)  # what it says of itself only where something was found
	$(PY) manage.py makemigrations --check --dry-run

# Pins stay as they are unless UPGRADE names them. Each set takes over what those before it have pinned.
RESOLVE = $(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --annotation-style line \
  --custom-compile-command "make lock" $(UPGRADE)
lock: $(DEV_SET)  ## resolve the requirement sets of pyproject.toml, with hashes; UPGRADE="--upgrade-package django"
	$(RESOLVE) pyproject.toml --output-file requirements-base.txt
	$(RESOLVE) --group s3 --constraint requirements-base.txt --output-file requirements-s3.txt
	$(RESOLVE) --group pesq --constraint requirements-base.txt --output-file requirements-pesq.txt
	$(RESOLVE) --group neural --no-emit-package torch --constraint requirements-base.txt --constraint requirements-s3.txt \
	  --output-file requirements-neural.txt
	$(RESOLVE) --no-config --group cuda --constraint requirements-neural.txt --output-file requirements-cuda.txt
	$(RESOLVE) --group dev --constraint requirements-base.txt --constraint requirements-s3.txt --constraint requirements-neural.txt \
	  --output-file requirements-dev.txt

format: $(DEV_SET)  ## let ruff lay out the code and sort the imports
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

clean:  ## remove the environment and the caches; var/ with its data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each requirements file: make compares its date with the file's, so an installed environment costs nothing.
# The files are whole, so pip resolves nothing, and takes no file whose hash they do not name.
INSTALL = $(PY) -m pip install --disable-pip-version-check --require-hashes --no-deps
$(VENV)/.%: requirements-%.txt | $(PY)
	$(INSTALL) -r $<
	@touch $@

$(VENV)/.neural $(VENV)/.s3 $(VENV)/.dev: $(VENV)/.base

# torch's CPU build where pip is set up to find it (PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu), else PyPI's with all of CUDA.
$(VENV)/.neural: requirements-neural.txt requirements-cpu.txt requirements-cuda.txt | $(PY)
	@$(INSTALL) -r requirements-cpu.txt 2>/dev/null || { echo "No CPU build of torch at hand: taking PyPI's."; $(INSTALL) -r requirements-cuda.txt; }
	$(INSTALL) -r requirements-neural.txt
	@touch $@

# PESQ is built from source. Where there is no C compiler it has no scores, and one that appears later is found.
$(VENV)/.pesq: requirements-pesq.txt | $(VENV)/.base
	@if command -v cc >/dev/null; then $(INSTALL) -r $< && touch $@; fi

$(PY):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and no python3 was found."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Name another: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "$(PYTHON) cannot create environments; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
