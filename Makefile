# Needs make and Python 3.11 or newer with pip and venv. Paths are relative, so the folder's name may contain blanks.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
DLT := .venv-bench
SUPERSET := .venv-superset
AIRFLOW := .venv-airflow
WORKERS ?= auto
# What test-quick runs: the other folders of tests/ run whole programs against faults, for days of history, or by hand.
QUICK_TESTS := $(addprefix tests/,catalog models_db run show source store test_errors.py cli)

# The index is set here, so that a user's own settings do not reach the lock file. uv reads the version of the
# project by means of hatchling, which is in .venv.
UV := UV_NO_CONFIG=1 UV_NO_BUILD_ISOLATION=1 UV_PYTHON=$(BIN)/python UV_DEFAULT_INDEX=https://pypi.org/simple $(BIN)/uv
EXPORT := $(UV) export --quiet --locked --all-extras --no-emit-project --no-hashes --no-annotate --no-header

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-quick torture tamper ha ticks notify-campaign bench bi-check airflow-check pictures check format lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name what; do \
		printf 'make %-10s %s\n' "$$name" "$$what"; done

demo: $(READY) ## the whole job on this machine, no key needed
	@$(BIN)/catalog-sync demo

test: $(READY) ## the tests: SQLite, PostgreSQL, and MariaDB where there is one
	@$(BIN)/python -m pytest -q -n $(WORKERS)

test-quick: $(READY) ## the fast tests, on SQLite alone
	@$(BIN)/python -m pytest -q -n $(WORKERS) --sqlite-only $(QUICK_TESTS)

torture: $(READY) ## random failures for hours; SEED= PARTS= DATABASES= MINUTES= JOBS= FIRST=
	@$(BIN)/python -m tests.torture $(if $(SEED),--seed $(SEED)) $(if $(PARTS),--parts "$(PARTS)") \
		$(if $(DATABASES),--databases "$(DATABASES)") $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(JOBS),--jobs $(JOBS)) $(if $(FIRST),--first $(FIRST))

tamper: $(READY) ## tampers with sealed catalogs 1,000 times per database, and three years without; SEED= DATABASES= MINUTES= JOBS=
	@$(MAKE) --no-print-directory torture PARTS="tamper years"

ha: $(READY) ## kills and freezes the servers of a replicated database in use; CLUSTER=galera KILLS= MINUTES= JOBS= SEED= TIMEOUT=
	@$(BIN)/python -m tests.ha $(if $(CLUSTER),--cluster $(CLUSTER)) $(if $(KILLS),--kills $(KILLS)) $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(JOBS),--jobs $(JOBS)) $(if $(SEED),--seed $(SEED)) $(if $(TIMEOUT),--timeout $(TIMEOUT))

ticks: $(READY) ## kills three schedules of one database at random; MINUTES= DATABASES="sqlite postgresql mariadb failover galera" SPAN= SEED=
	@$(BIN)/python -m tests.ticks $(if $(MINUTES),--minutes $(MINUTES)) $(if $(DATABASES),--databases "$(DATABASES)") \
		$(if $(SPAN),--span $(SPAN)) $(if $(SEED),--seed $(SEED))

notify-campaign: $(READY) ## servers that fail, hang and are killed with the sender: is each event delivered; ROUNDS= SEED=
	@$(BIN)/python -m tests.notify.campaign $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED))

bench: $(READY) $(DLT)/ready ## speed beside a baseline and dlt: hours, minutes with QUICK=1; PARTS= DATABASES= SIZES=
	@$(BIN)/python -m benchmarks --dlt-python $(DLT)/bin/python $(if $(QUICK),--quick) $(if $(PARTS),--parts $(PARTS)) \
		$(if $(DATABASES),--databases $(DATABASES)) $(if $(SIZES),--sizes $(SIZES))

bi-check: $(READY) $(SUPERSET)/ready ## the dashboard in Superset and Chromium beside the views; URLS="postgresql://... sqlite:////..."
	@[ -n "$(URLS)" ] || $(BIN)/catalog-sync demo --directory $(SUPERSET) >/dev/null
	@PATH="$(CURDIR)/$(SUPERSET)/bin:$$PATH" bash bi/superset/check.sh $(if $(URLS),$(URLS),"sqlite:///$(CURDIR)/$(SUPERSET)/demo.db")

airflow-check: $(READY) $(AIRFLOW)/ready ## the DAG of deploy/airflow in a real Airflow, with each exit code; ONLY="done removals_held"
	@$(BIN)/python -m tests.airflow $(AIRFLOW)/bin $(if $(ONLY),--only $(ONLY))

pictures: $(READY) ## the pictures of the README, from the demo; needs Chromium
	@$(BIN)/python -m tests.pictures

# alembic/ is checked from within: from the root mypy would take the folder for the library of the same name.
check: $(READY) ## lint, format, types, import directions, lock files, deploy/
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@cd alembic && MYPYPATH=.. ../$(BIN)/mypy --cache-dir ../.mypy_cache --config-file ../pyproject.toml env.py versions
	@$(BIN)/lint-imports --no-logo
	@{ $(UV) lock --quiet --check --offline && $(EXPORT) --offline | diff -u constraints.txt -; } \
		|| { echo 'uv.lock or constraints.txt does not follow pyproject.toml: run make lock' >&2; exit 1; }
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash .ci/check-deploy

format: $(READY) ## format the code and fix what ruff can fix
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

lock: $(READY) ## write uv.lock and constraints.txt from pyproject.toml (UPGRADE=1: newest versions)
	@$(UV) lock $(if $(UPGRADE),--upgrade)
	@$(EXPORT) --output-file constraints.txt >/dev/null

clean: ## remove everything that make and the tests created
	rm -rf $(VENV) $(DLT) $(SUPERSET) $(AIRFLOW) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# hatchling is installed first and stays, so that a later change of pyproject.toml installs without a network.
$(READY): $(VENV)/pyvenv.cfg pyproject.toml constraints.txt
	@echo 'Installing the project and its dependencies into $(VENV) ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt hatchling editables
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		--no-build-isolation -e '.[dev,mariadb,metrics,notify,postgres]'
	@touch $@

$(SUPERSET)/ready: bi/superset/requirements.txt
	@echo 'Installing Superset into $(SUPERSET) ...'
	@$(PYTHON) -m venv $(SUPERSET)
	@$(SUPERSET)/bin/python -m pip install --quiet --disable-pip-version-check -r bi/superset/requirements.txt \
		playwright==1.65.2
	@touch $@

$(AIRFLOW)/ready: deploy/airflow/requirements.txt
	@echo 'Installing Airflow into $(AIRFLOW) ...'
	@$(PYTHON) -m venv $(AIRFLOW)
	@$(AIRFLOW)/bin/python -m pip install --quiet --disable-pip-version-check -r deploy/airflow/requirements.txt -e .
	@touch $@

$(DLT)/ready: benchmarks/requirements.txt $(VENV)/pyvenv.cfg
	@echo 'Installing dlt for the comparison into $(DLT) ...'
	@$(BIN)/python -m venv $(DLT)
	@$(DLT)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo '$(PYTHON) cannot be used: catalog-sync needs Python 3.11 or newer; name one, such as make PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
