#!/usr/bin/env bash
# Everything that needs a GPU, in one go and within 8 minutes:
#
#   scripts/gpu_check.sh COMMIT OUTPUT_DIR [SECONDS]   on a machine with a CUDA device
#   scripts/gpu_check.sh --dry                         builds, collects the tests, runs nothing on a device
#
# First the build; then, side by side, the tests, the sanitizer, training runs and a rehearsal of the benchmarks, which
# fills the compilers' caches; then, alone on the machine, the benchmarks. Needs torch (a CUDA build), triton, numpy,
# pytest, cmake and nvcc; no network, no git, nothing installed. pybind11 and the packages of [train] are used where they
# are there. Libraries that are there already serve where the build fails. A stage that fails or runs out of time does
# not hide the next ones; the exit status is 1 then. SECONDS (default: 465) is when the last stage has to end.
# OUTPUT_DIR gets log.txt and one of each stage that ran beside others, one JSON file per benchmark, engines.json,
# counters.csv, checks-<device>.json and STATUS.md. To publish them: copy the JSON files to benchmarks/results/ and
# engines.json to ebgan_kernels/, then python -m benchmarks.status && python -m benchmarks.report.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dry=0
if [ "${1:-}" = "--dry" ] && [ $# -eq 1 ]; then
  dry=1
elif [ $# -ne 2 ] && [ $# -ne 3 ]; then
  echo "usage: scripts/gpu_check.sh COMMIT OUTPUT_DIR [SECONDS] | --dry" >&2
  exit 2
fi

readonly DEADLINE=${3:-465}
readonly PYTHON=${PYTHON:-python3}
readonly BUILD=$PWD/build/gpu_check
readonly COMMIT=${1:-}
mkdir -p "$BUILD"

families() {
  "$PYTHON" -c "from ebgan_kernels.families import OPERATOR_FAMILIES; print(*OPERATOR_FAMILIES)"
}
if [ $dry -eq 1 ]; then OUTPUT=$BUILD; else mkdir -p "$2" && OUTPUT=$(cd "$2" && pwd); fi
exec > >(tee "$OUTPUT/log.txt") 2>&1
export PYTHONPATH=$PWD:$PWD/python${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
PATH=$(dirname "$(command -v "$PYTHON")"):$PATH # cmake and ninja of this Python before older ones
unset TRITON_INTERPRET EBGAN_KERNELS_BACKEND EBGAN_KERNELS_EMULATE_CUDA
readonly SUMMARY=$BUILD/summary.txt
: > "$SUMMARY"

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
  printf '%-28s %4s s  %s\n' "$name" $((SECONDS - begun)) "$status" >> "$SUMMARY"
}

# beside NAME SECONDS COMMAND...: a stage in the background, with a log of its own. A plain `wait` would wait for `tee`, too.
background=()
beside() {
  stage "$@" > "$OUTPUT/${1// /-}.txt" 2>&1 &
  background+=($!)
}

has_module() { "$PYTHON" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$1') is None)"; }

finish() {
  printf '\n=== summary, %s s\n' "$SECONDS"
  cat "$SUMMARY"
  ! grep -q "FAILED\|no time left" "$SUMMARY"
  exit
}

if [ $dry -eq 0 ] && ! "$PYTHON" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
  echo "gpu_check: torch of $PYTHON sees no CUDA device; see nvidia-smi, or try the script with --dry" >&2
  exit 2
fi

torch_root=$("$PYTHON" -c 'import pathlib, torch; print(pathlib.Path(torch.__file__).parent)') || exit 2
target=$("$PYTHON" -c 'import torch; print(*torch.cuda.get_device_capability(), sep=".")' 2>/dev/null) || target=9.0
configure=(
  cmake -S . -B "$BUILD" "-DCMAKE_INSTALL_PREFIX=$BUILD/staging"
  "-DTORCH_ROOT=$torch_root" -DEBGAN_KERNELS_CUDA=on "-DEBGAN_CUDA_ARCHITECTURES=$target"
)
if has_module pybind11; then
  configure+=("-DEBGAN_PYTHONS=$("$PYTHON" -c "import sysconfig as s
print(s.get_path('include'), s.get_config_var('EXT_SUFFIX'), sep='|')")")
  configure+=("-DEBGAN_PYBIND11=$("$PYTHON" -c 'import pybind11; print(pybind11.get_include())')")
fi

stage configure 60 "${configure[@]}"
stage build 150 cmake --build "$BUILD" --parallel "$(nproc)"

tests=("$PYTHON" -m pytest -q -p no:cacheprovider --tb=short)
workers() { if has_module xdist; then echo "-n $1"; fi; }
of_cuda=(tests/ops tests/cuda -k "cuda and not triton and not cuda_compile")
of_triton=(tests/ops tests/triton_kernels/interpreter -k "triton and not cuda")

if [ $dry -eq 1 ]; then
  stage "collect cuda" 60 "${tests[@]}" "${of_cuda[@]}" --collect-only -q
  stage "collect triton" 60 "${tests[@]}" "${of_triton[@]}" --collect-only -q
  echo "DRY RUN: nothing ran on a GPU, nothing is known about one, no result file was written" >> "$SUMMARY"
  finish
fi

if cmake --install "$BUILD"; then
  cp "$BUILD"/staging/ebgan_kernels/* ebgan_kernels/
  if [ -d "$BUILD/staging/ebgan" ]; then cp "$BUILD"/staging/ebgan/* python/ebgan/; fi
fi
stage report 20 "$PYTHON" -m ebgan_kernels

export TORCHINDUCTOR_COMPILE_THREADS=2
# shellcheck disable=SC2046
beside "tests of cuda" 140 "${tests[@]}" $(workers 4) "${of_cuda[@]}" --junitxml="$OUTPUT/cuda.xml"
beside "tests of triton" 140 "${tests[@]}" $(workers 6) "${of_triton[@]}" --junitxml="$OUTPUT/triton.xml"
beside "self-check" 120 "$PYTHON" -m ebgan_kernels --check
if has_module tyro; then
  beside "training runs" 130 "$PYTHON" scripts/gpu_runs.py
else
  echo "training runs                not run: the command line needs tyro" >> "$SUMMARY"
fi
sanitizer=$(command -v compute-sanitizer || echo "${CUDA_HOME:-/usr/local/cuda}/bin/compute-sanitizer")
check=("$PYTHON" scripts/sanitizer_workload.py)
beside "memcheck of cuda" 140 "$sanitizer" --tool memcheck --error-exitcode 9 "${check[@]}" cuda
beside "memcheck of triton" 140 "$sanitizer" --tool memcheck --error-exitcode 9 "${check[@]}" triton
beside racecheck 140 "$sanitizer" --tool racecheck --error-exitcode 9 "${check[@]}" cuda
rehearse=("$PYTHON" -m benchmarks.rehearsal)
# shellcheck disable=SC2046
for benchmark in $(printf 'bench_%s ' $(families)) bench_training_step valid_conv_engines; do
  limit=(--budget 90)
  if [ $benchmark = valid_conv_engines ]; then limit=(); fi
  beside "rehearsal of $benchmark" 130 "${rehearse[@]}" $benchmark --commit "$COMMIT" "${limit[@]}"
done
wait "${background[@]}"
unset TORCHINDUCTOR_COMPILE_THREADS
cat "$SUMMARY"
grep -hE "^(FAILED|ERROR)|passed|failed" "$OUTPUT"/tests-of-*.txt
stage status 20 "$PYTHON" -m benchmarks.status --results "$OUTPUT" record --device cuda --commit "$COMMIT" \
  "$OUTPUT"/cuda.xml "$OUTPUT"/triton.xml

measure=(--device cuda --output "$OUTPUT" --commit "$COMMIT")
# The benchmark of the convolutions takes the engines that the first stage finds fastest.
stage "engines of valid conv" 70 "$PYTHON" -m benchmarks.valid_conv_engines --commit "$COMMIT"
if [ -f ebgan_kernels/engines.json ]; then cp ebgan_kernels/engines.json "$OUTPUT"; fi
for family in $(families); do
  stage "benchmark $family" 45 "$PYTHON" -m "benchmarks.bench_$family" "${measure[@]}" --budget 23
done
stage "benchmark training step" 60 "$PYTHON" -m benchmarks.bench_training_step "${measure[@]}" --budget 35
counters=dram__bytes_read.sum,dram__bytes_write.sum,gpu__time_duration.sum
for operation in ld st; do
  for kind in sectors requests; do counters+=,l1tex__t_${kind}_pipe_lsu_mem_global_op_$operation.sum; done
done
counters+=,l1tex__data_bank_conflicts_pipe_lsu_mem_shared.sum
stage "hardware counters" 40 ncu --clock-control none --csv --kernel-name-base demangled -k regex:ebgan \
  --metrics "$counters" --log-file "$OUTPUT/counters.csv" "$PYTHON" scripts/gpu_counters.py
stage "benchmark ladder steps" 30 "$PYTHON" -m benchmarks.bench_ladder_steps "${measure[@]}" --budget 12
stage "benchmark gan" 40 "$PYTHON" -m benchmarks.bench_gan "${measure[@]}" --budget 12
finish
