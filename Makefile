# Two commands do all the set-up: `make demo` and `make test`. Needs Python 3.10+, a C++ compiler and make; no GPU.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# A development build compiles for few GPUs, to be quick; `pip install .` compiles for all (cmake/cuda.cmake).
export TORCH_CUDA_ARCH_LIST ?= 8.0;9.0;10.0+PTX

.PHONY: install demo test test-defects emulator bench lint format clean

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

test: $(INSTALLED)
	$(BIN)/python -m pytest tests
	TRITON_INTERPRET=1 $(BIN)/python -m pytest tests/triton/interpreter

# The CUDA kernels for the emulated device, make emulator VARIANT=plain, races, sanitizers or counts: tests/emulator/README.md.
VARIANT := plain
EMULATOR := build/emulator

emulator: $(EMULATOR)/build.ninja
	$(BIN)/cmake --build $(EMULATOR) --target emulator_$(VARIANT)

$(EMULATOR)/build.ninja: $(INSTALLED)
	$(BIN)/cmake -S . -B $(EMULATOR) -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN)/ninja) -DEBGAN_EMULATOR=ON \
	  -DPython_EXECUTABLE=$(abspath $(BIN)/python) \
	  -DTORCH_ROOT=$$($(BIN)/python -c 'import pathlib, torch; print(pathlib.Path(torch.__file__).parent)')
	@touch $@

# Mistakes put into copies of the kernels, each of which must be found; compiles those copies and no others.
test-defects: $(EMULATOR)/build.ninja
	$(BIN)/python -m pytest tests/emulator/test_defects.py -m "defects or not defects" -n 2

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
