#!/usr/bin/env bash
# build_wheel.sh OUT_DIR [-B DIR] [-DOPTION=VALUE...]: builds the wheel of the Python package into OUT_DIR, for every
# CPython from 3.9 on. Installs what is missing of Debian's packages; nothing is downloaded from elsewhere.
#   -B DIR  where to build; build/wheel without
#   -D      goes to CMake
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/cmake/debian.sh"

package_arguments "$root/build/wheel" "the wheel" "$@"

# shellcheck disable=SC2086  # a list of words
install_missing $wheel_packages
cd "$root"
cmake --preset release -B "$directory" -DDEEPLAB_BUILD_PYTHON=ON -DDEEPLAB_BUILD_APPS=OFF -DDEEPLAB_BUILD_TESTS=OFF \
  -DDEEPLAB_BUILD_EXAMPLES=OFF -DDEEPLAB_INSTALL=OFF "${options[@]}"
cmake --build "$directory" --parallel "$(nproc)" --target python_wheel
mkdir -p "$out"
cp "$directory"/dist/deeplab-*.whl "$out"
ls "$out"/deeplab-*.whl
