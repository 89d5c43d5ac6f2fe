# Short names for what the README and .ci/run do.
VENV ?= .venv
PYTHON ?= python3

.PHONY: test check bench docs clean

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

bench: $(VENV)
	$(VENV)/bin/python -m benchmarks

docs: $(VENV)
	$(VENV)/bin/python -m tests.test_commands_page

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
