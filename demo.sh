#!/usr/bin/env bash
# ./demo.sh [PHOTO...]: installs what is missing, builds the release preset and segments a photo: dog.jpg
# of Debian's darknet package, or the ones named. DEEPLAB_MODEL=FILE.tflite names another model than the
# one that is built in.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cmake/debian.sh"
output=$here/build/demo

for photo in "$@"; do
  [ -r "$photo" ] || { echo "No photo: $photo cannot be read."; exit 1; }
done

# dog.jpg, without installing the package that holds it.
fetch_dog() {
  dog=$output/darknet/usr/share/darknet/data/dog.jpg
  [ -r "$dog" ] && return
  if [ -r /usr/share/darknet/data/dog.jpg ]; then
    dog=/usr/share/darknet/data/dog.jpg
    return
  fi
  echo "Getting dog.jpg out of Debian's package darknet (downloaded to $output, not installed)"
  mkdir -p "$output/darknet"
  (
    cd "$output/darknet"
    # Where the package lists are empty (a new container), fetch them first.
    apt-get -q download darknet 2>/dev/null ||
      { as_root apt-get -q update && apt-get -q download darknet; }
    dpkg-deb -x darknet_*.deb .
    rm darknet_*.deb
  )
}

# shellcheck disable=SC2086  # a list of words
install_missing $build_packages
(
  cd "$here"
  cmake --preset release
  cmake --build --preset release --parallel "$(nproc)" --target deeplab_cli
)
mkdir -p "$output"
if [ $# -eq 0 ]; then
  fetch_dog
  set -- "$dog"
fi

echo
"$here/build/release/apps/deeplab/deeplab" segment "$@" ${DEEPLAB_MODEL:+-m "$DEEPLAB_MODEL"} -o "$output"
echo
for photo in "$@"; do
  name=$(basename "$photo")
  echo "overlay: $output/${name%.*}.overlay.jpg"
  echo "mask:    $output/${name%.*}.mask.png"
done
