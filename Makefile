# One set of commands for people and CI. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
NPM := npm --no-update-notifier
WORKERS ?= 3
STAMPS := .stamps
export SE_OFFLINE := true
export SE_AVOID_STATS := true

.PHONY: help setup setup-test run test coverage lint fix bench bench-profile bench-steady bench-scale bench-limits
.PHONY: bench-attacks bench-files slow faults soak overload questions fuzz judges docs lock clean system-run system-test system-bench

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: system-run $(STAMPS)/run $(STAMPS)/pages ## Make .venv with the locked dependencies and build the pages

run: setup ## Start everything on 127.0.0.1:8000, with a MongoDB of its own and demo customers
	@exec $(BIN)/gateway dev

test: setup-test ## Set up and run every test, with linters
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

coverage: setup-test ## Run every test, and list the lines that none runs (a quarter longer)
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report= $(ARGS)
	$(BIN)/coverage report --include='resolvers/*,storage/*' | tail -n 1
	$(BIN)/coverage report

lint: $(STAMPS)/test ## Check style, types and the one direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fix: $(STAMPS)/test ## Mend what can be mended automatically
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: system-bench $(STAMPS)/test $(STAMPS)/production/made ## Measure what requests cost (9 minutes; ROWS=rest-one,graphql-list SECONDS=2 is short)
	@exec $(BIN)/python -m tests.bench.speed

bench-profile: system-bench $(STAMPS)/test ## Show which functions use the time of ROWS=rest-one,graphql-one
	@exec $(BIN)/python -m tests.bench.profile

bench-steady: system-bench $(STAMPS)/test $(STAMPS)/production/made ## Put the gateway under load for MINUTES=10, and see that nothing grows
	@exec $(BIN)/python -m tests.bench.steady

bench-scale: $(STAMPS)/test ## Measure lists at 10,000, 100,000 and 1,000,000 customers (SIZES=10000,100000 is short)
	@exec $(BIN)/python -m tests.bench.scale

bench-limits: $(STAMPS)/test ## Measure how exactly two workers share one limit, with Redis and without (two minutes)
	@exec $(BIN)/python -m tests.bench.limits

bench-files: $(STAMPS)/test ## Measure what imports and exports of COUNT=100000 customers cost
	@exec $(BIN)/python -m tests.bench.files

bench-attacks: $(STAMPS)/test ## Measure what attacks cost, over the largest customers that there can be (four minutes)
	@$(BIN)/python -m tests.bench.attacks
	@exec $(BIN)/python -m tests.bench.guesses

slow: $(STAMPS)/test ## Measure what 1,000 slow clients cost the others
	@docker/system-parts.sh wrk slowhttptest
	@exec $(BIN)/python -m tests.bench.slow

faults: $(STAMPS)/test ## Kill the primary KILLS=100 times, do every other fault, and count what is lost (20 minutes)
	@exec $(BIN)/python -m tests.faults.run

soak: $(STAMPS)/test ## Work at both doors for MINUTES=60 with faults and restarts, and compare all with a model
	@exec $(BIN)/python -m tests.soak.run

overload: system-bench $(STAMPS)/test $(STAMPS)/production/made ## Measure what is left of the goodput at three and ten times the load (a minute)
	@exec $(BIN)/python -m tests.bench.overload

questions: $(STAMPS)/test ## Ask thousands of generated questions at every door
	QUESTIONS=2000 $(BIN)/python -m pytest tests/parity/test_questions.py $(ARGS)

fuzz: $(STAMPS)/test $(STAMPS)/pages ## Send REQUESTS=1000000 bad requests of every kind, for at most MINUTES=60
	@exec $(BIN)/python -m tests.fuzz.run

judges: setup-test ## Ask other people's checkers what they find, and print one table
	@exec $(BIN)/python -m tests.contract.judges

docs: $(STAMPS)/test ## Build the documentation, which the gateway then serves at /guide
	$(BIN)/gateway documents --write
	$(BIN)/python -m tests.contract.licences --write
	$(BIN)/python -m tests.contract.conformance --write
	@$(MAKE) --no-print-directory $(STAMPS)/guide

lock: ## Lock the dependencies anew (needs uv)
	uv pip compile pyproject.toml --extra embedded --extra dev $(LOCK) -o requirements-dev.lock
	uv pip compile pyproject.toml --extra embedded --extra build -c requirements-dev.lock $(LOCK) -o requirements.lock
	uv pip compile pyproject.toml --extra otel --extra build -c requirements-dev.lock $(LOCK) -o docker/requirements.lock
	uv pip compile tests/judges/requirements.in --python-version 3.11 $(LOCK) -o tests/judges/requirements.lock
LOCK := --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet

clean: ## Take away what the other commands made, but not your data
	rm -rf .venv $(STAMPS) .coverage* .hypothesis .mypy_cache .ruff_cache .import_linter_cache build dist
	rm -rf app/playground/node_modules app/playground/dist app/playground/guide tests/judges/node_modules tests/judges/.venv

system-run:
	@docker/system-parts.sh node libcurl

system-test:
	@docker/system-parts.sh node libcurl curl chromium redis nginx

system-bench:
	@docker/system-parts.sh wrk

setup-test: system-test $(STAMPS)/test $(STAMPS)/pages $(STAMPS)/guide $(STAMPS)/judges $(STAMPS)/generator ## Set up what the tests need as well

# The locks are whole: with --no-deps nothing is looked for beside them, so a release of tomorrow changes nothing.
$(STAMPS)/venv:
	$(PYTHON) -m venv .venv
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: requirements.lock pyproject.toml | $(STAMPS)/venv
	@if [ ! -e $(STAMPS)/test ]; then $(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock; fi
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# Benchmarks run servers with the packages of production alone: libraries use whatever else they find installed.
bench bench-steady overload: export BENCH_PYTHON := $(STAMPS)/production/bin/python
$(STAMPS)/production/made: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
	@$(@D)/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(STAMPS)/test: requirements-dev.lock pyproject.toml | $(STAMPS)/venv
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(STAMPS)/run

PAGES := $(shell find app/playground -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/guide/*' 2>/dev/null)
$(STAMPS)/pages: $(PAGES)
	cd app/playground && $(NPM) ci --silent && $(NPM) run --silent build
	@mkdir -p $(STAMPS) && touch $@

GUIDE := mkdocs.yml $(shell find docs -type f)
$(STAMPS)/guide: $(GUIDE) app/playground/build/pack.js | $(STAMPS)/test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@find app/playground/guide -name '*.map' -delete
	node app/playground/build/pack.js app/playground/guide
	@touch $@

$(STAMPS)/judges: tests/judges/package-lock.json
	cd tests/judges && $(NPM) ci --silent
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/generator: tests/judges/requirements.lock
	$(PYTHON) -m venv tests/judges/.venv
	@tests/judges/.venv/bin/python -m pip install --quiet --require-hashes --no-deps -r $<
	@mkdir -p $(STAMPS) && touch $@
