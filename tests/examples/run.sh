#!/bin/sh
# run.sh DATA TO_PPM EXAMPLE [EXTRA ARGUMENT]: the example must find the dog, the bicycle and the car in
# the test data's photo, and must refuse a file that is not a picture. Exit status 77: no test data.
set -eu
data=${DEEPLAB_TEST_DATA:-$1} to_ppm=$2 example=$3
shift 3
model=$data/models/deeplabv3_mnv2_dm05_int8_labels.tflite
if [ ! -r "$model" ]; then
  echo "skipped: no test data at $data"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

$to_ppm "$data/golden/dog_513.png" dog.ppm
$example "$model" dog.ppm "$@" > found.txt
cat found.txt
for class in dog bicycle car; do
  grep -q "$class" found.txt || { echo "no $class found"; exit 1; }
done

echo "P6 no picture" > broken.ppm
if $example "$model" broken.ppm "$@" 2> message.txt; then
  echo "a broken picture was accepted"
  exit 1
fi
grep -q "broken.ppm" message.txt || { echo "the message does not name the file"; exit 1; }
if $example broken.ppm dog.ppm "$@" 2> message.txt; then
  echo "a broken model was accepted"
  exit 1
fi
grep -q "broken.ppm" message.txt || { echo "the message does not name the model"; exit 1; }
