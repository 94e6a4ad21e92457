# Three commands are all that a fresh clone needs: make quickstart, make fleet, make test.
# Each makes .venv by itself. PYTHON=... chooses the interpreter, ARGS=... goes to the program that runs.

PYTHON ?=
ARGS ?=
export PYTHON

BIN = .venv/bin

.DEFAULT_GOAL := help
.PHONY: help quickstart fleet test live docs bench check mutants clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

quickstart: ## Create a small fleet of streams on a simulated service (ARGS=--aws: on AWS)
	@.ci/venv quickstart
	@$(BIN)/python examples/quickstart.py $(ARGS)

fleet: ## Create 500 streams on a simulated service; again: resume (ARGS=--aws: on AWS)
	@.ci/venv quickstart
	@$(BIN)/python examples/provision.py $(ARGS)

test: ## Run the tests with 100 % branch coverage: two minutes (ARGS="-k name -x": without coverage)
	@.ci/venv tests
ifeq ($(strip $(ARGS)),)
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report
else
	$(BIN)/pytest $(ARGS)
endif

live: ## Check on AWS, in your account, what the library builds on (ARGS=--yes: without asking)
	@.ci/venv quickstart
	$(BIN)/python tests/live.py $(ARGS)

docs: ## Build the documentation into docs/_build/html
	@.ci/venv docs
	$(BIN)/sphinx-build -n -W --keep-going docs docs/_build/html $(ARGS)

bench: ## Measure against raw boto3 and other validators: 20 minutes (ARGS="fleet --quick")
	@.ci/venv bench
	$(BIN)/python -m benchmarks $(ARGS)

check: ## Run the slow checks of each night: an hour (ARGS="-s lint types": those of CI)
	@.ci/venv ci
	$(BIN)/nox $(or $(ARGS),-t slow)

mutants: ## Change the core in many small ways and see a test fail for each: two hours
	@.ci/venv mutants
	$(BIN)/mutmut run $(ARGS)
	$(BIN)/mutmut results

clean: ## Remove .venv and everything that was built
	rm -rf .venv .nox .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist docs/_build htmlcov mutants
	find kvs_streams tests examples docs benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
