#!/usr/bin/env bash
# Everything that needs a GPU, in one go and within 8 minutes:
#
#   scripts/gpu_check.sh COMMIT OUTPUT_DIR     build, tests, sanitizer, benchmarks, status; on a machine with a CUDA device
#   scripts/gpu_check.sh --dry                 builds, collects the tests, runs nothing on a device, writes no results
#
# Needs torch (a CUDA build), triton, numpy, pytest, cmake and nvcc; no network, no git, nothing installed. pybind11 is
# used where it is there. A stage that fails or runs out of time does not hide the next ones; the exit status is 1 then.
# OUTPUT_DIR gets log.txt, one JSON file per benchmark, checks-<device>.json and STATUS.md. To publish them: copy the JSON
# files to benchmarks/results/, then python -m benchmarks.status && python -m benchmarks.report.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dry=0
if [ "${1:-}" = "--dry" ] && [ $# -eq 1 ]; then
  dry=1
elif [ $# -ne 2 ]; then
  echo "usage: scripts/gpu_check.sh COMMIT OUTPUT_DIR | --dry" >&2
  exit 2
fi

readonly DEADLINE=465 # seconds, of 480: the rest is for what no stage counts
readonly PYTHON=${PYTHON:-python3}
readonly BUILD=$PWD/build/gpu_check
readonly COMMIT=${1:-}
mkdir -p "$BUILD"
if [ $dry -eq 1 ]; then OUTPUT=$BUILD; else mkdir -p "$2" && OUTPUT=$(cd "$2" && pwd); fi
exec > >(tee "$OUTPUT/log.txt") 2>&1
export PYTHONPATH=$PWD:$PWD/python PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
PATH=$(dirname "$(command -v "$PYTHON")"):$PATH # cmake and ninja of this Python before older ones
unset TRITON_INTERPRET EBGAN_KERNELS_BACKEND EBGAN_KERNELS_EMULATE_CUDA

summary=()
failures=0

# stage NAME SECONDS COMMAND...: runs the command within its limit and what is left of the deadline. The interrupt lets
# pytest write the report of the tests it has run.
stage() {
  local name=$1 limit=$2 left=$((DEADLINE - SECONDS)) begun=$SECONDS status=0
  shift 2
  if [ $left -lt "$limit" ]; then limit=$left; fi
  if [ "$limit" -lt 5 ]; then
    status="no time left"
  else
    printf '\n=== %s (at most %s s)\n' "$name" "$limit"
    timeout --signal=INT --kill-after=5 "$limit" "$@" || status=$?
  fi
  case $status in
    0) status=ok ;;
    124 | 137) status="FAILED: ran past $limit s" ;;
    *) status="FAILED: $status" ;;
  esac
  if [ "$status" != ok ]; then failures=$((failures + 1)); fi
  summary+=("$(printf '%-22s %4s s  %s' "$name" $((SECONDS - begun)) "$status")")
}

