# Two commands do all the set-up: `make demo` and `make test`. Needs Python 3.10+, a C++ compiler and make; no GPU.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
, := ,

# A development build is quick: the CUDA library is compiled for the GPU that is here, and left out where there is none,
# but for the tests, which compile it wherever there is an nvcc, and for the wheel that is published, which has it for all
# GPUs, as `pip install .` has (cmake/cuda.cmake). What was compiled once is kept.
GPU := $(shell nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | sort -u | paste -sd ';')
NVCC := $(shell command -v nvcc || ls $(or $(CUDA_HOME),/usr/local/cuda)/bin/nvcc 2>/dev/null)
TESTS := $(filter test test-%,$(MAKECMDGOALS))
WHEEL := $(filter wheel,$(MAKECMDGOALS))
export EBGAN_KERNELS_CUDA ?= $(if $(and $(NVCC),$(or $(GPU),$(TESTS),$(WHEEL),$(wildcard $(VENV)/.installed-on))),on,off)
export TORCH_CUDA_ARCH_LIST ?= $(if $(WHEEL),,$(or $(GPU),8.0;9.0;10.0+PTX))
export EBGAN_KERNELS_WARNINGS_FAIL = on
INSTALLED := $(VENV)/.installed-$(EBGAN_KERNELS_CUDA)
TOOLS := $(VENV)/.tools

