.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
TESTS ?= tests
JOBS ?= auto
REFRESHES ?= 500000
unexport PYTHONDONTWRITEBYTECODE  # the tests start hundreds of processes, which would compile all modules again
PROOFS := $(foreach part,races model faults growth,$(part)-on-postgresql $(part)-on-sqlite)

.PHONY: help setup serve bench quick test test-short test-servers test-fuzz test-sessions $(PROOFS) test-endurance test-load test-browser test-proxy \
        test-recipes test-clients test-clients-short test-prometheus test-pgbouncer test-nodes test-ha test-install test-all check check-clients example \
        ledger sbom openapi format clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/.synced ## Make .venv with the locked dependencies

.venv/.synced: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit("Latchkey needs Python 3.11 or newer.") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/uv || { $(PYTHON) -m venv .venv && $(BIN)/pip install --quiet uv; }
	$(BIN)/uv sync --frozen --quiet || $(BIN)/uv sync --frozen --system-certs  # behind a proxy with a certificate of its own
	@touch $@

serve: setup ## Serve on http://127.0.0.1:8000/ (ARGS="--port 9000 --workers 1")
	@$(BIN)/latchkey serve $(ARGS)

SERVERS := $(addprefix tests/,operations deploy http metrics_server recipes management/test_serve.py \
             import_export/test_commands.py observability/test_opentelemetry.py mail/test_slow_mail_server.py \
             hashing/test_queue.py admin/test_query_strings.py admin/test_last_superuser.py oauth/test_services_command.py \
             bench/test_beside_server.py bench/test_sizes.py)

# All fast tests, without the pytest plugin of the fuzzing, which takes seconds to load; or those of TESTS.
quick test: FAST := $(if $(filter tests,$(TESTS)),-p no:schemathesis $(addprefix --ignore=,$(SERVERS) tests/fuzz))
quick: PARALLEL := $(if $(filter tests,$(TESTS)),-n $(JOBS))

quick: setup ## Run most fast tests on SQLite, for every day (a minute; TESTS=tests/passwords for some)
	$(BIN)/pytest --quick $(PARALLEL) --database sqlite $(FAST) $(TESTS)

test: setup ## Run the fast tests on SQLite and on PostgreSQL (5 minutes; TESTS=tests/passwords for some)
	$(BIN)/pytest -n $(JOBS) --database sqlite $(FAST) $(TESTS)
	$(BIN)/pytest -n $(JOBS) --database postgresql $(FAST) $(TESTS)

test-servers: test-servers-on-sqlite test-servers-on-postgresql ## Run the tests that start servers of their own (35 minutes)

test-servers-on-%: setup
	$(BIN)/pytest -n $(JOBS) --database $* $(filter-out $(SKIP),$(SERVERS))

example: setup ## Start the example application on http://localhost:5173/ (needs Node 20; ARGS="--port 5190")
	@examples/single-page-app/start $(ARGS)

test-fuzz: test-fuzz-on-sqlite test-fuzz-on-postgresql ## Fuzz the API with requests made from the OpenAPI document (20 minutes)

test-fuzz-on-%: setup
	$(BIN)/pytest -n $(JOBS) --database $* tests/fuzz

bench: setup ## Measure Latchkey beside other systems (QUICK=1: two minutes; ARGS="--only latchkey simplejwt", ARGS="--beside FILE")
	@$(BIN)/python -m bench $(if $(QUICK),--quick) $(ARGS)

RACES := tests/races/test_parallel_refresh.py tests/races/test_refresh_token_reuse.py tests/races/test_parallel_registration.py
FAULTS := tests/faults/test_lost_responses.py tests/faults/test_killed_workers.py
PAGES := tests/browser/test_link_pages.py tests/browser/test_browsable_api.py

test-short: setup ## Run a few races, faults and browser tests (6 minutes; needs Debian's chromium)
	$(BIN)/pytest --database sqlite -m race $(RACES)
	$(BIN)/pytest --database postgresql -m race $(RACES)
	$(BIN)/pytest --database sqlite -m fault $(FAULTS)
	$(BIN)/pytest --database postgresql -m fault $(FAULTS)
	$(BIN)/pytest -n $(JOBS) --database sqlite -m browser $(PAGES)

SESSIONS := tests/model tests/races tests/faults tests/growth

test-sessions: setup ## Test the session engine: model, races, faults and growth on both databases (10 minutes)
	@$(MAKE) --no-print-directory --jobs 3 $(PROOFS)

$(PROOFS): setup
	$(BIN)/pytest --database $(lastword $(subst -on-, ,$@)) -m "race or fault or growth" tests/$(firstword $(subst -on-, ,$@))

test-endurance: setup ## Kill backends, workers and PostgreSQL during REFRESHES=500000 refreshes (half an hour)
	$(BIN)/pytest --database postgresql -m fault --refreshes $(REFRESHES) tests/faults/test_postgresql_repeated_kills.py

test-load: setup ## Test the rest under load: guessing, floods, outages of connections (4 minutes)
	$(BIN)/pytest --database sqlite -m "race or fault" $(addprefix --ignore=,$(SESSIONS)) $(TESTS)
	$(BIN)/pytest --database postgresql -m "race or fault" $(addprefix --ignore=,$(SESSIONS)) $(TESTS)