has_module() { "$PYTHON" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$1') is None)"; }

if [ $dry -eq 0 ] && ! "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
  echo "gpu_check: torch of $PYTHON sees no CUDA device; see nvidia-smi, or try the script with --dry" >&2
  exit 2
fi

torch_root=$("$PYTHON" -c 'import pathlib, torch; print(pathlib.Path(torch.__file__).parent)') || exit 2
target=$("$PYTHON" -c 'import torch; print(*torch.cuda.get_device_capability(), sep=".")' 2>/dev/null) || target=9.0
host=OFF
configure=(
  cmake -S . -B "$BUILD" "-DCMAKE_INSTALL_PREFIX=$BUILD/staging"
  "-DTORCH_ROOT=$torch_root" -DEBGAN_KERNELS_CUDA=on "-DEBGAN_CUDA_ARCHITECTURES=$target"
)
if has_module pybind11; then
  host=ON
  configure+=("-DEBGAN_PYTHONS=$("$PYTHON" -c "import sysconfig as s
print(s.get_path('include'), s.get_config_var('EXT_SUFFIX'), sep='|')")")
  configure+=("-DEBGAN_PYBIND11=$("$PYTHON" -c 'import pybind11; print(pybind11.get_include())')")
fi

stage configure 60 "${configure[@]}"
stage build 150 cmake --build "$BUILD" --parallel "$(nproc)"

tests=("$PYTHON" -m pytest -q -p no:cacheprovider)
if has_module xdist; then tests+=(-n 8); fi
on_device=(tests/ops -k "cuda or triton")
of_kernels=(tests/triton/interpreter tests/cuda -k "not compile")

if [ $dry -eq 1 ]; then
  stage "collect operators" 60 "${tests[@]}" "${on_device[@]}" --collect-only -q
  stage "collect kernels" 60 "${tests[@]}" "${of_kernels[@]}" --collect-only -q
  summary+=("DRY RUN: nothing ran on a GPU, nothing is known about one, no result file was written")
else
  stage install 10 bash -c '
    cmake --install "$0" && cp "$0"/staging/ebgan_kernels/* ebgan_kernels/
    if [ -d "$0/staging/ebgan" ]; then cp "$0"/staging/ebgan/* python/ebgan/; fi' "$BUILD"
  stage report 20 "$PYTHON" -m ebgan_kernels
  stage "tests of operators" 130 "${tests[@]}" "${on_device[@]}" --junitxml="$BUILD/operators.xml"
  stage "tests of kernels" 60 "${tests[@]}" "${of_kernels[@]}" --junitxml="$BUILD/kernels.xml"
  stage status 20 "$PYTHON" -m benchmarks.status --results "$OUTPUT" record --device cuda --commit "$COMMIT" \
    "$BUILD"/operators.xml "$BUILD"/kernels.xml

  sanitizer=$(command -v compute-sanitizer || echo "${CUDA_HOME:-/usr/local/cuda}/bin/compute-sanitizer")
  if [ -x "$sanitizer" ]; then
    stage memcheck 60 "$sanitizer" --tool memcheck --error-exitcode 9 "$PYTHON" scripts/sanitizer_workload.py
    stage racecheck 40 "$sanitizer" --tool racecheck --error-exitcode 9 "$PYTHON" scripts/sanitizer_workload.py cuda
  else
    summary+=("sanitizer              not run: there is no compute-sanitizer")
  fi

  measure=(--device cuda --output "$OUTPUT" --commit "$COMMIT")
  if [ $host = ON ]; then
    stage "benchmark gan" 60 "$PYTHON" -m benchmarks.bench_gan "${measure[@]}" --budget 20
  else
    summary+=("benchmark gan          not run: without pybind11 NumPy would prepare its batches")
  fi
  stage "benchmark pulling away" 60 "$PYTHON" -m benchmarks.bench_pulling_away "${measure[@]}" --budget 30
  stage "benchmark gdl" 60 "$PYTHON" -m benchmarks.bench_gdl "${measure[@]}" --budget 30
  stage "benchmark ladder" 60 "$PYTHON" -m benchmarks.bench_ladder "${measure[@]}" --budget 20
  if [ $host = ON ]; then
    stage "benchmark ladder steps" 40 "$PYTHON" -m benchmarks.bench_ladder_steps "${measure[@]}" --budget 20
    stage "benchmark valid conv" 60 "$PYTHON" -m benchmarks.bench_valid_conv "${measure[@]}" --budget 30
  else
    summary+=("benchmarks of steps and valid conv   not run: without pybind11 NumPy would prepare their batches")
  fi
  left=$((DEADLINE - SECONDS))
  stage "benchmark energy" "$left" "$PYTHON" -m benchmarks.bench_energy "${measure[@]}" --budget $((left - 45))
fi

printf '\n=== summary, %s s\n' "$SECONDS"
printf '%s\n' "${summary[@]}"
exit $((failures > 0))
