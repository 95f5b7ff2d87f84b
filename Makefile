# Every target works on a fresh clone: it installs into .venv first what it needs, the product alone
# or what requirements.lock names for tests and checks besides. The variable PYTHON names the
# interpreter to start from (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
CHECKS := $(VENV)/.checks
ifneq ($(shell command -v uv 2>/dev/null),)
TOOL := uv
MAKE_VENV := uv venv -q --allow-existing --python $(PYTHON) $(VENV)
PIP := uv pip install --python $(BIN)/python --compile-bytecode --no-deps
else
TOOL := pip
MAKE_VENV := $(PYTHON) -m venv $(VENV)
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-deps
endif
# On a terminal the tool shows how far it is.
PACKAGES := if test -t 1; then quiet= ; else quiet=-q; fi; $(PIP) $$quiet
TICKERS ?= 1000
ENGINE ?= sail
ROUNDS ?= 3
TWO := -n 2 --dist worksteal  # tests at a time

.PHONY: help install demo test test-slow test-aws test-cluster test-stores test-ui test-image browser stores ui \
	bench docs dist deploy lint checkov format lock clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: $(INSTALLED)  ## install the product into .venv from its lock file (uv if present, else pip)

$(INSTALLED): crypto_assets/product.lock pyproject.toml
	@echo "install, step 1 of 3: the environment $(VENV), with $(TOOL)"
	@$(MAKE_VENV)
	@echo "install, step 2 of 3: the packages of $<, minutes at first"
	@$(PACKAGES) --require-hashes -r $<
	@echo "install, step 3 of 3: crypto-assets itself"
	@$(PIP) -q -e .
	@touch $@

$(CHECKS): requirements.lock $(INSTALLED)
	@echo "install: what tests and checks need besides, of $<"
	@$(PACKAGES) --require-hashes -r $<
	@touch $@

demo: $(INSTALLED)  ## five currencies from CSV to SQL, one of them broken
	@$(BIN)/python -m sample_data.demo

test: $(CHECKS)  ## the test suite (about 12 minutes on 2 cores)
	$(BIN)/python -m pytest $(TWO) -m "not slow and not browser and not aws and not cluster \
		and not stores and not image"

test-slow: $(CHECKS)  ## what takes minutes: 1,000 tickers, kill -9, fuzzing
	$(BIN)/python -m pytest -m slow

test-aws: $(CHECKS)  ## profile aws on loopback: S3, SQS, and doubles of EMR Serverless and Redshift
	$(BIN)/python -m pytest $(TWO) -m "aws and not slow"

test-cluster: $(CHECKS)  ## engine `spark` on a standalone cluster and by Spark Connect, on loopback
	$(BIN)/python -m pytest -s -m "cluster and not slow"

test-stores: $(CHECKS)  ## a lake in S3 servers that others wrote: Ceph's radosgw, OpenStack Swift
	@command -v radosgw >/dev/null && command -v swift-proxy-server >/dev/null || \
		{ echo "make test-stores: radosgw or Swift is not on PATH; install both, e.g. by make stores" >&2; exit 1; }
	$(BIN)/python -m pytest -m stores

test-ui: $(CHECKS)  ## Dagster's web UI in headless Chromium; SCREENSHOTS=docs renews the pictures
	@command -v chromium >/dev/null || \
		{ echo "make test-ui: chromium is not on PATH; install it, e.g. by make browser" >&2; exit 1; }
	$(BIN)/python -m pytest -m browser

test-image: $(CHECKS)  ## the container image, built and started with Docker or Podman
	@docker info >/dev/null 2>&1 || podman info >/dev/null 2>&1 || \
		{ echo "make test-image: neither Docker nor Podman answers here; install one" >&2; exit 1; }
	$(BIN)/python -m pytest -m image

browser:  ## install the Chromium of `make test-ui` where there is none, with apt-get
	@command -v chromium >/dev/null || { \
		root=$$(test "$$(id -u)" -eq 0 || echo sudo) && \
		$$root apt-get update -q && \
		$$root apt-get install -y -q --no-install-recommends chromium ; \
	}

stores:  ## install the S3 servers of `make test-stores` where there are none, with apt-get
	@command -v radosgw >/dev/null && command -v swift-proxy-server >/dev/null || { \
		root=$$(test "$$(id -u)" -eq 0 || echo sudo) && \
		$$root apt-get update -q && \
		$$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
			radosgw ceph-mon ceph-osd openssl \
			swift-proxy swift-account swift-container swift-object ; \
	}

ui: $(INSTALLED)  ## Dagster's web UI and daemon
	$(BIN)/crypto-assets ui

bench: $(INSTALLED)  ## measure TICKERS (default 1000) currencies on ENGINE (sail) against plain DuckDB SQL
	$(BIN)/python -m bench --tickers $(TICKERS) --engine $(ENGINE) --rounds $(ROUNDS)

docs: $(CHECKS)  ## the documentation as a site, in site/; a link that leads nowhere fails it
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

dist: $(CHECKS)  ## the wheel and what jobs on EMR Serverless receive, in dist: the same code gives the same bytes
	rm -rf dist/*.whl && mkdir -p dist/artifacts
	SOURCE_DATE_EPOCH=315532800 $(BIN)/hatchling build --target wheel --directory dist
	$(BIN)/python -c 'from pathlib import Path; \
		from crypto_assets.resources.engine.artifact import Packer; \
		Packer(Path("dist/artifacts")).built()'
	sha256sum dist/*.whl dist/artifacts/*.tar.gz

deploy: $(INSTALLED)  ## the stack of environment ENV, with what `make dist` has made
	CRYPTO_ASSETS_HOME=dist $(BIN)/crypto-assets deploy --env "$(ENV)" --yes --wheel dist/*.whl

lint: $(CHECKS)  ## style, types, the import rule, the workflow, the Dockerfile and scripts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/actionlint
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/hadolint Dockerfile
	$(BIN)/shellcheck -x --source-path=SCRIPTDIR deploy/instance/*.sh

checkov:  ## checkov on the template, in an environment of its own: its pins clash with ours
	@test -x .checkov/bin/checkov || { \
		$(PYTHON) -m venv .checkov && \
		.checkov/bin/python -m pip install -q --disable-pip-version-check checkov==3.3.30 ; \
	}
	.checkov/bin/checkov -f deploy/cloudformation.yaml -f deploy/github.yaml --framework cloudformation --compact --quiet \
		--skip-download

format: $(CHECKS)  ## reformat the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(INSTALLED)  ## resolve the dependencies of pyproject.toml anew
	uv pip compile --universal --generate-hashes --extra metrics --group dev pyproject.toml \
		-o requirements.lock --python-version 3.11 --no-header -q
	uv pip compile --universal --generate-hashes --extra metrics -c requirements.lock pyproject.toml \
		-o crypto_assets/product.lock --python-version 3.11 --no-header --no-annotate -q
	uv pip compile --generate-hashes --group job -c requirements.lock \
		-o crypto_assets/job.lock --python-platform x86_64-manylinux_2_28 --python-version 3.11 \
		--no-header --no-annotate -q

clean:  ## remove the environment and everything generated
	rm -rf $(VENV) .checkov dist site .crypto_assets .demo .bench bench.json
