#!/usr/bin/env bash
# cmake/coverage.sh [ctest arguments]: which lines of src/ and apps/ the tests run. Builds the `coverage`
# preset, runs the tests (whole models many times over add no line and are left out), and prints one line per
# room. build/coverage/uncovered.txt then lists each file's lines that nothing ran. Needs gcovr.
set -euo pipefail
cd "$(dirname "$0")/.."
. cmake/debian.sh

# shellcheck disable=SC2086,SC2154  # a list of words
install_missing $build_packages gcovr
cmake --preset coverage
cmake --build --preset coverage --parallel "$(nproc)"
find build/coverage -name '*.gcda' -delete
# Counting takes memory of its own, needs the rights to write its files, and leaves broken ones if a
# limit on file size cuts them.
broken='AMegapixelIsNeverWhole|AFolderWithoutPermission|AFullDiskLeavesNo|FailuresLeaveNoFile'
ctest --preset coverage --parallel "$(nproc)" \
  -E "^(golden|planned|accuracy|install)\\.|PeersNumbers|RealModel|$broken" "$@" ||
  echo "Some tests failed; what follows is what did run."

gcovr --root . --filter src/ --filter apps/ --object-directory build/coverage --exclude-unreachable-branches \
  --csv build/coverage/files.csv --txt build/coverage/uncovered.txt build/coverage
LC_ALL=C sort build/coverage/files.csv | awk -F, '
  NR > 1 || $1 != "filename" {
    if ($1 !~ /^(src|apps)\//) next
    split($1, part, "/")
    room = part[1] "/" part[2]
    if (!(room in lines)) order[++rooms] = room
    lines[room] += $2; ran[room] += $3
    lines["all"] += $2; ran["all"] += $3
  }
  END {
    order[++rooms] = "all"
    printf "%-16s %7s %7s %7s\n", "room", "lines", "not run", "run"
    for (i = 1; i <= rooms; ++i)
      printf "%-16s %7d %7d %6.1f%%\n", order[i], lines[order[i]], lines[order[i]] - ran[order[i]],
        100 * ran[order[i]] / lines[order[i]]
  }'
