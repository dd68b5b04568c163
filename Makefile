# Two commands do all the set-up: `make demo` and `make test`. Needs Python 3.10+, a C++ compiler and make; no GPU.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
, := ,
INSTALLED := $(VENV)/.installed

# A development build compiles for few GPUs, to be quick; `pip install .` compiles for all (cmake/cuda.cmake).
export TORCH_CUDA_ARCH_LIST ?= 8.0;9.0;10.0+PTX

.PHONY: install demo test test-sanitizers test-sanitizers-triton bench lint format clean

install: $(INSTALLED)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --upgrade pip setuptools
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch numpy

$(INSTALLED): pyproject.toml setup.py CMakeLists.txt constraints.txt $(wildcard cmake/* csrc/*/*) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,test,lint]'
	@touch $@

demo: $(INSTALLED)
	$(BIN)/ebgan demo

# A run for each kind of implementation, since Triton's interpreter is switched on by the environment for a whole
# process. Each names the implementations that must run (tests/conftest.py): where one is missing, the run fails and
# skips nothing; with a GPU, the compiled kernels must run, too. Workers have one thread each; tests of the number of
# threads set it themselves.
WORKERS ?= 2
TEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS)
HERE = reference,cpu$(if $(shell nvidia-smi --list-gpus 2>/dev/null),$(,)cuda$(,)triton)

test: $(INSTALLED)
	$(TEST) tests --implementations $(HERE)
	TRITON_INTERPRET=1 $(TEST) tests/triton/interpreter tests/ops --implementations triton

# Proofs and checkers that take minutes, beside the tests of every change.
test-sanitizers: test-sanitizers-triton

test-sanitizers-triton: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group sanitize
	$(BIN)/python -m pytest tests/triton/sanitizer
	TRITON_INTERPRET=1 $(BIN)/python tests/triton/sanitizer/check.py

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m benchmarks.report --check
	$(BIN)/clang-format --dry-run --Werror $(shell git ls-files 'csrc/*')
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(shell git ls-files 'csrc/*')

clean:
	rm -rf $(VENV) build *.egg-info python/*.egg-info ebgan_kernels/*.so python/ebgan/*.so ebgan_kernels/build.json
