# demo: install and run the main job on the shipped samples.   test: install and run the whole suite.
PYTHON ?= python3
VENV ?= .venv
# For a CPU-only PyTorch from its own index: make demo PIP_TORCH="--index-url https://download.pytorch.org/whl/cpu"
PIP_TORCH ?=
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test test-slow lint check clean

demo: $(VENV)/.installed
	$(BIN)/transcreate run data/demo/demo.yaml

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2

test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/mypy

check: $(VENV)/.installed-test
	$(BIN)/python -m pip check

$(VENV)/.installed: setup.py constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) $(PIP_TORCH) torch==2.13.0
	$(PIP) -c constraints.txt -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) -c constraints.txt -e '.[test]'
	touch $@

clean:
	rm -rf $(VENV) out build *.egg-info
