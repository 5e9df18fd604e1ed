#!/bin/sh
# exported_symbols.sh INCLUDEDIR LIST LIBRARY: the shared library exports the functions of the list, which
# are those of the C headers, and nothing else. A function that is added or removed is a change of the
# interface: it goes into the list, CHANGELOG.md and, if it breaks a caller, the version.
set -eu
include=$1 list=$2 library=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

LC_ALL=C sort -u "$list" > "$work/listed"
sed -n 's/^DEEPLAB_API .*[ *]\(deeplab_[a-z0-9_]*\)(.*/\1/p' "$include"/*.h |
  LC_ALL=C sort > "$work/declared"
nm -D --defined-only "$library" | awk '{ print $2, $3 }' | sed -n 's/^T //p; t; s/^/not a function: /p' |
  LC_ALL=C sort > "$work/exported"

failed=0
for found in declared exported; do
  diff -U0 --label "$list" --label "$found" "$work/listed" "$work/$found" || failed=1
done
[ "$failed" -eq 0 ] && [ -s "$work/listed" ] || exit 1
echo "$(wc -l < "$work/listed") functions, as listed and declared"
