#!/usr/bin/env bash
# build_wheel.sh OUT_DIR [-B DIR] [-DOPTION=VALUE...]: builds the wheel of the Python package into OUT_DIR, for every
# CPython from 3.9 on. Installs what is missing of Debian's packages; nothing is downloaded from elsewhere.
#   -B DIR  where to build; build/wheel without
#   -D      goes to CMake
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/cmake/debian.sh"

case "${1:-}" in
  -h | --help)
    sed -n '2,/^set /s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  '' | -*)
    echo "build_wheel.sh: the first argument is the folder for the wheel (see build_wheel.sh --help)" >&2
    exit 2
    ;;
esac
out=$(realpath -m "$1") && shift
directory=$root/build/wheel options=()
while [ $# -gt 0 ]; do
  case $1 in
    -B) directory=${2:?-B needs a directory} && shift 2 ;;
    -D*) options+=("$1") && shift ;;
    *)
      echo "build_wheel.sh: unknown argument '$1' (see build_wheel.sh --help)" >&2
      exit 2
      ;;
  esac
done

# shellcheck disable=SC2086  # a list of words
install_missing $wheel_packages
cd "$root"
cmake --preset release -B "$directory" -DDEEPLAB_BUILD_PYTHON=ON -DDEEPLAB_BUILD_APPS=OFF -DDEEPLAB_BUILD_TESTS=OFF \
  -DDEEPLAB_BUILD_EXAMPLES=OFF -DDEEPLAB_INSTALL=OFF "${options[@]}"
cmake --build "$directory" --parallel "$(nproc)" --target python_wheel
mkdir -p "$out"
cp "$directory"/dist/deeplab-*.whl "$out"
ls "$out"/deeplab-*.whl
