# `make demo` and `make test` do all their set-up themselves; they need Python 3.11+ (with venv) and the package registries.

# Tests start many processes: each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
PY := .venv/bin/python
UV := $(shell command -v uv 2>/dev/null)

.PHONY: help demo test bench soak lint clean pictures

help:
	@echo "make demo    start Vigie with a Slack of its own and an example night"
	@echo "make test    lint, types and every test"
	@echo "make bench   storms, latency, growth, memory, the review of a month"
	@echo "make soak    an hour of a busy platform in bad weather, on each database"

.venv/demo: requirements/demo.txt pyproject.toml
	@$(MAKE) --no-print-directory venv REQUIREMENTS=requirements/demo.txt
	@touch $@

.venv/dev: requirements/dev.txt pyproject.toml
	@$(MAKE) --no-print-directory venv REQUIREMENTS=requirements/dev.txt
	@touch $@ .venv/demo

.PHONY: venv
venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Vigie needs Python 3.11 or newer; set PYTHON=python3.12, for instance."; exit 1; }
ifdef UV
	@test -x $(PY) || $(UV) venv -q --seed --python $(PYTHON) .venv
	@$(UV) pip install -q --python $(PY) --require-hashes -r $(REQUIREMENTS)
else
	@echo "Installing into .venv, once: this takes a minute or two."
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r $(REQUIREMENTS)
endif
	@$(PY) -c 'import pathlib, site; pathlib.Path(site.getsitepackages()[0], "vigie.pth").write_text(str(pathlib.Path.cwd()) + "\n")'
	@printf '#!/bin/sh\nexec "%s" -m bot "$$@"\n' "$(CURDIR)/$(PY)" > .venv/bin/vigie && chmod +x .venv/bin/vigie

demo: .venv/demo
	@exec $(PY) -m bot demo

lint: .venv/dev
	@$(PY) -m ruff check .
	@$(PY) -m mypy

test: lint
	@sh tests/browser.sh
	@sh tests/in_memory.sh $(PY) -m pytest -n 2 --dist worksteal -q --durations=15

bench: .venv/dev
	@$(PY) -m bench

soak: .venv/dev
	@$(PY) -m bench soak

pictures: .venv/dev
	@$(PY) docs/pictures.py

clean:
	rm -rf .venv .demo build dist *.egg-info
