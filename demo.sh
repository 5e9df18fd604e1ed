#!/usr/bin/env bash
# ./demo.sh [PHOTO...]: installs what is missing, builds the command and segments a photo:
# docs/images/cat.jpg, or the ones named. DEEPLAB_MODEL=FILE.tflite selects another model than the built-in
# one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
output=$here/build/demo

[ $# -gt 0 ] || set -- "$here/docs/images/cat.jpg"
for photo in "$@"; do
  [ -r "$photo" ] || { echo "No photo: $photo cannot be read."; exit 1; }
done

"$here/build.sh" --target deeplab_cli
mkdir -p "$output"

echo
"$here/build/release/bin/deeplab" segment "$@" ${DEEPLAB_MODEL:+-m "$DEEPLAB_MODEL"} -o "$output"
echo
for photo in "$@"; do
  name=$(basename "$photo")
  echo "overlay: $output/${name%.*}.overlay.jpg"
  echo "mask:    $output/${name%.*}.mask.png"
done
