#!/usr/bin/env bash
# ./build.sh [--with PART,...] [--preset NAME] [-B DIR] [--target NAME]... [-DOPTION=VALUE...]: installs what is
# missing, configures and builds. Afterwards DIR/bin has the programs and DIR/lib the library.
#   --with PARTS  what is not built by default: codecs (HEIC, AVIF, TIFF, GIF, colour profiles), train
#                 (deeplab-train; needs libtorch, 1 GB), bench (kernel benchmarks), python (its wheel, in DIR/dist),
#                 web (the WebAssembly package, in DIR/web), gstreamer (the GStreamer plugin, in
#                 DIR/lib/gstreamer-1.0), or all
#   --preset      release (the default), debug, asan-ubsan, tsan, scalar, aarch64, ...; see CMakePresets.json
#   -B DIR        where to build; build/PRESET without
#   --target      only this target, for instance deeplab_cli; may be repeated
#   -D            goes to CMake
# The release preset builds libdeeplab.so; -DBUILD_SHARED_LIBS=OFF gives libdeeplab.a.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cmake/debian.sh"

fail() {
  echo "build.sh: $1 (see ./build.sh --help)" >&2
  exit 2
}

preset=release directory='' parts='' targets=() options=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help)
      sed -n '2,/^set /s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    --with) parts=${2:?--with needs the name of a part} && shift 2 ;;
    --preset) preset=${2:?--preset needs a name} && shift 2 ;;
    -B) directory=${2:?-B needs a directory} && shift 2 ;;
    --target) targets+=("${2:?--target needs a name}") && shift 2 ;;
    -D*) options+=("$1") && shift ;;
    *) fail "unknown argument '$1'" ;;
  esac
done
directory=${directory:-$here/build/$preset}

packages=$build_packages
[ "$parts" != all ] || parts=codecs,train,bench,python,web,gstreamer
for part in ${parts//,/ }; do
  case $part in
    codecs)
      for codec in HEIF TIFF GIF LCMS; do options+=(-DDEEPLAB_WITH_$codec=ON); done
      packages="$packages $codecs_packages"
      ;;
    train)
      options+=(-DDEEPLAB_BUILD_TRAIN=ON)
      packages="$packages $train_packages"
      ;;
    bench)
      options+=(-DDEEPLAB_BUILD_BENCH=ON)
      packages="$packages $bench_packages"
      ;;
    python)
      options+=(-DDEEPLAB_BUILD_PYTHON=ON)
      packages="$packages $python_packages"
      ;;
    web)
      options+=(-DDEEPLAB_BUILD_WEB=ON)
      packages="$packages $web_packages"
      ;;
    gstreamer)
      options+=(-DDEEPLAB_BUILD_GSTREAMER=ON)
      packages="$packages $gstreamer_packages"
      ;;
    *) fail "unknown part '$part' of --with" ;;
  esac
done
[ "$preset" != aarch64 ] || packages="$packages $cross_packages"
[ "$preset" != asan-ubsan ] || packages="$packages $clang_packages"
# shellcheck disable=SC2086  # a list of words
install_missing $packages
[ "$preset" != aarch64 ] || "$here/cmake/aarch64-sysroot.sh" "$here/build/aarch64-sysroot"

cd "$here"
[ "$preset" != release ] || options=(-DBUILD_SHARED_LIBS=ON "${options[@]}")
cmake --preset "$preset" -B "$directory" ${CI:+-DDEEPLAB_WERROR=ON} "${options[@]}"
cmake --build "$directory" --parallel "$(nproc)" ${targets[@]:+--target "${targets[@]}"}
