# The front door. Each target sets up what it needs, in this folder or under your home; see README.md.
# Pass arguments on with ARGS: make run ARGS="--listen 0.0.0.0:8080"

.PHONY: help run test check bench web
.DEFAULT_GOAL := help

help: ## Say what there is
	@sed -n 's/^\([a-z]*\): ## /  make \1\t/p' $(MAKEFILE_LIST)

run: ## Build Kabar and start it with demo data on http://localhost:8080
	@scripts/run $(ARGS)

test: ## Run every test: Rust on SQLite and PostgreSQL, the web app, whole people in a browser, and public SDKs
	@scripts/test

check: ## Format, lints, types and dependencies, without running anything
	@scripts/check

bench: ## Measure the release build; ARGS names the scenarios, default: idle login chat
	@scripts/bench $(ARGS)

web: ## Build the web app into web/dist
	@scripts/web
