#!/usr/bin/env bash
# ./test.sh [--with PART,...] [--preset NAME] [-B DIR] [--rooms "ROOM..."] [-DOPTION=VALUE...] [ctest arguments]:
# installs what is missing, builds, tests.
#   --rooms  only the tests of these rooms and what they need, for instance --rooms "graph tflite"
# --with, --preset, -B and -D are those of ./build.sh; all the rest goes to ctest, for instance:
# ./test.sh --preset asan-ubsan -R '^graph'
set -euo pipefail
cd "$(dirname "$0")"

preset=release directory='' build=() filter=() rest=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help)
      sed -n '2,/^set /s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    --with) build+=("$1" "${2:?--with needs the name of a part}") && shift 2 ;;
    --preset) preset=${2:?--preset needs a name} && shift 2 ;;
    -B) directory=${2:?-B needs a directory} && shift 2 ;;
    --rooms)
      rooms=${2:?--rooms needs names} && shift 2
      for room in $rooms; do build+=(--target "tests_$room"); done
      filter=(-R "^(${rooms// /|})\\.")
      ;;
    -D*) build+=("$1") && shift ;;
    *) rest+=("$1") && shift ;;
  esac
done
directory=${directory:-build/$preset}

./build.sh --preset "$preset" -B "$directory" "${build[@]}"
ctest --test-dir "$directory" --output-on-failure --parallel "$(nproc)" "${filter[@]}" "${rest[@]}"
