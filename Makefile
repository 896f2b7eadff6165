# Two commands matter: `make demo` and `make test`. Both install what they need first.

UV := .tools/bin/uv
RUN := $(UV) run --locked --no-sync
NPM_FLAGS := --ignore-scripts --no-audit --no-fund --fetch-timeout=20000 --fetch-retries=2
export UV_PYTHON_DOWNLOADS := never
# Without compiled bytecode every command takes seconds to start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test fast check docs contracts vectors gas slither bench-chain bench-fingerprints \
	calibrate-fingerprints clean

setup: .tools/synced node_modules/.package-lock.json

$(UV):
	python3 -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check 'uv>=0.13,<1'

.tools/synced: $(UV) pyproject.toml uv.lock
	$(UV) sync --locked --quiet --compile-bytecode
	touch $@

node_modules/.package-lock.json: package.json package-lock.json
	npm ci $(NPM_FLAGS) || { echo 'npm could not install anvil and the compiler: check that the npm registry can be reached, then run make again.' >&2; exit 1; }
	touch $@

demo: setup
	$(RUN) python scripts/demo.py

test: check
	$(RUN) pytest -q -n 2 --dist loadfile

fast: setup
	$(RUN) pytest -q -n 2 --dist loadfile tests/unit tests/contract tests/property tests/tidy tests/docs

check: setup
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) lint-imports --no-cache
	$(RUN) mypy
	$(RUN) pyright

docs: setup
	$(RUN) python scripts/export_help.py

contracts: setup
	$(RUN) python scripts/compile_contracts.py

vectors: setup
	$(RUN) python scripts/build_vectors.py
	$(RUN) python scripts/build_schemas.py

gas: setup
	$(RUN) python scripts/gas_table.py

bench-chain: setup
	$(RUN) python bench/bench_chain.py

bench-fingerprints: setup
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONPATH=scripts $(RUN) python bench/bench_fingerprints.py

calibrate-fingerprints: setup
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONPATH=scripts $(RUN) python bench/calibrate_fingerprints.py

slither: setup
	cd contracts && PATH="$(CURDIR)/node_modules/.bin:$$PATH" FOUNDRY_PROFILE=whole ../$(UV) tool run --from slither-analyzer==0.11.6 slither . --exclude-dependencies --exclude-informational --fail-medium

clean:
	rm -rf .tools .venv node_modules demo-output contracts/out contracts/cache
