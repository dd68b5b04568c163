#!/usr/bin/env bash
# One wheel under several Pythons and versions of torch: scripts/test_wheel.sh WHEEL "PYTHONS" "TORCHES" ARGUMENTS
#
# make test-wheel calls it. Each pair has an environment in build/environments, which is kept. There the report
# is printed and pytest runs with ARGUMENTS; the tests are copied beside no package of the checkout, so that the wheel's is
# tested. The last lines are a table of what passed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
WHEEL=$(realpath "$1")
readonly WHEEL PYTHONS=$2 TORCHES=$3
shift 3

readonly ENVIRONMENTS=$PWD/build/environments COPY=$PWD/build/environments/tests
rm -rf "$COPY" && mkdir -p "$COPY"
cp -r tests pyproject.toml "$COPY"
export OMP_NUM_THREADS=1

rows=()
failed=0
for python in $PYTHONS; do
  for torch in $TORCHES; do
    environment=$ENVIRONMENTS/$("$python" -c 'import sys; print(*sys.version_info[:2], sep=".")')-$torch
    if [ ! -x "$environment/bin/python" ]; then
      uv venv --quiet --python "$python" "$environment"
      uv pip install --quiet --python "$environment/bin/python" "torch==$torch" numpy setuptools pytest pytest-xdist hypothesis
    fi
    uv pip install --quiet --python "$environment/bin/python" --no-deps --reinstall "$WHEEL"
    cd "$COPY"
    "$environment/bin/python" -m ebgan_kernels
    "$environment/bin/python" -m pytest -q -n 2 -p no:cacheprovider "$@" 2>&1 | tee "$environment/tests.log" || failed=1
    cd - >/dev/null
    installed=$("$environment/bin/python" -c 'import platform, torch; print(platform.python_version(), "|", torch.__version__)')
    rows+=("| $installed | $(tail -n 1 "$environment/tests.log" | sed -e 's/=//g' -e 's/ in [0-9.]*s.*//' -e 's/^ *//') |")
  done
done
printf '%s\n' "| Python | torch | $(basename "$WHEEL") |" "|---|---|---|" "${rows[@]}"
exit "$failed"
