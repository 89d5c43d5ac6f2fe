# Short names for what the README and .ci/run do.
VENV ?= .venv
PYTHON ?= python3

.PHONY: test check bench docs lock clean

$(VENV): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install -e '.[dev]'
	touch $(VENV)

test: $(VENV)
	$(VENV)/bin/python -m pytest

check: $(VENV)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/hadolint Dockerfile

bench: $(VENV)
	$(VENV)/bin/python -m benchmarks

docs: $(VENV)
	$(VENV)/bin/python -m tests.test_commands_page

# The newest versions that pyproject.toml allows, for all systems, with hashes; UPGRADE= keeps those that are locked.
UPGRADE ?= --upgrade
COMPILE = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command 'make lock' $(UPGRADE)

lock: $(VENV)
	$(VENV)/bin/pip install --quiet uv
	$(COMPILE) pyproject.toml --extra postgres --output-file requirements/run.txt
	$(COMPILE) pyproject.toml --extra dev --output-file requirements/dev.txt
	$(COMPILE) requirements/build.in --output-file requirements/build.txt

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
