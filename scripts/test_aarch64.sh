#!/usr/bin/env bash
# The operator tests of the wheel for Arm of 64 bits, on a machine of another kind: scripts/test_aarch64.sh WHEEL ARGUMENTS
#
# make test-aarch64 calls it. qemu-user runs Debian's Python for Arm, which apt fetches into build/aarch64 and installs
# nowhere. What the tests import besides the wheel lies in build/torch-aarch64. ARGUMENTS are those of pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly WHEEL=$1
shift

command -v qemu-aarch64 >/dev/null || { echo "qemu-aarch64 is not there; apt-get install qemu-user" >&2; exit 1; }
readonly SYSTEM=$PWD/build/aarch64
readonly PYTHON=$SYSTEM/root/usr/bin/python3.11
if [ ! -x "$PYTHON" ]; then
  mkdir -p "$SYSTEM"/{lists/partial,archives/partial,root}
  touch "$SYSTEM/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main" \
    >"$SYSTEM/sources.list"
  cat >"$SYSTEM/apt.conf" <<END
APT { Architecture "arm64"; Architectures "arm64"; Sandbox::User "root"; };
Dir { State "$SYSTEM"; State::status "$SYSTEM/status"; Cache "$SYSTEM";
      Etc::sourcelist "$SYSTEM/sources.list"; Etc::sourceparts "/dev/null"; Etc::preferencesparts "/dev/null"; };
END
  export APT_CONFIG=$SYSTEM/apt.conf
  apt-get --quiet=2 update
  apt-get --quiet=2 install --yes --no-install-recommends --download-only python3.11 libgomp1 libstdc++6
  unset APT_CONFIG
  for package in "$SYSTEM"/archives/*.deb; do dpkg --extract "$package" "$SYSTEM/root"; done
fi

rm -rf "$SYSTEM/wheel"
python3 -m zipfile --extract "$WHEEL" "$SYSTEM/wheel"
# -P: the package in the checkout is not to be found before that of the wheel.
export PYTHONPATH=$SYSTEM/wheel:$PWD/build/torch-aarch64:$PWD/tests PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1
qemu-aarch64 -L "$SYSTEM/root" "$PYTHON" -P -m ebgan_kernels
qemu-aarch64 -L "$SYSTEM/root" "$PYTHON" -P -m pytest -p no:cacheprovider "$@"
