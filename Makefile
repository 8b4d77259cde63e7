# Every chore of the repository. `make` lists them.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# A setting of the caller's shell must not reach the tests.
unexport DATABASE_URL OBERA_UPDATE

XTASK := cargo run --quiet --bin xtask --
# Clippy compiles what is run and tested here, so that lints cost no second build. Release builds are the compiler's own.
# By its name alone: another spelling of its path would be another build.
export RUSTC_WORKSPACE_WRAPPER := $(if $(shell command -v clippy-driver),clippy-driver)
BUILD := cargo build --workspace --all-targets --locked
# What `make test` built. It is started from there: `cargo run` would choose other features and build much of it again.
BUILT := $(or $(CARGO_TARGET_DIR),target)/debug
WEB_SOURCES := $(shell find web/src web/public web/scripts -type f) \
	web/index.html web/package.json web/tsconfig.json web/vite.config.ts

.PHONY: help
help: ## List the targets
	@echo "OberaConnect. The two that matter: make run, make test."
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- run ---------------------------------------------------------------------------------------------------------------

.PHONY: run
run: setup web/dist/index.html ## Build everything and start the demo MSP (ARGS="--port 8421 --customers 5")
	cargo run --bin obera -- demo $(ARGS)

.PHONY: setup
setup: ## Install what is missing (Debian: PostgreSQL, a C compiler) and check Rust and Node
	@tools/setup

# --- test --------------------------------------------------------------------------------------------------------------

# In the order of what fails soonest. Everything is built once, with one profile and one set of features.
TEST_STEPS := setup-browser check-fmt check-web check-clippy check-repository check-rust e2e

.PHONY: test
test: ## Run every check and every test, as CI does (installs what is missing)
	@begun=$$(date +%s); place=0; \
	for step in $(TEST_STEPS); do \
		place=$$((place + 1)); step_begun=$$(date +%s); \
		printf '\n== %s of %s: %s\n' $$place $(words $(TEST_STEPS)) $$step; \
		$(MAKE) $$step || { printf '\n== FAILED: %s (again: make %s)\n' $$step $$step; exit 1; }; \
		printf '== %s: in order, %s s\n' $$step $$(($$(date +%s) - step_begun)); \
	done; \
	printf '\n== All in order, %s s.\n' $$(($$(date +%s) - begun))

.PHONY: setup-browser
setup-browser: ## As setup, and Chromium for the tests in a browser
	@tools/setup browser

.PHONY: lint
lint: check-fmt check-web-lint check-clippy check-repository ## Formatting, lints, types, layering, links, generated files

.PHONY: check-fmt
check-fmt: ## Rust formatting
	cargo fmt --all --check

.PHONY: check-clippy
check-clippy: ## Build everything with clippy, without a warning
	$(BUILD) 2>&1 | awk '{ print } /^(warning|error)/ { bad = 1 } END { exit bad }'

.PHONY: check-repository
check-repository: web/dist/index.html ## Generated files, layering of the crates, links, left-overs
	$(BUILD)
	$(BUILT)/xtask check-deps
	$(BUILT)/xtask tidy
	$(BUILT)/xtask gen --check

.PHONY: check-rust
check-rust: ## Rust tests on one throw-away PostgreSQL (ARGS="-p rest" for some)
	$(BUILD)
	$(BUILT)/xtask test $(ARGS)

.PHONY: check-web
check-web: check-web-lint web/dist/index.html ## Console: types, lint, tests, build and its size
	cd web && npm test

.PHONY: check-web-lint
check-web-lint: web/node_modules/.installed
	cd web && npm run typecheck && npm run lint

.PHONY: e2e
e2e: setup-browser web/dist/index.html e2e/node_modules/.installed e2e/python/.venv/.installed ## The product from outside: a browser against a demo
	$(BUILD)
	cd e2e && OBERA_BIN=$(abspath $(BUILT))/obera npm test

# --- long tests: not a part of `make test` ---------------------------------------------------------------------------------

