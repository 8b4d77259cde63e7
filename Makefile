# Every chore of the repository. `make` lists them.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# A setting of the caller's shell must not reach the tests.
unexport DATABASE_URL OBERA_UPDATE

XTASK := cargo run --quiet --bin xtask --
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
check-clippy: ## Rust lints, without a warning
	cargo clippy --workspace --all-targets --locked -- -D warnings

.PHONY: check-repository
check-repository: web/dist/index.html ## Generated files, layering of the crates, links, left-overs
	cargo build --workspace --all-targets --locked
	$(BUILT)/xtask check-deps
	$(BUILT)/xtask tidy
	$(BUILT)/xtask gen --check

.PHONY: check-rust
check-rust: ## Rust tests on one throw-away PostgreSQL (ARGS="-p rest" for some)
	cargo build --workspace --all-targets --locked
	$(BUILT)/xtask test $(ARGS)

.PHONY: check-web
check-web: check-web-lint web/dist/index.html ## Console: types, lint, tests, build and its size
	cd web && npm test

.PHONY: check-web-lint
check-web-lint: web/node_modules/.installed
	cd web && npm run typecheck && npm run lint

.PHONY: e2e
e2e: setup-browser web/dist/index.html e2e/node_modules/.installed e2e/python/.venv/.installed ## The product from outside: a browser against a demo
	cargo build --workspace --all-targets --locked
	cd e2e && OBERA_BIN=$(abspath $(BUILT))/obera npm test

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
	cargo run --release --bin bench -- $(or $(ARGS),all)

.PHONY: clean
clean: ## Remove what was built (never a data directory)
	rm -rf target web/dist web/node_modules e2e/node_modules e2e/python/.venv e2e/out

e2e/python/.venv/.installed: e2e/python/requirements.txt
	python3 -m venv e2e/python/.venv
	e2e/python/.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# Packages are installed when their lock file is newer than the last installation.
%/node_modules/.installed: %/package-lock.json
	cd $* && npm ci --no-audit --no-fund
	@touch $@

web/dist/index.html: web/node_modules/.installed $(WEB_SOURCES)
	cd web && npm run build
	@touch $@
