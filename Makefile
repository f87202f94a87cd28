# Two commands: `make demo` shows a world model, `make test` tests everything. `make check` is the quick inner loop.
PY := .venv/bin/python
export OMP_NUM_THREADS ?= 1
export SDL_VIDEODRIVER ?= dummy
JOBS ?= 2

.PHONY: demo test check lint verify clean

.venv/.ready: pyproject.toml constraints.txt
	test -x $(PY) || python3 -m venv .venv
	$(PY) -m pip install -q -c constraints.txt torch
	$(PY) -m pip install -q -c constraints.txt -e '.[dev]'
	touch $@

demo: .venv/.ready
	$(PY) -m craik demo

test: lint
	$(PY) -m pytest -n $(JOBS)

check: lint
	$(PY) -m pytest -n $(JOBS) -m 'not slow and not faults'

lint: .venv/.ready
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/lint-imports
	.venv/bin/mypy

verify: .venv/.ready
	$(PY) -m craik verify --all

clean:
	rm -rf .venv runs
