# Everything a fresh machine needs is set up by the target that needs it.
#   make app [HOST=0.0.0.0] [PORT=8501]   the app; HOST opens it to a room
#   make room [PORT=8501]                 the app over HTTPS on the local network, with a code to scan
#   make test                             the tests, less those marked slow
#   make test FMNIST_CI=1                 all of them, and none skipped
#   make check                            ruff, mypy and Biome

HOST ?= localhost
PORT ?= 8501
PYTHON ?= python3
BIN = .venv/bin

.PHONY: app room test check

app: .venv/runtime
	$(BIN)/python -m fmnist data || true
	$(BIN)/streamlit run serve.py --server.address $(HOST) --server.port $(PORT)

room: .venv/runtime
	$(BIN)/python -m fmnist data || true
	$(BIN)/python -m fmnist.machine.room $(PORT)

# Of the hundreds of processes that tests start, none compiles again what another has.
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/dev
	$(BIN)/python -m pytest $(if $(FMNIST_CI),,-m "not slow") $(ARGS)

check: .venv/dev node_modules/.package-lock.json
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	node_modules/.bin/biome check --error-on-warnings

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/runtime: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

.venv/dev: requirements-dev.txt .venv/runtime
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@

node_modules/.package-lock.json: package-lock.json
	npm ci --silent
	touch $@
