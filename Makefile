# make demo   environment, then both demo cohorts from DICOM to results/report.html
# make init   a config and three sheets for your own patients, from five answers
# make test   the whole test suite
# make bench  every benchmark beside its reference: a table of ratios, results/benchmarks.json
# make lint   what CI checks besides the tests
# make site   docs/ as web pages in site/ (no network needed once installed)
# make docs   the parts of docs/ that are made of config/papers, and the schema of the config for editors
# make pictures  the pictures of docs/, from the results of the demo
# make release  checks that all is ready for a release, and tags it (maintainers)
# make lock   resolve envs/requirements.in anew (maintainers)
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
CORES ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
BIN := .venv/bin

SITE := .venv/site
.PHONY: demo init test bench site docs pictures lint format lock release environment clean

# Besides what is installed: the hook that looks at a command line before Snakemake does. A copy of one small file.
environment: .venv/installed
	@cp -r envs/snakemake_logger_plugin_command_line $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

# Parts of packages of which no job of the demo imports more than a few modules. Those compile when they are imported.
NOT_IMPORTED := /(tests?|torch/(_inductor|sparse|testing)|torchgen|pygments/lexers|networkx|sympy/(combinatorics|physics|stats)|setuptools|sqlalchemy/(dialects|testing)|wcwidth|numpy/distutils)/

.venv/installed: envs/requirements.lock envs/torch.txt envs/install.sh
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 12) else "Python 3.11 or 3.12 is needed; set PYTHON=/path/to/python3.11")'
	@echo "Installing the pinned environment into .venv (about a minute)"
	$(PYTHON) -m venv --clear .venv
	envs/install.sh .venv
	# Compiled by all cores at once: a job's start-up is part of its cost. What no job imports is left out.
	$(BIN)/python -m compileall -q -j 0 -x '$(NOT_IMPORTED)' .venv/lib workflow/scripts >/dev/null || true
	touch $@

demo: environment
	$(BIN)/snakemake --cores $(CORES) all

# Five questions, or `make init NAME=ours MODALITY=MR PHASES=arterial,portal,delayed ROOT=/data/dicom METHODS=zhao2024`.
init: environment
	@PYTHONPATH=workflow/scripts $(BIN)/python -m hcc_recurrence.new_cohort $(if $(NAME),--name "$(NAME)") \
	    $(if $(MODALITY),--modality "$(MODALITY)") $(if $(PHASES),--phases "$(PHASES)") \
	    $(if $(ROOT),--root "$(ROOT)") $(if $(METHODS),--methods "$(METHODS)")

# Three at a time on two cores, since those of the cluster wait; the long ones first (tests/conftest.py).
test: environment $(SITE)/installed
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# Alone on the machine; hours. BENCH="radiomics training" runs some of them; RUNS=1 is enough to see that they run.
RUNS ?= 3
bench: environment
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --upgrade --target .venv/bench -r envs/benchmarks.txt
	$(BIN)/python tests/benchmarks $(BENCH) --runs $(RUNS)

# The documentation's tools lie beside the environment: a run of the workflow needs none of them.
$(SITE)/installed: envs/site.txt .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(SITE) -r envs/site.txt
	touch $@

site: environment $(SITE)/installed
	NO_MKDOCS_2_WARNING=1 PYTHONPATH=$(SITE) $(BIN)/python -m mkdocs build --strict --quiet
	@echo "site/index.html; for its search: $(BIN)/python -m http.server --directory site"

# From the results of the demo.
pictures:
	$(BIN)/python docs/pictures.py results

docs: environment
	$(BIN)/python docs/chosen_settings.py
	$(BIN)/python docs/config_schema.py

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: environment
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

lock:
	rm -rf .lock-venv && $(PYTHON) -m venv .lock-venv
	.lock-venv/bin/pip install --quiet -r envs/requirements.in -r envs/torch.txt
	(echo "# Made by 'make lock' from requirements.in; every version pinned."; .lock-venv/bin/pip freeze --exclude pip --exclude setuptools --exclude torch) > envs/requirements.lock
	rm -rf .lock-venv

# Looks before it tags: one version everywhere, with a date, all committed, lint and tests. Pushing is left to a person.
release: environment
	@PYTHONPATH=workflow/scripts $(BIN)/python -m hcc_recurrence.version
	$(MAKE) lint test
	version=$$(PYTHONPATH=workflow/scripts $(BIN)/python -m hcc_recurrence.version) && \
	    git tag -a "v$$version" -m "Version $$version" && echo "Tagged v$$version; now: git push origin v$$version"

# Results stay valid: what made them is recorded with them (docs/results.md).
clean:
	rm -rf .venv .snakemake
