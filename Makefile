# `make help` lists the targets. Everything runs from .venv, which `make setup` makes and keeps up to date.
SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin
# Narrow a run: make test ARGS="tests/unit/services/load -k ewma"
ARGS ?=

.PHONY: replies bench-judgement bench-scheduling bench-services help setup setup-test demo test faults lint format up clean lock alerts breakin bench-rules bench-bus soak fuzz

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make .venv/bin/tandem ready (done by demo and test themselves)
	@sh deploy/setup.sh

setup-test:
	@sh deploy/setup.sh test

demo: setup ## Play the example athlete through all four services, no broker needed
	@$(BIN)/tandem demo

test: setup-test ## Run the tests (RabbitMQ and PostgreSQL nodes of their own); ARGS="-k load" narrows
	@sh tests/run.sh $(ARGS)

breakin: setup-test ## A hostile tenant on a real broker tries what it can; ends with goal lines
	@$(BIN)/python -m tests.breakin $(ARGS)

replies: setup-test ## 10,000 random commands, duplicates and skewed clocks: each reply and effect against a model
	@$(BIN)/python -W ignore -m tests.replies $(ARGS)

faults: setup-test ## Kill, stop, choke and cut off everything around the services; nothing may be lost or doubled
	@$(BIN)/python -W ignore -m tests.faults $(ARGS)

alerts: setup-test ## Fire every alert by its real fault, in a real Prometheus, and end it by its runbook's steps
	@$(BIN)/python -W ignore -m tests.alerts $(ARGS)

lint: setup ## Check format, style, types and import arrows
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: setup ## Format the code and fix what can be fixed
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

bench-rules: setup ## Rules at speed, beside other engines; ends with goal lines, fails on a missed one
	@sh benchmarks/setup.sh
	@$(BIN)/python -m benchmarks.rules $(ARGS)

soak: setup ## A million random decisions on both evaluators and 10,000 reloads; ends with goal lines
	@$(BIN)/python -m benchmarks.rules.soak $(ARGS)

fuzz: setup-test ## Hostile and sound rule files through loader, lint and both evaluators, 10 min (TANDEM_FUZZ_SECONDS)
	@$(BIN)/python -m tests.fuzz.rule_files $(ARGS)

bench-bus: setup-test ## The bus at speed, beside nameko, FastStream, aio-pika and bare batches (BENCH_RUNS=1 is short)
	@sh benchmarks/bus/setup.sh
	@$(BIN)/python -W ignore -m benchmarks.bus

bench-scheduling: setup ## Time how weeks are placed and explained, in CPU milliseconds
	@$(BIN)/python -m benchmarks.scheduling

bench-judgement: setup ## Athletes made up by the hundred: false alarms, detections, their trade-off as a picture; ends with goal lines
	@$(BIN)/python -m benchmarks.judgement $(ARGS)

bench-services: setup-test ## What each kind of message costs the services: CPU and SQL, on SQLite and PostgreSQL
	@$(BIN)/python -W ignore -m benchmarks.services $(ARGS)

up: setup ## Run the four services, each in its own process (tandem up --help)
	@$(BIN)/tandem up

clean: ## Remove caches and the demo's output (the virtual environment stays)
	@rm -rf demo-output build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

lock: setup ## Pin the newest fitting packages with their hashes into requirements.lock
	@sh deploy/lock.sh