test-browser: setup ## Drive the pages in a real browser (needs Debian's chromium)
	$(BIN)/pytest -n $(JOBS) --database sqlite -m browser $(TESTS)
	$(BIN)/pytest -n $(JOBS) --database postgresql -m browser $(TESTS)

test-proxy: setup ## Run deploy/nginx.conf and deploy/Caddyfile (needs Debian's nginx-light and caddy)
	$(BIN)/pytest --database sqlite -m proxy $(TESTS)
	$(BIN)/pytest --database postgresql -m proxy $(TESTS)

test-recipes: setup ## Run the code of docs/recipes and docs/guides (needs Node, chromium, nginx-light, caddy, a registry)
	$(BIN)/pytest --database sqlite -m recipes $(TESTS)
	$(BIN)/pytest --database postgresql -m recipes $(TESTS)

test-clients: setup ## Test clients/ and examples/ (needs Node 20, Debian's chromium and a registry)
	$(BIN)/pytest --database sqlite -m clients $(TESTS)
	$(BIN)/pytest --database postgresql -m clients $(TESTS)

test-clients-short: setup ## Test clients/ and examples/ without the longest: eight tabs for minutes, a build by Next
	$(BIN)/pytest -n $(JOBS) --database sqlite -m clients tests/clients tests/examples \
	    --ignore=tests/clients/typescript/test_tabs.py --deselect=tests/clients/typescript/test_package.py::test_next_renders_a_page_with_the_session_of_the_cookie

test-prometheus: setup ## Run deploy/prometheus/ in a real Prometheus (needs Debian's prometheus)
	$(BIN)/pytest --database sqlite -m prometheus $(TESTS)

test-pgbouncer: setup ## Run deploy/pgbouncer.ini in a real PgBouncer (needs Debian's pgbouncer)
	$(BIN)/pytest --database postgresql -m pgbouncer tests/pgbouncer

test-nodes: setup ## Restart, kill and upgrade two nodes under load behind a real nginx (needs Debian's nginx-light)
	$(BIN)/pytest --database postgresql -m nodes tests/nodes

test-ha: setup .ha/patroni/.installed ## Fail over and restore backups under load (15 minutes; needs Debian's postgresql, etcd-server, haproxy, pgbackrest)
	$(BIN)/pytest --database sqlite -m ha tests/high_availability tests/restore

PATRONI := pip install --quiet --python .ha/patroni 'patroni[etcd3,psycopg3]>=4.1,<5'

.ha/patroni/.installed: .venv/.synced  # of Debian's Python, as PostgreSQL does not run as root
	$(BIN)/uv venv --quiet --clear --python $(firstword $(wildcard /usr/bin/python3) $(PYTHON)) .ha/patroni
	$(BIN)/uv $(PATRONI) || $(BIN)/uv $(PATRONI) --system-certs
	@touch $@

test-install: setup ## Install the wheel, the lowest versions allowed, and what deploy/Containerfile builds (needs a registry)
	$(BIN)/pytest --database sqlite -m install tests/deploy

test-all: test test-servers test-fuzz test-sessions test-load test-browser test-proxy test-recipes test-clients test-prometheus \
          test-pgbouncer test-nodes test-ha test-install ## Run every test there is

check: setup ## Check style, types, import contracts, migrations and the OpenAPI document
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/latchkey makemigrations --check --dry-run
	$(BIN)/latchkey spectacular --validate --fail-on-warn | diff docs/openapi.yaml - || { echo "docs/openapi.yaml is stale: run 'make openapi'."; exit 1; }
	$(BIN)/python tools/api_reference.py --check
	$(BIN)/python tools/permission_table.py --check
	cd clients/python && ../../$(BIN)/mypy
	@$(if $(shell command -v npm),$(MAKE) --no-print-directory check-clients,echo "clients/typescript was not checked: npm is not installed.")

check-clients: ## Check the types of clients/typescript and build it (needs Node 20 and a registry)
	cd clients/typescript && npm ci --silent --no-audit --no-fund && npm run --silent check && npm run --silent build

ledger: setup ## Count the security requirements: answered, deviating, open
	@$(BIN)/python -m tests.contracts.ledger

sbom: setup ## Write sbom.cdx.json, the bill of materials (CycloneDX)
	$(BIN)/uv export --frozen --offline --no-dev --quiet --format cyclonedx1.5 --preview-features sbom-export --output-file sbom.cdx.json

openapi: setup ## Generate docs/openapi.yaml, docs/api.md, a table of docs/authorization.md, and the client's types with npm
	$(BIN)/latchkey spectacular --validate --fail-on-warn --file docs/openapi.yaml
	$(BIN)/python tools/api_reference.py
	$(BIN)/python tools/permission_table.py
	$(if $(shell command -v npm),cd clients/typescript && npm ci --silent --no-audit --no-fund && npm run --silent api)

format: setup ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove the environment and what the tools left; ./var, your data, stays
	rm -rf .venv .ha .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
