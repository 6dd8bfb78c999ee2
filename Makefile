# Everything a person or the build machine does with this tree, by name. `make` alone lists it.
# Each target does its own set-up: a fresh machine needs only Swift, git and make.
SHELL := /bin/bash
CONFIG ?= debug
export CONFIG

.DEFAULT_GOAL := help
.PHONY: help run test test-unit test-clients test-real test-kill simulate-smoke simulate-soak bench tide soak lint format clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: ## Three simulated engines and the gateway on this machine; Ctrl-C stops all (CONFIG=release: optimised build)
	@scripts/run.sh

test: ## What the build machine runs: lint, one debug build, unit and scenario tests, client tests
	@scripts/test.sh lint build unit clients

test-unit: ## The debug build and the Swift tests alone (FILTER=RegularExpression picks some)
	@scripts/test.sh build unit

test-clients: ## The debug build and the client tests in Python alone (FILTER=expression picks some)
	@scripts/test.sh build clients

test-real: ## Against llama.cpp and vLLM on CPU (long installs into the user's cache folder; skips what cannot be had)
	@scripts/test-real.sh

test-kill: ## A batch under kill -9 of gateway and engines at random moments (RUNS=20)
	@scripts/test.sh build kill

simulate-smoke: ## Engines that die, stall and slow by seed, all policies in virtual time: minutes (SEEDS=200, FIRST=1)
	@scripts/simulate.sh $(or $(SEEDS),200) $(or $(FIRST),1)

simulate-soak: ## The same with many seeds (SEEDS=10000, FIRST=1, CONFIG=release)
	@scripts/simulate.sh $(or $(SEEDS),10000) $(or $(FIRST),1)

bench: ## CPU per request and per chunk beside nginx and Envoy; writes Benchmarks/gateway/RESULTS.md
	@Benchmarks/gateway/run.sh

tide: ## Real-time latency at half load with and without a batch behind it; writes Benchmarks/tide/RESULTS.md
	@Benchmarks/tide/run.sh

soak: ## Idle connections, open streams and dying engines for minutes; checks for leaks
	@Benchmarks/soak/run.sh

lint: ## Formatting of all Swift code, syntax of all shell scripts
	@scripts/test.sh lint

format: ## Rewrite all Swift code in the house format
	@swift format --in-place --recursive Sources Tests Package.swift

clean: ## Remove the build, the Python environment and the demo's data
	rm -rf .build .venv .cache
