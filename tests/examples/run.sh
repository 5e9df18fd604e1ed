#!/bin/sh
# run.sh ROOT TO_PPM EXAMPLE [EXTRA ARGUMENT]: the example must find the cat in the photo, and must refuse a
# file that is not a picture.
set -eu
root=$1 to_ppm=$2 example=$3
shift 3
model=$root/models/deeplab.tflite
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

$to_ppm "$root/docs/images/cat.jpg" cat.ppm
$example "$model" cat.ppm "$@" > found.txt
cat found.txt
grep -q cat found.txt || { echo "no cat found"; exit 1; }

echo "P6 no picture" > broken.ppm
if $example "$model" broken.ppm "$@" 2> message.txt; then
  echo "a broken picture was accepted"
  exit 1
fi
grep -q "broken.ppm" message.txt || { echo "the message does not name the file"; exit 1; }
if $example broken.ppm cat.ppm "$@" 2> message.txt; then
  echo "a broken model was accepted"
  exit 1
fi
grep -q "broken.ppm" message.txt || { echo "the message does not name the model"; exit 1; }
