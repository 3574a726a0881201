# Works with GNU make 3.81 (macOS) and newer. Needs Python 3.11 or newer; packages go into .venv.
# A line "##@ Name" begins a group of `make help`; a target with "## text" is listed in it.

PORT ?= 8000
BIN := .venv/bin

# The tests of the contract and the attacks, which run on SQLite and on PostgreSQL with Redis.
BOTH := tests/features tests/fuzz tests/vectors

# pytest-xdist runs the tests in two processes and gives each process one file of tests at a time.
# The slow files come first by their names, so both processes end at about the same time.
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run reset clean test test-full lint types unit browser test-production fuzz enumeration mutants \
	soak bench bench-peers bench-scale pins audit sbom hooks runtime develop chromium services

help:
	@awk -F ':.*## ' '/^##@ / { printf "%s%s\n", (n++ ? "\n" : ""), substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

##@ Use

run: runtime ## serve http://localhost:8000 (another port: make run PORT=8001)
	@ORIGIN="$${ORIGIN:-http://localhost:$(PORT)}" $(BIN)/python -m uvicorn main:app \
		--host 127.0.0.1 --port $(PORT) --no-proxy-headers --no-server-header

reset: runtime ## delete database and log, start the server anew in the background
	@PORT=$(PORT) ./reset.sh

clean: ## remove .venv and caches; database and log stay
	@rm -rf .venv scripts/page-types/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Test

# The scripts behind `chromium` and `services` say what they found, and fail if a part is missing.
test: export REQUIRED = true
test: develop chromium services lint types ## everything: style, types, all tests (what CI runs)
	@$(PYTEST)
	@TEST_BACKEND=production $(PYTEST) $(BOTH)

test-full: ## the same, with every case of every table (`make test` takes some of each kind)
	@FULL=1 $(MAKE) --no-print-directory test

lint: develop ## style: ruff check and ruff format --check
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet

types: develop ## types: mypy --strict, and tsc --checkJs for the page
	@$(BIN)/mypy --no-error-summary
	@scripts/check-page-types.sh

unit: develop ## the tests that need no browser
	@$(PYTEST) -m "not browser"

browser: develop chromium ## the tests of the page, in a real browser
	@$(PYTEST) -m browser

test-production: develop services ## the contract and the attacks again, on PostgreSQL and Redis
	@TEST_BACKEND=production $(PYTEST) $(BOTH)

fuzz: develop ## 50,000 broken requests against the service in process (SEED=2: others)
	@$(BIN)/python -m assurance.fuzz --count 50000 --seed $(or $(SEED),1)

enumeration: develop ## compare responses and times: can /login/begin tell who is registered?
	@$(BIN)/python -m assurance.enumeration

mutants: ## mutation tests of the security core (MUTANTS="core.tokens.*": only these)
	@scripts/venv.sh requirements-mutants.txt
	@$(BIN)/python -m assurance.mutation $(MUTANTS)

soak: develop ## cause every fault, in full: about an hour (NAMES="full-disk ...": only these)
	@$(BIN)/python -m assurance.soak $(NAMES) --full

##@ Measure

bench: develop ## what an operation costs, on SQLite and on PostgreSQL + Redis (under 3 minutes)
	@$(BIN)/python -m bench.load $(BENCH)

bench-peers: develop ## the same load on other passkey servers, in turns; writes docs/performance.svg
	@$(BIN)/python -m bench.peers --svg docs/performance.svg $(BENCH)

bench-scale: develop ## the cost of size: 100,000 users and a million audit rows (SCALE=--full: ten times)
	@$(BIN)/python -m bench.scale $(SCALE) $(BENCH)

##@ Maintain

hooks: develop ## run `make lint` and `make types` before every commit (pre-commit)
	@$(BIN)/pre-commit install

pins: develop ## resolve all requirements again; write constraints.txt and the locks with hashes
	@$(BIN)/python scripts/pin.py

audit: develop ## list known vulnerabilities of the pinned packages; needs the network
	@$(BIN)/python scripts/audit.py

sbom: develop ## write the bill of materials of the image, sbom.cdx.json (CycloneDX)
	@$(BIN)/python scripts/sbom.py

# These targets are steps of the targets above.

runtime:
	@scripts/venv.sh requirements.txt

develop:
	@scripts/venv.sh requirements-dev.txt

chromium:
	@scripts/ensure-browser.sh

services:
	@scripts/ensure-services.sh
