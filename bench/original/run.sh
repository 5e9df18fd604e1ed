#!/usr/bin/env bash
# bench/original/run.sh [OPTION...] MODEL_INT8 [MODEL_FLOAT16 [DATASET...]]
# Goes through the published page of the int8 model, section by section: one command of ours for each, and what
# it prints. docs/original.md holds the output. MODEL_INT8 is the file that the page's recipe downloads,
# MODEL_FLOAT16 its float parent; DATASETs are in VOC layout, the first one VOC 2012. What is not given
# is left out.
#   --into FILE.md    put the output into FILE.md, between its markers; what is left out stays as it is
#   --only A,B        only the sections A and B; --list names them all
#   --photo FILE      the example photo [cat.jpg of the test data]
#   --program FILE    the deeplab command [the release build's]
#   --check FILE.md   run nothing: are the markers in FILE.md those of the sections, in the same order?
# shellcheck disable=SC2317  # sections are called by their names
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)

# In the order of the page; a function section_NAME each, dashes as underscores.
sections=(summary machine task model flops size example evaluate quantize bench board realtime license)

usage() {
  sed -n '2,11s/^# \{0,1\}//p' "$0"
  exit "$1"
}
fail() {
  echo "run.sh: $1" >&2
  exit 2
}

# The names between markers of a document, a line each; an end that does not fit its begin is a line, too.
markers_of() {
  sed -n -e 's/^<!-- original:\([a-z0-9-]*\) -->$/\1/p' -e 's/^<!-- \/original:\([a-z0-9-]*\) -->$/end of \1/p' "$1" |
    awk '/^end of / { if ($3 != open) print; open = ""; next }
         { if (open != "") print "no end of " open; open = $0; print }
         END { if (open != "") print "no end of " open }'
}

check_document() {
  diff <(printf '%s\n' "${sections[@]}") <(markers_of "$1") >&2 ||
    fail "the markers of $1 (>) are not the sections (<)"
}

into='' only='' program='' photo=${DEEPLAB_TEST_DATA:-$root/../shared/data}/images/cat.jpg
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage 0 ;;
    --list) printf '%s\n' "${sections[@]}"; exit 0 ;;
    --check) check_document "${2:?--check needs a file}"; exit 0 ;;
    --into | --only | --photo | --program)
      [ $# -ge 2 ] || fail "$1 needs a value"
      printf -v "${1#--}" %s "$2"
      shift 2 ;;
    -*) fail "no option $1" ;;
    *) break ;;
  esac
