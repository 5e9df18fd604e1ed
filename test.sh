#!/usr/bin/env bash
# ./test.sh [--preset NAME] [--train] [--rooms "ROOM..."] [-DOPTION=VALUE...] [ctest arguments]: installs what
# is missing, builds, tests. --train: deeplab-train as well, which needs libtorch (1 GB). --rooms: only these
# tests and what they need, for instance --rooms "graph tflite".
# Presets: release (the default), debug, asan-ubsan, tsan, scalar, aarch64; see CMakePresets.json.
# -D goes to CMake, all the rest to ctest, for instance: ./test.sh --preset asan-ubsan -R '^graph'
set -euo pipefail
cd "$(dirname "$0")"
. cmake/debian.sh

preset=release
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  sed -n '2,6s/^# //p' "$0"
  exit 0
fi
if [ "${1:-}" = --preset ]; then
  preset=${2:?--preset needs a name}
  shift 2
fi
options=()
packages=$build_packages
if [ "${1:-}" = --train ]; then
  options+=(-DDEEPLAB_BUILD_TRAIN=ON)
  packages="$packages $train_packages"
  shift
fi
targets=()
filter=()
if [ "${1:-}" = --rooms ]; then
  rooms=${2:?--rooms needs names}
  shift 2
  # shellcheck disable=SC2086  # a list of words
  targets=(--target $(printf 'tests_%s ' $rooms))
  filter=(-R "^($(echo $rooms | tr ' ' '|'))\\.")
fi
while [[ ${1:-} == -D* ]]; do
  options+=("$1")
  shift
done

[ "$preset" = aarch64 ] && packages="$packages $cross_packages"
# shellcheck disable=SC2086  # a list of words
install_missing $packages
[ "$preset" = aarch64 ] && cmake/aarch64-sysroot.sh build/aarch64-sysroot

jobs=$(nproc)
cmake --preset "$preset" ${CI:+-DDEEPLAB_WERROR=ON} "${options[@]}"
cmake --build --preset "$preset" --parallel "$jobs" "${targets[@]}"
ctest --preset "$preset" --parallel "$jobs" "${filter[@]}" "$@"
