#!/usr/bin/env bash
# Runs run.sh with a stand-in for the command: what it writes into a document, what it leaves as it is, and that
# a failure is one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
expect() {  # expect WHAT COMMAND...
  local what=$1
  shift
  "$@" || { echo "FAILED: $what"; failures=$((failures + 1)); }
}
status_of() {
  local status=0
  "$@" >"$work/out" 2>"$work/err" || status=$?
  echo $status
}

cat >"$work/deeplab" <<'PROGRAM'
#!/bin/sh
case "$1" in
  --version) echo 1.2.3 ;;
  inspect) printf 'file          deeplabv3.tflite (77 bytes)   \ninput t0 float32 1x5x5x3 "x"\noutput t9 int8 1x5x5x2 "y"\n'
           printf 'work          21.0 M multiply-accumulates, 42.0 M FLOPs (2 per multiply-accumulate); 3 parameters\n' ;;
  bench) [ -e deeplabv3.tflite ] || exit 1
         printf 'x, canvas 5x5\n\navx2, 1 thread, 2 warm-up\n  total  1.0 2.0 3.0 4.0 5.5 0.1  all\n'
         printf '\navx2, 4 threads, 2 warm-up\n  total  1.0 2.0 3.0 4.0 2.5 0.1  all\n' ;;
  evaluate) echo 'mean IoU                 0.4321  over 2 classes' ;;
  segment) echo "no photo here" >&2; exit 7 ;;
esac
PROGRAM
chmod +x "$work/deeplab"
mkdir -p "$work/set/ImageSets"
touch "$work/int8.tflite"
export ORIGINAL_ONE_INFERENCE=$work/none
run=("$here/run.sh" --program "$work/deeplab" --photo "$work/none.jpg")

"$here/run.sh" --list | while read -r name; do
  printf 'before %s\n<!-- original:%s -->\nold text\n<!-- /original:%s -->\n' "$name" "$name" "$name"
done >"$work/page.md"
cp "$work/page.md" "$work/before.md"
# shellcheck disable=SC2317  # expect calls it
has() { grep -qFx -- "$1" "$work/page.md"; }

expect 'a run without photo and float model succeeds' \
  [ "$(status_of "${run[@]}" --into "$work/page.md" "$work/int8.tflite" "$work/int8.tflite" "$work/set")" = 0 ]
expect 'a command and its output are indented, without spaces at the end' \
  has '    file          deeplabv3.tflite (77 bytes)'
expect 'the command is shown' has "    \$ deeplab inspect deeplabv3.tflite | grep '^work '"
expect 'the summary has the FLOPS' has '| FLOPS | 1.76 B | 42.0 M FLOPs |'
expect 'the summary has the mean IoU' has '| mean IoU, int8 | not given (float: 0.7019 on VOC val) | 0.4321 set |'
expect 'the summary has the time of 1 thread' has '| 1 thread | 1104 ms on its board | 5.5 ms on this machine |'
expect 'the summary has the time of 4 threads' has '| 4 threads | 447 ms on its board | 2.5 ms on this machine |'
expect 'text around blocks stays' [ "$(grep -c '^before ' "$work/page.md")" = "$(grep -c '^before ' "$work/before.md")" ]
# Without a photo: task and example; without a list to calibrate on: quantize. The board depends on the machine.
expect 'what is left out stays as it was' \
  [ "$(grep -B1 -Fx 'old text' "$work/page.md" | grep -cE 'original:(task|example|quantize) ')" = 3 ]
expect 'what is left out is said' grep -q 'example is left out: no photo' "$work/err"
expect 'the document still has all markers' "$here/run.sh" --check "$work/page.md"

cp "$work/page.md" "$work/again.md"
expect '--only runs' [ "$(status_of "${run[@]}" --only size "$work/int8.tflite")" = 0 ]
expect '--only prints that section and no other' [ "$(grep -c '^<!-- original:' "$work/out")" = 1 ]
expect 'nothing is written without --into' cmp -s "$work/page.md" "$work/again.md"

touch "$work/photo.jpg"
expect 'a command that fails makes the run fail' \
  [ "$(status_of "$here/run.sh" --program "$work/deeplab" --photo "$work/photo.jpg" --only task "$work/int8.tflite")" = 1 ]
expect 'and its message and status are shown' grep -qFx '    (exit status 7)' "$work/out"
expect 'no model is wrong usage' [ "$(status_of "${run[@]}")" = 2 ]
expect 'an unknown section is wrong usage' [ "$(status_of "${run[@]}" --only nonsense "$work/int8.tflite")" = 2 ]
expect 'a file that is not there is wrong usage' [ "$(status_of "${run[@]}" "$work/none.tflite")" = 2 ]
sed -i '/original:size/d' "$work/page.md"
expect 'a document without a section is refused' [ "$(status_of "$here/run.sh" --check "$work/page.md")" = 2 ]
cp "$work/before.md" "$work/page.md"
sed -i '/\/original:flops/d' "$work/page.md"
expect 'a section without an end is refused' [ "$(status_of "$here/run.sh" --check "$work/page.md")" = 2 ]

[ $failures = 0 ] && echo "all cases as expected"
exit $failures