done
[ $# -ge 1 ] || usage 2 >&2
[ -z "$into" ] || check_document "$into"
for name in ${only//,/ }; do
  [[ " ${sections[*]} " = *" $name "* ]] || fail "no section $name"
done
if [ -z "$program" ]; then
  program=$root/build/release/bin/deeplab
fi
[ -x "$program" ] || fail "no command $program: build the release preset first, or name it with --program"
for file in "${@:1:2}"; do [ -r "$file" ] || fail "$file cannot be read"; done

# The commands run where all files have short names, and the model the name that the page gives it.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/run" "$work/text" "$work/bin"
ln -s "$(realpath "$program")" "$work/bin/deeplab"
PATH=$work/bin:$PATH
ln -s "$(realpath "$1")" "$work/run/deeplabv3.tflite"
[ $# -lt 2 ] || ln -s "$(realpath "$2")" "$work/run/deeplabv3_float16.tflite"
[ ! -r "$photo" ] || ln -s "$(realpath "$photo")" "$work/run/example_input.jpg"
datasets=()
for dataset in "${@:3}"; do
  [ -d "$dataset/ImageSets" ] || fail "$dataset is not a dataset in VOC layout"
  datasets+=("$(basename "$dataset")")
  ln -s "$(realpath "$dataset")" "$work/run/${datasets[-1]}"
done
cd "$work/run"

failed=0
# try COMMAND-LINE [AS-SHOWN]: the line and what it prints; a failure is shown and remembered.
try() {
  local status=0
  printf '$ %s\n' "${2:-$1}"
  bash -o pipefail -c "$1" 2>&1 || status=$?
  [ "$status" = 0 ] || { echo "(exit status $status)"; touch "$work/failed"; }
}
# A section that lacks something says so and returns this.
lacking() {
  echo "$1" >"$work/lacking"
  return 3
}
need_photo() { [ -e example_input.jpg ] || lacking "no photo: name one with --photo"; }
need_float() { [ -e deeplabv3_float16.tflite ] || lacking "no float model was given"; }
need_dataset() { [ ${#datasets[@]} -gt 0 ] || lacking "no dataset was given"; }

section_machine() {
  try "deeplab --version"
  try "lscpu | grep -E '^(Architecture|CPU\(s\)|Model name):'"
}
section_task() {
  need_photo || return
  try "deeplab segment example_input.jpg -m deeplabv3.tflite -o out"
}
section_model() { try "deeplab inspect deeplabv3.tflite | grep -E '^(input|output|normalisation|labels|label head) '"; }
section_flops() { try "deeplab inspect deeplabv3.tflite | grep '^work '"; }
section_size() { try "deeplab inspect deeplabv3.tflite | grep '^file '"; }
section_example() {
  need_photo || return
  try "deeplab segment example_input.jpg -m deeplabv3.tflite --fit stretch --write mask,overlay -o example"
  try "ls example"
  try "deeplab segment example_input.jpg -m deeplabv3.tflite --fit stretch --threads 1 -o example --json"
}
section_evaluate() {
  need_dataset || return
  local dataset
  for dataset in "${datasets[@]}"; do
    try "deeplab evaluate $dataset -m deeplabv3.tflite --split val --fit pad"
  done
}
section_quantize() {
  need_float && need_dataset || return
  [ -r "${datasets[0]}/ImageSets/Segmentation/train.txt" ] || lacking "${datasets[0]} has no train.txt" || return
  local model dataset
  try "deeplab quantize deeplabv3_float16.tflite --calibration ${datasets[0]}:train -o ours.tflite | tail -3"
  try "deeplab inspect ours.tflite | grep -E '^(file|work) '"
  for dataset in "${datasets[@]}"; do
    for model in deeplabv3_float16 deeplabv3 ours; do
      try "deeplab evaluate $dataset -m $model.tflite | grep -E '^(mean IoU|pixel accuracy)'"
    done
    try "deeplab evaluate $dataset -m ours.tflite --output-stride 16 | grep -E '^(mean IoU|pixel accuracy)'"
  done
}
section_bench() { try "deeplab bench -m deeplabv3.tflite --threads 1,2,4"; }
section_realtime() {
  try "deeplab bench -m deeplabv3.tflite --size 257,321,513 --threads 2 | grep -E ', canvas|^  (ms|total) '"
}
section_license() {
  try "deeplab inspect deeplabv3.tflite | grep -E '^(description|name|author|license|version) ' || echo 'not stated in the file'"
}

# Cycles as docs/performance-arm.md turns them into milliseconds: 1.8 GHz; four threads are 4 x 0.9 times as fast.
section_board() {
  # The variable is for the script's own test, which must not depend on what is built.
  [ -x "${ORIGINAL_ONE_INFERENCE:-$root/build/aarch64/bench/arm/deeplab_one_inference}" ] ||
    lacking "the aarch64 preset is not built; docs/performance-arm.md says how" || return
  try "'$root/bench/arm/estimate.sh' '$PWD/deeplabv3.tflite' cortex-a53 513 | tee estimate.txt" \
    "bench/arm/estimate.sh deeplabv3.tflite cortex-a53 513"
  awk '$1 == "neon" {
    low = $8 / 1.8; high = $9 / 1.8
    printf "Cortex-A53 at 1.8 GHz, caches not counted: 1 thread %.0f to %.0f ms, 4 threads %.0f to %.0f ms\n",
           low, high, low / 3.6, high / 3.6 }' estimate.txt
}

# first PATTERN SECTION: what the pattern's first group is in that section's text, or "not run".
first() {
  local found=''
  [ ! -r "$work/text/$2" ] || found=$(sed -n -E "s/$1/\\1/p" "$work/text/$2" | head -1)
  echo "${found:-not run}"
}
# thread_ms N: the average of total in the bench section.
thread_ms() {
  local ms=''
  [ ! -r "$work/text/bench" ] || ms=$(awk -v n="$1" '
    / threads?,/ { here = $2 == n }
    here && $1 == "total" { printf "%.1f ms", $6; exit }' "$work/text/bench")
  echo "${ms:-not run}"
}
miou_of() {
  local iou=''
  [ ! -r "$work/text/evaluate" ] || iou=$(awk '
    /^\$ deeplab evaluate/ { name = $4 }
    /^mean IoU/ { printf "%s%s %s", separator, $3, name; separator = ", " }' "$work/text/evaluate")
  echo "${iou:-not run}"
}
# Made of the other sections; Markdown as it is.
section_summary() {
  local others=0 name
  for name in model flops size bench evaluate; do [ -r "$work/text/$name" ] && others=$((others + 1)); done
  [ "$others" = 5 ] || lacking "made of model, flops, size, evaluate and bench, which did not all run" || return
  echo "| | the page | here |"
  echo "| --- | --- | --- |"
  echo "| input | RGB image, 513x513x3 | $(first '^input [^ ]+ ([^ ]+ [^ ]+) .*' model) |"
  echo "| output | scores, 513x513x21 | $(first '^output [^ ]+ ([^ ]+ [^ ]+) .*' model) |"
  echo "| FLOPS | 1.76 B | $(first '.*accumulates, ([0-9.]+ M FLOPs).*' flops) |"
  echo "| file size | 983 KB | $(first '.*\(([0-9]+ bytes)\).*' size) |"
  echo "| mean IoU, int8 | not given (float: 0.7019 on VOC val) | $(miou_of) |"
  echo "| 1 thread | 1104 ms on its board | $(thread_ms 1) on this machine |"
  echo "| 4 threads | 447 ms on its board | $(thread_ms 4) on this machine |"
  echo "| NPU | 586 ms on its board | no counterpart |"
}

for name in "${sections[@]:1}" summary; do
  [ -z "$only" ] || [[ ",$only," = *",$name,"* ]] || continue
  echo "run.sh: $name" >&2
  status=0
  "section_${name//-/_}" >"$work/text/$name" || status=$?
  [ $status = 0 ] && continue
  [ $status = 3 ] || exit $status
  rm "$work/text/$name"
  echo "run.sh: $name is left out: $(cat "$work/lacking")" >&2
done
[ ! -e "$work/failed" ] || failed=1

# block NAME: as a document holds it. The summary is a table, all else is indented.
block() {
  printf '<!-- original:%s -->\n' "$1"
  if [ "$1" = summary ]; then cat "$work/text/$1"; else sed -e 's/[[:space:]]*$//' -e 's/^\(.\)/    \1/' "$work/text/$1"; fi
  printf '<!-- /original:%s -->\n' "$1"
}
for name in "${sections[@]}"; do
  [ ! -r "$work/text/$name" ] || block "$name" >"$work/text/$name.block"
done
if [ -n "$into" ]; then
  case $into in /*) ;; *) into=$OLDPWD/$into ;; esac
  awk -v folder="$work/text" '
    /^<!-- original:.* -->$/ {
      name = $2; sub(/^original:/, "", name)
      file = folder "/" name ".block"
      replaced = (getline line < file) > 0
      if (replaced) { do print line; while ((getline line < file) > 0); next }
    }
    !replaced
    /^<!-- \/original:/ { replaced = 0 }' "$into" >"$work/document"
  cat "$work/document" >"$into"
else
  for name in "${sections[@]}"; do
    [ ! -r "$work/text/$name.block" ] || { cat "$work/text/$name.block"; echo; }
  done
fi
[ $failed = 0 ] || echo "run.sh: some command failed; its section says which" >&2
exit $failed
