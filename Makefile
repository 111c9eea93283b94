# Every command a person needs. Plain `make` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test check front words shots fuzz nightly bench mutants sbom audit lock clean

# The newest Python at hand, from 3.11 on; `make PYTHON=...` decides otherwise.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	if command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; exit; fi; done; echo python3)
BIN := .venv/bin

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the demonstration on http://localhost:8000
	@$(PYTHON) tools/environment.py run
	@$(BIN)/python tools/front.py
	@$(BIN)/healthcert demo run

test: check ## check and test everything that must hold on every change
	@$(BIN)/python -m tools.peers
	@$(BIN)/python -m pytest -n auto --dist loadgroup --cov --cov-report=term:skip-covered
	@$(BIN)/python -m coverage report --include='healthcert/hcert/*,healthcert/policy/*' --fail-under=100

check: ## lint, types, import contracts, templates
	@$(PYTHON) tools/environment.py test
	@$(BIN)/python tools/front.py
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/python -m mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > .venv/imports.txt || { cat .venv/imports.txt; exit 1; }
	@$(BIN)/djlint --check templates > .venv/templates.txt || { cat .venv/templates.txt; exit 1; }

front: ## build styles, scripts and catalogues
	@$(PYTHON) tools/environment.py run
	@$(BIN)/python tools/front.py

words: ## collect texts to translate, and say what is missing
	@$(PYTHON) tools/environment.py run
	@$(BIN)/python tools/words.py

shots: ## take the screenshots of the README
	@$(PYTHON) tools/environment.py test
	@$(BIN)/python tools/front.py
	@$(BIN)/python -m tools.shots

fuzz: ## half a million hostile codes and a hundred thousand rules through the verdict
	@$(PYTHON) tools/environment.py test
	@$(BIN)/python -m fuzz

nightly: ## the long proofs: a month of 10,000 people, an opening day with 10,000 bots, 100 restarts under load, 10,000 people read back, 10,000 tampers, 50,000 requests that would sign, a lost key, ten million codes, a million rules, guided fuzzing
	@$(PYTHON) tools/environment.py test
	@$(BIN)/python -m tools.peers
	@HEALTHCERT_PEOPLE=10000 $(BIN)/python -m pytest -q tests/hcert/test_writing.py tests/independent
	@HEALTHCERT_MONTH=10000 $(BIN)/python -m pytest -q tests/month
	@HEALTHCERT_BOTS=10000 HEALTHCERT_OVERLOAD=10 HEALTHCERT_RESTARTS=100 $(BIN)/python -m pytest -q tests/fairness tests/load
	@HEALTHCERT_TAMPERS=10000 HEALTHCERT_ORACLE=50000 HEALTHCERT_STOLEN=10000 HEALTHCERT_WITHDRAWN=10000 HEALTHCERT_GUESSES=1000 $(BIN)/python -m pytest -q tests/security
	@HEALTHCERT_BOTH=1 HEALTHCERT_CONTRACT=50 HEALTHCERT_HOSTILE=20 $(BIN)/python -m pytest -q tests/web
	@HEALTHCERT_DRILL=2000 $(BIN)/python -m pytest -q tests/jobs/test_compromise.py
	@$(BIN)/python -m fuzz --codes 10000000 --rules 1000000
	@$(PYTHON) tools/environment.py fuzz
	@$(BIN)/python -m fuzz.guided -max_total_time=600

bench: ## measure the hot paths beside their limits and peers
	@$(PYTHON) tools/environment.py test
	@$(BIN)/python -m bench

mutants: ## harm codec and rules line by line; count what the tests notice (SAMPLE=all for each)
	@$(PYTHON) tools/environment.py test
	@$(BIN)/python -m tools.mutants --sample $(or $(SAMPLE),200)

sbom: ## write build/sbom.cdx.json: what the service is made of
	@$(PYTHON) tools/sbom.py

audit: sbom ## ask for known weaknesses of what we stand on (needs PyPI), look for secrets
	@$(PYTHON) tools/environment.py test
	@$(BIN)/python -m pytest -q tests/security/test_supply.py
	@$(BIN)/pip-audit --disable-pip --require-hashes -r requirements/run.txt

lock: ## resolve requirements/*.in anew (needs uv)
	@for set in run test node fuzz peers; do uv pip compile --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --no-annotate --quiet requirements/$$set.in -o requirements/$$set.txt; done

clean: ## remove what was built; data in var/ and keys/ stay
	@rm -rf .venv node_modules healthcert/static build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find healthcert -name '*.mo' -delete
