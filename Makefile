# Python 3.10 to 3.13 and make are all that is needed; `make` prints this list.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench lock clean

help: ## Say what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/ready ## Make .venv with everything pinned in requirements.txt

.venv/ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

demo: setup ## Run 60 simulated orders through a real Airflow into a real Tryton (ERP=rest: a simulated ERP; ONCE=1 ends by itself)
	@$(BIN)/python -m sandbox.demo

test: setup ## Run all tests
	$(BIN)/python -m pytest --numprocesses auto --dist loadgroup

check: setup ## Run the linters, the type checker and the schema check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=plugins:. $(BIN)/lint-imports
	PYTHONPATH=plugins $(BIN)/python -m vtex_erp.schemas --check

bench: setup ## Measure against a sequential consumer and a plain DAG (JSON in bench-results/)
	$(BIN)/python -m sandbox.bench

lock: setup ## Pin the newest versions of requirements.in, and of Tryton's, into requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 sandbox/tryton/requirements.in -o sandbox/tryton/requirements.txt

clean: ## Remove the environments, what the demo left, and the prepared Tryton
	rm -rf .venv .demo .tryton