# Python compiles a module when it is first imported; to compile all of them takes half of the time of installing torch.
PIP := $(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt

.PHONY: install demo wheel wheel-aarch64 test test-packages test-wheel test-aarch64 test-emulated test-races test-sanitizers \
  test-sanitizers-cpu test-sanitizers-cuda test-sanitizers-triton fuzz fuzz-host mutants test-kills test-leaks test-defects \
  emulator traffic bench lint format clean

install: $(INSTALLED)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip setuptools
	$(PIP) torch numpy

$(INSTALLED): pyproject.toml setup.py CMakeLists.txt constraints.txt $(wildcard cmake/* csrc/*/* installation/*) | $(BIN)/python
	$(PIP) --editable '.[train]'
	@touch $@

# The wheel of every Python from 3.10 on, for Linux since glibc 2.28: the one that is published. PYTHONS are those for which
# the host module is compiled; NumPy takes its place under others.
PYTHONS ?= $(abspath $(BIN)/python)

wheel: export EBGAN_KERNELS_PYTHONS = $(PYTHONS)
wheel: | $(BIN)/python
	$(call make_wheel,$(shell uname -m),manylinux_2_28_$(shell uname -m))

# The same for Arm of 64 bits, without CUDA and host module, compiled by Debian's g++-aarch64-linux-gnu. Of the versions of
# torch, all of whose libraries serve to link, 2.10 is the one whose wheel for Arm is small.
wheel-aarch64: export EBGAN_KERNELS_TARGET = aarch64
wheel-aarch64: export EBGAN_KERNELS_CUDA = off
wheel-aarch64: build/torch-aarch64/torch/version.py
	$(call make_wheel,aarch64,auto)

build/torch-aarch64/torch/version.py: | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python-platform aarch64-manylinux_2_28 --python-version 3.11 --only-binary :all: \
	  --target build/torch-aarch64 torch==2.10.0 numpy pytest hypothesis

$(BIN)/uv: | $(BIN)/python
	$(PIP) uv

# auditwheel takes the name of a platform for the machine that it runs on alone; for another it finds the oldest that serves.
define make_wheel
	$(PIP) --group packages
	rm -rf build/wheel-$(1) dist/*_$(1).whl
	EBGAN_KERNELS_GLIBC=2.28 PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m build --wheel --outdir build/wheel-$(1) .
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/auditwheel repair --exclude libtorch.so --exclude libtorch_cpu.so \
	  --plat $(2) --only-plat --wheel-dir dist build/wheel-$(1)/*.whl
	$(BIN)/python scripts/check_wheel.py dist/*_$(1).whl
endef

# Operators of that wheel under qemu. torch.compile needs a C++ compiler that runs there.
ARM_TESTS ?= tests/ops --implementations reference,cpu -k "values and not compile"

test-aarch64: build/torch-aarch64/torch/version.py
	scripts/test_aarch64.sh dist/*_aarch64.whl $(ARM_TESTS)

# The operators of the wheel under each of PYTHONS and TORCHES, without building anything anew.
TORCHES ?= 2.10.0 2.14.1
WHEEL_TESTS ?= tests/ops tests/selfcheck --implementations reference,cpu

test-wheel: | $(BIN)/uv
	PATH="$(abspath $(BIN)):$$PATH" scripts/test_wheel.sh dist/*_$(shell uname -m).whl "$(PYTHONS)" "$(TORCHES)" $(WHEEL_TESTS)

# Installs as people do: pip, uv and build, twice, with and without isolation, with what is missing or broken.
test-packages: | $(BIN)/python
	$(PIP) --group test --group packages
	PYTHONPATH=$(CURDIR):$(CURDIR)/python $(BIN)/python -m pytest tests/packages

# Tools of the tests and of lint, which the demo does not wait for.
$(TOOLS): pyproject.toml constraints.txt $(INSTALLED)
	$(PIP) --group test --group lint
	@touch $@

demo: $(INSTALLED)
	$(BIN)/ebgan demo

# A run for each kind of implementation, since Triton's interpreter and the emulated CUDA device are switched on by the
# environment for a whole process. Each names the implementations that must run (tests/conftest.py): where one is missing,
# the run fails and skips nothing; with a GPU, the compiled kernels must run, too. Workers have one thread each; tests of
# the number of threads set it themselves.
WORKERS ?= 2
TEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS)
HERE = reference,cpu$(if $(GPU),$(,)cuda$(,)triton)

test: $(TOOLS)
	$(TEST) tests --ignore tests/emulator --ignore tests/packages --implementations $(HERE)
	TRITON_INTERPRET=1 $(TEST) tests/triton_kernels/interpreter tests/ops --implementations triton
	$(MAKE) test-emulated

# The CUDA kernels on an emulated device (tests/emulator/README.md): threads in order on one of capability 9.0, in an order
# of the seed on 8.0, and in reverse on a small one of 7.5. An order that finds something is run again by its SEED.
SEED ?= $(shell od -An -N2 -tu2 /dev/urandom | tr -d ' ')
EMULATOR := build/emulator
OF_KERNELS := tests/ops tests/cuda --implementations cuda
IN_AN_ORDER := $(OF_KERNELS) -k "not compile and not errors and not operators and not modules and not double_backward"

test-emulated: SEED := $(SEED)
test-emulated:
	$(MAKE) emulator VARIANT=plain
	$(TEST) tests/emulator
	EMULATOR_SEED=0 EBGAN_KERNELS_EMULATE_CUDA=$(EMULATOR)/plain-9.0.so $(TEST) $(OF_KERNELS)
	@echo "The order of threads on the emulated device of 8.0: make test-emulated SEED=$(SEED)"
	EMULATOR_SEED=$(SEED) EBGAN_KERNELS_EMULATE_CUDA=$(EMULATOR)/plain-8.0.so $(TEST) $(IN_AN_ORDER)
	EMULATOR_SEED=1 EMULATOR_DEVICE=small EBGAN_KERNELS_EMULATE_CUDA=$(EMULATOR)/plain-7.5.so $(TEST) $(IN_AN_ORDER)

# Races between the threads of a kernel, and reads of shared memory that nobody has written. Every access takes longer, so
# large tensors are left to the other runs.
OF_SMALL_TENSORS := $(IN_AN_ORDER) --ignore-glob 'tests/cuda/*_device.py' --ignore-glob 'tests/cuda/*_device_*.py'

test-races:
	$(MAKE) emulator VARIANT=races
	EBGAN_KERNELS_EMULATE_CUDA=$(EMULATOR)/races-9.0.so $(TEST) $(OF_SMALL_TENSORS)

# Proofs and checkers that take minutes, beside the tests of every change.
test-sanitizers: test-sanitizers-cpu test-sanitizers-cuda test-sanitizers-triton

# The C++ operators and the host module, compiled with the sanitizers, beside a copy of the Python code and the tests,
# in which the tests run: Python looks for packages in the folder that it is started in first.
SANITIZED := build/sanitized
PATHS = import pathlib, pybind11, sysconfig, torch; from sysconfig import get_config_var as var; \
  print("-DTORCH_ROOT=" + str(pathlib.Path(torch.__file__).parent), "-DEBGAN_PYBIND11=" + pybind11.get_include(), \
        "-DEBGAN_PYTHONS=" + sysconfig.get_path("include") + "|" + var("EXT_SUFFIX"))
# With the checks, GCC 12 takes equal functions of small and large strips for one and warns of the small one's bounds.
CHECKED := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -Wno-array-bounds
# The sanitizers' runtimes come before Python itself; what torch and Python leave behind at the end is not looked at.
WITH_CHECKS = LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
  ASAN_OPTIONS=detect_leaks=0

test-sanitizers-cpu: $(TOOLS)
	$(PIP) pybind11
	paths=$$($(BIN)/python -c '$(PATHS)') && $(BIN)/cmake -S . -B $(SANITIZED) -G Ninja -DCMAKE_BUILD_TYPE=Release \
	  -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN)/ninja) -DCMAKE_CXX_FLAGS="$(CHECKED)" -DEBGAN_KERNELS_CUDA=off $$paths
	$(BIN)/cmake --build $(SANITIZED)
	rm -rf $(SANITIZED)/copy && mkdir $(SANITIZED)/copy
	git ls-files -z ebgan_kernels python tests pyproject.toml | xargs -0 cp --parents -t $(SANITIZED)/copy
	cp $(SANITIZED)/build.json $(SANITIZED)/_C_cpu.so $(SANITIZED)/copy/ebgan_kernels
	cp $(SANITIZED)/_host*.so $(SANITIZED)/copy/python/ebgan
	cd $(SANITIZED)/copy && $(WITH_CHECKS) PYTHONPATH=$$PWD:$$PWD/python OMP_NUM_THREADS=1 $(abspath $(BIN)/python) \
	  -m pytest -n $(WORKERS) tests/ops tests/host --implementations reference,cpu \
	  -k "not compile and not subinterpreter and not memory"

test-sanitizers-cuda:
	$(MAKE) emulator VARIANT=sanitizers
	$(WITH_CHECKS) EBGAN_KERNELS_EMULATE_CUDA=$(EMULATOR)/sanitizers-9.0.so $(TEST) $(OF_SMALL_TENSORS)

test-sanitizers-triton: $(TOOLS)
	$(PIP) --group sanitize
	$(BIN)/python -m pytest tests/triton_kernels/sanitizer
	TRITON_INTERPRET=1 $(BIN)/python tests/triton_kernels/sanitizer/check.py

# make emulator VARIANT=plain, races, sanitizers or counts.
VARIANT := plain

emulator: $(EMULATOR)/build.ninja
	$(BIN)/cmake --build $(EMULATOR) --target emulator_$(VARIANT)

$(EMULATOR)/build.ninja: $(TOOLS)
	$(BIN)/cmake -S . -B $(EMULATOR) -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN)/ninja) -DEBGAN_EMULATOR=ON \
	  -DPython_EXECUTABLE=$(abspath $(BIN)/python) \
	  -DTORCH_ROOT=$$($(BIN)/python -c 'import pathlib, torch; print(pathlib.Path(torch.__file__).parent)')
	@touch $@

# Public functions with arguments of all kinds, right and wrong, and readers with damaged files. What finds something
# comes again by SEED.
CASES ?= 10000
FILES ?= 1000

fuzz: SEED := $(SEED)
fuzz: $(TOOLS)
	@echo "The same again: make fuzz CASES=$(CASES) FILES=$(FILES) SEED=$(SEED)"
	EBGAN_FUZZ_CASES=$(CASES) EBGAN_FUZZ_FILES=$(FILES) EBGAN_FUZZ_SEED=$(SEED) $(TEST) tests/fuzz --hypothesis-seed=$(SEED)

# The parsers of the host module, compiled with the sanitizers and with coverage, under libFuzzer for so many seconds.
# What it finds is left in build/fuzzed, and comes again by `ARTIFACT=file`.
SECONDS ?= 600
FUZZED := build/fuzzed

fuzz-host: SEED := $(SEED)
fuzz-host: $(TOOLS)
	$(PIP) --group fuzz pybind11
	mkdir -p $(FUZZED) && rm -f $(FUZZED)/_host*.so  # it is linked with coverage.o, which CMake does not know
	$(CXX) -O2 -fPIC -std=c++20 -Wall -Wextra -Werror -c tests/fuzz/coverage.cpp -o $(FUZZED)/coverage.o
	paths=$$($(BIN)/python -c '$(PATHS)') && $(BIN)/cmake -S . -B $(FUZZED) -G Ninja -DCMAKE_BUILD_TYPE=Release \
	  -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN)/ninja) -DEBGAN_KERNELS_CUDA=off $$paths \
	  -DCMAKE_CXX_FLAGS="$(CHECKED) -fsanitize-coverage=trace-pc,trace-cmp" \
	  -DCMAKE_EXE_LINKER_FLAGS=$(abspath $(FUZZED)/coverage.o) -DCMAKE_MODULE_LINKER_FLAGS=$(abspath $(FUZZED)/coverage.o)
	$(BIN)/cmake --build $(FUZZED) --target _host
	rm -rf $(FUZZED)/copy && mkdir $(FUZZED)/copy
	git ls-files -z python tests/fuzz | xargs -0 cp --parents -t $(FUZZED)/copy
	cp $(FUZZED)/_host*.so $(FUZZED)/copy/python/ebgan
	cd $(FUZZED)/copy && $(WITH_CHECKS) PYTHONPATH=$$PWD/python $(abspath $(BIN)/python) tests/fuzz/fuzz_host.py \
	  $(or $(abspath $(ARTIFACT)),$(abspath $(FUZZED)/inputs) -seed=$(SEED) -max_total_time=$(SECONDS) -max_len=512 \
	  -artifact_prefix=$(abspath $(FUZZED))/ -print_final_stats=1)

# Runs of every system, killed outright at random moments and resumed; moments that find something come again by SEED.
KILLS ?= 50

test-kills: SEED := $(SEED)
test-kills: $(TOOLS)
	@echo "The moments of the kills: make test-kills KILLS=$(KILLS) SEED=$(SEED)"
	EBGAN_TEST_KILLS=$(KILLS) EBGAN_TEST_SEED=$(SEED) $(TEST) tests/training/test_killed.py

# Defects put into copies of the code, and which of them the tests do not notice: scripts/mutants.md. Takes more than an
# hour; goes on where it was stopped.
DEFECTS ?= 150

mutants: $(TOOLS)
	$(BIN)/python scripts/mutants.py --count $(DEFECTS) --seed 0 --out scripts/mutants.md

# What thousands of calls of each operator and of steps of each system leave behind.
test-leaks: $(TOOLS)
	EBGAN_TEST_CALLS=10000 EBGAN_TEST_STEPS=1000 $(TEST) tests/ops/test_concurrency.py tests/training/test_growth.py -k memory

# Mistakes put into copies of the kernels, each of which must be found; compiles those copies and no others.
test-defects: $(EMULATOR)/build.ninja
	$(BIN)/python -m pytest tests/emulator/test_defects.py -m "defects or not defects" -n 2

# What the CUDA kernels move: benchmarks/results/TRAFFIC.md. Needs nvcc, which takes minutes the first time.
traffic:
	$(MAKE) emulator VARIANT=counts
	EBGAN_KERNELS_EMULATE_CUDA=$(abspath $(EMULATOR)/counts-9.0.so) $(BIN)/python -m benchmarks.traffic

bench: $(TOOLS)
	$(BIN)/python -m benchmarks

lint: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m benchmarks.report --check
	$(BIN)/clang-format --dry-run --Werror $(shell git ls-files 'csrc/*')
	$(BIN)/mypy

format: $(TOOLS)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(shell git ls-files 'csrc/*')

clean:
	rm -rf $(VENV) build dist *.egg-info python/*.egg-info ebgan_kernels/*.so python/ebgan/*.so ebgan_kernels/build.json
