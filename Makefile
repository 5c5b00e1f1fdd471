# What to type. Each target sets up what it needs, says what it is doing, and is quick when there is nothing to do.
# What must never live here: logic that a Python module could hold and a test could reach; the name of any package host.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Tests start hundreds of Python processes: compiled once, and not by each of them, wherever that is switched off.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help venv nodes demo test test-unit search test-integration test-e2e faults bench image image-engine release lint generate lock binaries clean

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCK := operator/requirements.lock
RUNTIME_LOCK := operator/requirements-runtime.lock
OFFLINE_TESTS := tests/unit tests/properties tests/golden tests/protocol $(wildcard tests/test_*.py)
SIDE_BY_SIDE := --numprocesses=3 --dist=loadgroup --no-loadscope-reorder
# Three processes, of which those with a federation mostly wait; what stays together in one of them is said in tests/side_by_side.py.
# PYTEST_ARGS=-n0 makes it one.
PIP_COMPILE := --quiet --allow-unsafe --generate-hashes --strip-extras --no-emit-find-links --no-emit-index-url --no-emit-trusted-host
say = @echo '==> $(1)'

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(STAMP) ## the virtual environment .venv, as the lock file says

$(STAMP): $(LOCK) pyproject.toml .ci/find-python
	$(call say,Python environment in $(VENV) as $(LOCK) pins it (made once; eight minutes on a busy machine of two cores))
	@test -x $(BIN)/python || "$$(.ci/find-python)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

binaries: $(STAMP) ## Kubernetes, etcd, kwok and helm: found, or built once with Go
	$(call say,Kubernetes binaries (found or built once; a cold build takes about ten minutes))
	@$(BIN)/python -m sampan local binaries

nodes: binaries ## what real nodes are made of, where this machine can have them: installed, or built once
	$(call say,Parts of real nodes (installed or built once; a cold build takes some minutes))
	@$(BIN)/python -m sampan local binaries --real-nodes

demo: binaries ## a hub, three members, twenty jobs, and a table checked against the members
	$(call say,Demo federation)
	@$(BIN)/sampan demo

test: nodes ## every test, real API servers included
	$(call say,All tests)
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(PYTEST_ARGS)

test-unit: $(STAMP) ## the tests that need nothing but Python: a few minutes
	$(call say,Offline tests)
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(OFFLINE_TESTS) $(PYTEST_ARGS)

search: $(STAMP) ## the properties once more with inputs drawn at random, as in no other run: what they show is to be pinned
	$(call say,Properties at random)
	@HYPOTHESIS_PROFILE=search $(BIN)/python -m pytest $(SIDE_BY_SIDE) tests/properties tests/unit $(PYTEST_ARGS)

test-integration: nodes ## the tests on real API servers, piece by piece
	$(call say,Integration tests)
	@$(BIN)/python -m pytest tests/integration $(PYTEST_ARGS)

test-e2e: nodes ## the tests on whole federations with the operator, a small run of the benchmark among them
	$(call say,End-to-end tests)
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) tests/e2e tests/bench $(PYTEST_ARGS)

faults: binaries ## the tests that break things on federations, with fifty kills of the operator instead of some
	$(call say,Faults)
	@SAMPAN_KILLS=50 $(BIN)/python -m pytest $(SIDE_BY_SIDE) -m faults tests/e2e tests/integration tests/bench $(PYTEST_ARGS)

bench: binaries ## the figures of docs/performance.md, for a quiet machine: half an hour; BENCH_ARGS="life --profile" for a part
	$(call say,Benchmark)
	@PYTHONPATH=tests $(BIN)/python -m bench $(BENCH_ARGS)

image: $(STAMP) ## the image as an OCI archive in build/image, made of Debian's packages and the locked wheels; no engine, no registry
	$(call say,Image)
	@$(BIN)/python -m sampan.release image $(IMAGE_ARGS)

image-engine: $(STAMP) ## the same from the Dockerfile, by Docker or podman
	$(call say,Image by an engine)
	@$(BIN)/python -m sampan.release engine $(IMAGE_ARGS)

release: binaries ## all that is published, in build/release: wheel, images, charts, plugin, checksums, notes; RELEASE_ARGS="--downloads URL"
	$(call say,Release)
	@$(BIN)/python -m sampan.release everything --helm "$$($(BIN)/python -m sampan local binaries | awk '$$1 == "helm" {print $$2}')" $(RELEASE_ARGS)

lint: $(STAMP) ## ruff, mypy strict, import contracts, generated files up to date
	$(call say,ruff)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	$(call say,mypy)
	@$(BIN)/mypy
	$(call say,import contracts)
	@$(BIN)/lint-imports
	$(call say,generated files)
	@$(BIN)/python -m sampan.api.crd.generate --check
	@$(BIN)/python -m sampan.controller.runtime.metrics_page --check
	@$(BIN)/python -m sampan.controller.reconcile.lifecycle.page --check

generate: $(STAMP) ## write what is generated: crds/, the charts' copies, docs/metrics.md, docs/lifecycle.md
	$(call say,CRDs from operator/sampan/api)
	@$(BIN)/python -m sampan.api.crd.generate
	$(call say,metrics page from operator/sampan/controller/runtime/metrics.py)
	@$(BIN)/python -m sampan.controller.runtime.metrics_page
	$(call say,page of a job's life from operator/sampan/controller/reconcile/lifecycle)
	@$(BIN)/python -m sampan.controller.reconcile.lifecycle.page

lock: $(STAMP) ## pin the dependencies of pyproject.toml anew
	$(call say,$(LOCK) from pyproject.toml)
	@$(BIN)/pip-compile $(PIP_COMPILE) --extra=dev --extra=postgresql --output-file=$(LOCK) pyproject.toml
	$(call say,$(RUNTIME_LOCK): what the image needs of it)
	@$(BIN)/pip-compile $(PIP_COMPILE) --extra=postgresql --constraint=$(LOCK) --output-file=$(RUNTIME_LOCK) pyproject.toml

clean: ## remove the environment and all caches of this folder (federations: sampan local down)
	$(call say,Removing $(VENV) and caches)
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
