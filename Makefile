# Works with GNU make 3.81 (macOS) and newer. Needs Python 3.11 or newer; all else goes into .venv.

PORT ?= 8000
BIN := .venv/bin

# The contract and the attacks, which hold on PostgreSQL and Redis as they do on SQLite.
BOTH := tests/ceremonies tests/fuzz tests/http tests/settings tests/test_reconciliation.py \
	$(wildcard tests/test_vectors_*.py) tests/tokens

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test lint types unit browser reset pins clean runtime develop chromium services

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: runtime ## serve http://localhost:8000 (another port: make run PORT=8001)
	@ORIGIN="$${ORIGIN:-http://localhost:$(PORT)}" $(BIN)/python -m uvicorn main:app \
		--host 127.0.0.1 --port $(PORT) --no-proxy-headers --no-server-header

test: develop chromium services lint types ## everything: style, types, all tests (what CI runs)
	@$(BIN)/python -m pytest
	@TEST_BACKEND=production $(BIN)/python -m pytest $(BOTH)

lint: develop ## style: ruff check and ruff format --check
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet

types: develop ## types: mypy --strict
	@$(BIN)/mypy --no-error-summary

unit: develop ## the tests that need no browser
	@$(BIN)/python -m pytest -m "not browser"

browser: develop chromium ## the tests of the page, in a real browser
	@$(BIN)/python -m pytest -m browser

reset: runtime ## delete database and log, start the server anew in the background
	@PORT=$(PORT) ./reset.sh

pins: develop ## resolve the direct requirements again and rewrite constraints.txt
	@$(BIN)/python scripts/pin.py

clean: ## remove .venv and caches; database and log stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

runtime:
	@scripts/venv.sh requirements.txt

develop:
	@scripts/venv.sh requirements-dev.txt

chromium:
	@scripts/ensure-browser.sh

services:
	@scripts/ensure-services.sh

.PHONY: fuzz enumeration

fuzz: develop ## 50,000 broken requests against the service in process (SEED=2: others)
	@$(BIN)/python -m assurance.fuzz --count 50000 --seed $(or $(SEED),1)

enumeration: develop ## can /login/begin tell who is registered? answers compared, times measured
	@$(BIN)/python -m assurance.enumeration

.PHONY: mutants

mutants: ## mutation tests of the security core (MUTANTS="core.cose.*": only these)
	@scripts/venv.sh requirements-mutants.txt
	@$(BIN)/python -m assurance.mutation $(MUTANTS)

.PHONY: test-production soak

test-production: develop services ## the contract and the attacks again, on PostgreSQL and Redis
	@TEST_BACKEND=production $(BIN)/python -m pytest $(BOTH)

soak: develop ## every fault survived, in full: about an hour (NAMES="full-disk ...": only these)
	@$(BIN)/python -m assurance.soak $(NAMES) --full

.PHONY: bench

bench: develop ## what an operation costs, on SQLite and on PostgreSQL + Redis (under 3 minutes)
	@$(BIN)/python -m bench.load $(BENCH)

.PHONY: bench-peers

bench-peers: develop ## the same load on other passkey servers, in turns; writes docs/performance.svg
	@$(BIN)/python -m bench.peers --svg docs/performance.svg $(BENCH)

.PHONY: bench-scale

bench-scale: develop ## what size costs: 100,000 users and a million audit rows (SCALE=--full: ten times)
	@$(BIN)/python -m bench.scale $(SCALE) $(BENCH)