# Made-up cases of each property, and minutes of made-up calls.
LONG_CASES ?= 50000
LONG_MINUTES ?= 6
# Synchronizations with a vendor that fails at random, until nothing is lost after some 100,000 failures.
LONG_VENDOR_CASES ?= 2500
# Beside the machine's own PostgreSQL, which `make test` runs on.
LONG_POSTGRES ?= 16 17 18
LONG_STEPS := long-fuzz long-vendors long-postgres long-s3 long-openapi
# Readers of what strangers send, without a database.
FUZZED := --lib -p auth -p pg -p realtime -p rest -p storage
LONG_PYTHON := e2e/long/.venv/.installed

.PHONY: test-long
test-long: ## What takes long: fuzzing, PostgreSQL 16 to 18, a real S3 server, made-up calls (LONG_CASES, LONG_MINUTES, LONG_POSTGRES)
	@$(MAKE) test TEST_STEPS="setup-browser $(LONG_STEPS)"

.PHONY: long-fuzz
long-fuzz: ## Every property with LONG_CASES cases
	PROPTEST_CASES=$(LONG_CASES) cargo test --locked $(FUZZED)
	PROPTEST_CASES=$(LONG_CASES) cargo test --locked -p server --bin obera fuzz
	PROPTEST_CASES=$(LONG_CASES) cargo test --locked -p auth --test it edit

.PHONY: long-vendors
long-vendors: ## Synchronizations with LONG_VENDOR_CASES vendors that fail at random: nothing is lost
	$(BUILD)
	PROPTEST_CASES=$(LONG_VENDOR_CASES) $(BUILT)/xtask test --test sync -- --nocapture nothing_is_lost

.PHONY: long-postgres
long-postgres: e2e/postgres/node_modules/.installed web/dist/index.html e2e/node_modules/.installed ## All Rust tests, and the story in the browser, on each of LONG_POSTGRES
	$(BUILD)
	@for version in $(LONG_POSTGRES); do \
		printf '\n-- PostgreSQL %s\n' $$version; \
		export PATH="$(abspath e2e/postgres)/$$version:$$PATH"; \
		$(BUILT)/xtask test --locked || exit 1; \
		(cd e2e && OBERA_BIN=$(abspath $(BUILT))/obera npm test -- 1-story.test.mjs) || exit 1; \
	done

.PHONY: long-s3
long-s3: $(LONG_PYTHON) ## Files in a bucket of an S3 server
	e2e/long/with-s3 cargo test --locked -p storage --features s3 --test it

.PHONY: long-openapi
long-openapi: $(LONG_PYTHON) web/dist/index.html ## Calls made up from /openapi.json, as a technician, a portal user and nobody
	$(BUILD)
	OBERA_BIN=$(abspath $(BUILT))/obera LONG_MINUTES=$(LONG_MINUTES) node e2e/long/openapi.mjs

# --- chores ------------------------------------------------------------------------------------------------------------

.PHONY: fmt
fmt: ## Format the Rust code
	cargo fmt --all

.PHONY: gen
gen: ## Write the generated files (db/reference, docs/reference/cli.md, docs/errors/index.md)
	cargo build --bin obera --bin xtask
	$(BUILT)/xtask gen

.PHONY: matrix
matrix: ## Find out who may do what; write db/tests/access_matrix.txt
	$(XTASK) matrix

.PHONY: web
web: web/dist/index.html ## Build the console

.PHONY: bench
bench: setup ## Measure against named peers (release build; ARGS for one benchmark)
	RUSTC_WORKSPACE_WRAPPER= cargo run --release --bin bench -- $(or $(ARGS),all)

.PHONY: clean
clean: ## Remove what was built (never a data directory)
	rm -rf target web/dist web/node_modules e2e/node_modules e2e/postgres/node_modules e2e/python/.venv e2e/long/.venv e2e/out

e2e/%/.venv/.installed: e2e/%/requirements.txt
	python3 -m venv e2e/$*/.venv
	e2e/$*/.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# Packages are installed when their lock file is newer than the last installation.
%/node_modules/.installed: %/package-lock.json
	cd $* && npm ci --no-audit --no-fund
	@touch $@

web/dist/index.html: web/node_modules/.installed $(WEB_SOURCES)
	cd web && npm run build
	@touch $@
