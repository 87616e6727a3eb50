# One command each. Every target makes the environment it needs in .venv and nothing outside this folder.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := aggregator tests examples benchmarks

.PHONY: demo test coverage check test-browser faults conformance selfhosted selfhosted-full fix bench kill-sweep several hammer readme clean
.DEFAULT_GOAL := help

help:  ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 17

demo: .venv/run.stamp  ## the whole idea in half a minute: no key, no network
	$(BIN)/aggregator demo

test: .venv/dev.stamp  ## the whole suite
	$(BIN)/python -m pytest -n 2 --dist loadfile --timeout 600

coverage: .venv/dev.stamp  ## the whole suite, and which lines and branches it does not reach: three times as long on Python 3.11
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report term:skip-covered

check: .venv/dev.stamp  ## format, lint, types, arrows, data: nothing is run
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m aggregator.registry.build --check

test-browser: .venv/browser.stamp  ## the contact sheet in a real browser, Debian's chromium
	@test -x /usr/bin/chromium || { echo "/usr/bin/chromium is missing: apt-get install --no-install-recommends chromium"; exit 1; }
	$(BIN)/python -m pytest tests/browser -n 2

faults: .venv/dev.stamp  ## 10,000 seeded schedules of faults and deaths, and every planted bug
	$(BIN)/python -m tests.faults.run --schedules 10000 --mutants

conformance: .venv/dev.stamp  ## the official clients against the emulator, in environments of their own
	$(BIN)/python -m tests.conformance.run

selfhosted: .venv/dev.stamp  ## real servers of the kind you run yourself, in environments of their own: BentoML, Cog, Comfy's proxy, routes of FastVideo, xDiT and XTTS
	$(BIN)/python -m tests.selfhosted.run

selfhosted-full: .venv/dev.stamp  ## the same, and the larger ones: KServe, Piper, Ray Serve, SGLang, Triton
	$(BIN)/python -m tests.selfhosted.run --full

fix: .venv/dev.stamp  ## format, mend what can be mended, rebuild what is generated
	$(BIN)/ruff check --fix-only $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/python -m aggregator.registry.build

bench: .venv/run.stamp  ## paired with httpx and the official clients, in environments of their own
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/streaming.py

kill-sweep: .venv/dev.stamp  ## kill -9 at every commit and exchange of real processes, then run again and judge
	$(BIN)/python -m tests.faults.sweep

several: .venv/dev.stamp  ## kill -9 of workers that share a database and a bucket, with and without DBOS
	$(BIN)/python -m tests.several.sweep --kills 200

hammer: .venv/dev.stamp  ## 16 processes on one budget, half of them killed, on both databases
	$(BIN)/python -m tests.ledger.hammer

clean:  ## remove environments and caches
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage* demo-output dist

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"  # an environment made by hand may have an older one
	$(BIN)/python -m pip install --quiet --editable ".[local,voice,cli]"
	@touch $@

.venv/dev.stamp: .venv/run.stamp
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

.venv/browser.stamp: .venv/dev.stamp
	$(BIN)/python -m pip install --quiet --group browser
	@touch $@
