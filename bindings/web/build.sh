#!/usr/bin/env bash
# build.sh OUT_DIR [-B DIR] [-DOPTION=VALUE...]: builds the WebAssembly package into OUT_DIR: deeplab.mjs, deeplab.wasm,
# deeplab-worker.mjs, deeplab.d.ts, package.json, README.md, the licence and the demo page. Installs what is missing of
# Debian's packages; nothing is downloaded from elsewhere.
#   -B DIR  where to build; build/wasm without
#   -D      goes to CMake
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/cmake/debian.sh"

package_arguments "$root/build/wasm" "the package" "$@"

# shellcheck disable=SC2086  # a list of words
install_missing $web_packages
directory=$(realpath -m "$directory")
# FlatBuffers' headers alone: /usr/include has those of another C library beside them.
mkdir -p "$directory/headers"
ln -sfn /usr/include/flatbuffers "$directory/headers/flatbuffers"
cd "$root"
# No zlib: Debian has it for its own architectures alone. Atomics and bulk memory are what wasm-ld needs for a memory
# that threads share; every browser that has SIMD has them.
flags="-msimd128 -matomics -mbulk-memory -fwasm-exceptions"
emcmake cmake -S . -B "$directory" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags -include $root/bindings/web/standard_library.h" \
  -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DDEEPLAB_WITH_ZLIB=OFF -DDEEPLAB_BUILD_WEB=ON -DDEEPLAB_BUILD_APPS=OFF \
  -DDEEPLAB_BUILD_TESTS=OFF -DDEEPLAB_BUILD_EXAMPLES=OFF -DDEEPLAB_INSTALL=OFF \
  -DFLATBUFFERS_INCLUDE_DIR="$directory/headers" -DFLATC="$(command -v flatc)" "${options[@]}"
cmake --build "$directory" --target deeplab_web
mkdir -p "$out"
cp "$directory/bindings/web/deeplab.wasm" bindings/web/deeplab.mjs bindings/web/deeplab-worker.mjs \
  bindings/web/deeplab.d.ts bindings/web/index.html bindings/web/README.md LICENSE NOTICE "$out"
version=$(sed -n 's/^#define DEEPLAB_VERSION "\(.*\)"$/\1/p' include/deeplab/deeplab.h)
sed "s/@VERSION@/$version/" bindings/web/package.json.in > "$out/package.json"
mkdir -p "$out/demo"
cp bindings/web/demo/* "$out/demo"
ls "$out"
