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

# No process compiles again what another has: an app's next start, or the hundreds of the tests.
export PYTHONDONTWRITEBYTECODE =

.PHONY: app room test check

app: .venv/runtime
	$(BIN)/python -m fmnist data || true
	$(BIN)/streamlit run serve.py --server.address $(HOST) --server.port $(PORT)

room: .venv/runtime
	$(BIN)/python -m fmnist data || true
	$(BIN)/python -m fmnist.machine.room $(PORT)

test: .venv/dev
	$(BIN)/python -m pytest $(if $(FMNIST_CI),,-m "not slow") $(ARGS)

check: .venv/dev node_modules/.package-lock.json
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	node_modules/.bin/biome check --error-on-warnings

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/bin/uv: | .venv/bin/python
	$(BIN)/python -m pip install --quiet uv

# uv takes a fifth of the time; pip knows the mirrors that a machine was told of for it alone.
install = $(BIN)/uv pip install --quiet --python $(BIN)/python -r $(1) \
	|| $(BIN)/python -m pip install --quiet --no-compile -r $(1)

.venv/runtime: requirements.txt | .venv/bin/uv
	$(call install,requirements.txt)
	touch $@

.venv/dev: requirements-dev.txt .venv/runtime
	$(call install,requirements-dev.txt)
	touch $@

node_modules/.package-lock.json: package-lock.json
	npm ci --silent
	touch $@
