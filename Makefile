# Diary: `make help` lists what there is. Every target sets up what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PROTOS := $(shell cd protos && find diary -name '*.proto' | sort)
SERVICE_PROTOS := $(filter %_service.proto,$(PROTOS))
GROUPS := access journal notify documents portal local dev bench

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Diary needs Python 3.11 or later, this is {v.major}.{v.minor}; name another: make setup PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setup: installing locked packages into $(VENV) (a minute the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -c 'import pathlib, site; here = pathlib.Path.cwd(); pathlib.Path(site.getsitepackages()[0], "diary.pth").write_text(f"{here}\n{here}/gen\n")'
	@touch $@

.PHONY: setup
setup: $(STAMP) ## Make .venv and install from the lock file

.PHONY: setup-debian
setup-debian: ## Install what Debian packages the tests can use (root)
	apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium fonts-paratype libengine-gost-openssl poppler-utils
	@mkdir -p .diary/tools && cd .diary/tools && apt-get download -q prometheus && dpkg -x prometheus_*.deb prometheus && rm prometheus_*.deb  # Installed it would start a server.

# The part of requirements.lock that an image is made of.
IMAGES := access journal notify documents portal
IMAGE_LOCK := -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --quiet
.PHONY: lock
lock: $(STAMP) ## Lock again after a change of pyproject.toml
	$(BIN)/pip install --quiet uv==0.13.9
	$(BIN)/uv pip compile pyproject.toml $(GROUPS:%=--group %) --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --quiet -o requirements.lock
	@set -e; for group in $(IMAGES); do $(BIN)/uv pip compile pyproject.toml --group $$group $(IMAGE_LOCK) -o deploy/images/requirements/$$group.lock; done
	@set -e; for group in gateway local; do $(BIN)/uv pip compile --group pyproject.toml:$$group $(IMAGE_LOCK) -o deploy/images/requirements/$$group.lock; done

.PHONY: run
run: $(STAMP) ## Start everything on this machine with the demo region; Ctrl-C stops it
	@$(BIN)/python -m deploy.local

.PHONY: test
test: $(STAMP) ## Run all tests at a size of minutes, in two processes
	$(BIN)/python -m pytest tests --numprocesses 2

.PHONY: mutate
mutate: $(STAMP) ## Break the code by the table of tests/mutations and see that the tests notice (hours)
	@$(BIN)/python -m tests.mutations

.PHONY: soak
soak: $(STAMP) ## Run the next slice of the figures of docs/reports in full; repeat until each says it is full
	$(BIN)/python -m tests.soak.endings

# The surface since messages stand by noun, to which fields are only added; a release moves it to its own commit. What stood at
# 52b39af was compared by package when the base moved: only the messages of ApplyRelations, between services, differ.
PROTO_BASE := 4b5bfa1f13376069c29b16ebd96b062484892a3b

# The release before: its code has to work on today's schema while an upgrade rolls. A release moves it to its own commit.
RELEASE := 9e5f5458990f501222c76f24f843fbf94b5916d5

.PHONY: house
house: $(STAMP) ## Print wings, rooms and arrows from the import graph, and what is wrong with them
	@$(BIN)/python -m tests.house

.PHONY: upgrade-test
upgrade-test: $(STAMP) ## Run the release before on today's schema, and today's on its data (some 10 minutes)
	@$(BIN)/python -m tests.upgrade

.PHONY: verify
verify: $(STAMP) ## Generated code current, ruff, mypy strict, import contracts, buf lint and breaking, charts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code protos
	@if git cat-file -e '$(PROTO_BASE)^{commit}' 2>/dev/null; then $(BIN)/buf breaking --against '.git#ref=$(PROTO_BASE)' && echo "protos only added since $(PROTO_BASE)"; \
	else echo "buf breaking is left out: this clone has no commit $(PROTO_BASE), it is shallow"; fi
	@rm -rf .diary/gen && mkdir -p .diary && $(MAKE) --no-print-directory proto GEN=.diary/gen && diff -r gen .diary/gen -x __pycache__ && echo "gen is current" || { echo "gen/ is not what protos/ give: run 'make proto' and commit"; exit 1; }
	@$(MAKE) --no-print-directory migrations
	@$(MAKE) --no-print-directory charts

.PHONY: migrations
migrations: $(STAMP) ## Ask squawk whether migrations since the release lock anybody out
	@$(BIN)/python -m tests.support.migration_sql .diary/migrations | xargs -r $(BIN)/squawk --reporter gcc

GEN ?= gen
.PHONY: proto
proto: $(STAMP) ## Generate gen/ from protos/
	@rm -rf $(GEN) && mkdir -p $(GEN)
	@PATH="$$PWD/$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc -Iprotos -Ithird_party --python_out=$(GEN) --mypy_out=quiet:$(GEN) $(PROTOS) buf/validate/validate.proto
	@PATH="$$PWD/$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc -Iprotos -Ithird_party --grpc_python_out=$(GEN) --mypy_grpc_out=quiet:$(GEN) $(SERVICE_PROTOS)
	@$(BIN)/buf build -o $(GEN)/diary.binpb --as-file-descriptor-set
	@$(BIN)/python -m deploy.gateway.openapi $(GEN)/diary.binpb $(GEN)/openapi.json

.PHONY: fmt
fmt: $(STAMP) ## Format Python and protos
	$(BIN)/ruff format . && $(BIN)/ruff check --fix . && $(BIN)/buf format -w protos

.PHONY: bench
bench: $(STAMP) ## Measure ours against the limit and the peers, side by side
	$(BIN)/python -m benchmarks

# Of images and charts alike; deploy/version.py tells it of pyproject.toml and git.
VERSION ?= $(shell $(PYTHON) -m deploy.version)

.PHONY: chart-packages
chart-packages: $(STAMP) ## Package the charts into .diary/charts
	@$(BIN)/python -m deploy.charts.tools
	@VERSION=$(VERSION) $(BIN)/python -m deploy.charts.build

.PHONY: charts
charts: chart-packages ## Package the charts and check them with real Helm, Kubernetes' schemas and checkov
	$(BIN)/python -m pytest tests/charts

DOCKER ?= docker
# Such as --secret id=pip,src=/etc/pip.conf --network host, where packages come from a mirror.
IMAGE_FLAGS ?=
BUILD = DOCKER_BUILDKIT=1 $(DOCKER) build $(IMAGE_FLAGS) --file deploy/images/Dockerfile --build-arg REVISION=$$(git rev-parse HEAD) --build-arg VERSION=$(VERSION)
.PHONY: images
images: ## Build the container images, VERSION=1.2.3 to name them
	@test -n "$(VERSION)" # Without one nothing is built.
	@set -e; for service in $(IMAGES); do \
	  echo "images: diary-$$service"; $(BUILD) --quiet --target python --build-arg SERVICE=$$service --tag diary-$$service:$(VERSION) . >/dev/null; done
	@echo "images: diary-gateway"; $(BUILD) --quiet --target gateway --build-arg SERVICE=gateway --tag diary-gateway:$(VERSION) . >/dev/null

.PHONY: test-images
# As tests/charts/support.py names what it packages.
test-images: VERSION = 0.0.0-test
test-images: $(STAMP) ## Walk the main flow through the containers, where a Docker daemon runs
	@if ! $(DOCKER) info >/dev/null 2>&1; then echo "test-images: no Docker daemon answers here, so the images are not tested"; exit 0; fi; \
	$(MAKE) --no-print-directory images VERSION=$(VERSION) && $(BUILD) --quiet --target backends --build-arg SERVICE=local --tag diary-backends:$(VERSION) . >/dev/null \
	&& $(BIN)/python -m deploy.charts.tools && $(BIN)/python -m tests.images.flow --docker $(DOCKER)
