# `make` alone lists what there is. Everything is set up inside the checkout, in .venv.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
export UV_PROJECT_ENVIRONMENT := .venv
# The tests' modules are compiled once, not in every run and every process that a test starts.
unexport PYTHONDONTWRITEBYTECODE
# One test process more than most machines that test have processors: many tests wait, for a process, a server or a limit.
WORKERS ?= 3
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

.PHONY: help setup demo reference test lint types layers bench clean

help: ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(UV):
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet uv

.venv/.ready: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --quiet --frozen --inexact --compile-bytecode
	@$(BIN)/python -m compileall -q src
	@touch $@

setup: .venv/.ready ## Create .venv and install what uv.lock names

demo: setup ## Run the plan's workflow offline on a sample audience, with live progress
	@$(BIN)/lumeflow demo

reference: setup ## Write docs/blocks anew from the blocks themselves
	@LUMEFLOW_PLUGINS= $(BIN)/lumeflow blocks docs --to docs/blocks

lint: setup ## Style and formatting
	@$(BIN)/ruff check --quiet src tests benchmarks
	@$(BIN)/ruff format --quiet --check src tests benchmarks

types: setup ## Strict static types
	@$(BIN)/mypy --no-error-summary

layers: setup ## Import layers: imports point downwards only
	@$(BIN)/lint-imports --no-cache > .venv/layers.log || (cat .venv/layers.log; exit 1)

test: lint types layers ## Everything that must be green before a change lands
	@$(PYTEST) --cov --cov-report=term:skip-covered

bench: setup ## Measure against the physical limit, a hand-written pipeline and the old way
	@$(BIN)/python -m benchmarks

clean: ## Remove the environment and all caches
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
