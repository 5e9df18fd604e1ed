#!/bin/sh
# Proves that check_prose.sh refuses what it must, and nothing else: each case plants one line in a small tree.
set -eu
check=$(cd "$(dirname "$0")" && pwd)/check_prose.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0
cases=0

expect() {  # expect STATUS FILE LINE
  rm -rf "$tree"
  mkdir -p "$tree/$(dirname "$2")"
  printf 'first line\n%s\n' "$3" > "$tree/$2"
  status=0
  output=$("$check" "$tree" 2>&1) || status=$?
  named=1
  [ "$1" -eq 0 ] || case "$output" in "$2:2:"*) ;; *) named=0 ;; esac
  if [ "$status" -ne "$1" ] || [ "$named" -eq 0 ]; then
    echo "FAILED: $2: $3: exit status $status, wanted $1; it printed:"
    echo "$output"
    failures=$((failures + 1))
  fi
  cases=$((cases + 1))
}

expect 1 src/a.h '/// One buffer; make one a thread.'
expect 1 src/a.cc '// The graph as text, a line an op.'
expect 1 docs/a.md 'Memory grows by two bytes a pixel.'
expect 1 docs/a.md 'Plan the network once a canvas, then run it.'
expect 1 src/a.h '// The op behind the last one.'
expect 1 include/a.h ' * The name, NULL where there is none. */'
expect 1 src/a.cc '  return error("'"'x'"' is no size; expected N");'
expect 1 README.md 'Pixels labelled 255 counts nowhere.'
expect 1 README.md 'A killed run goes on where it was.'
expect 1 README.md 'The program carries its own model.'
expect 1 apps/a.cc '  app.add_option("--calibration", photos, "Photos like those to come");'
expect 1 src/a.h '/// Error: memory that is not to be had.'
expect 1 src/a.h '/// All of them but for labels.'
expect 1 docs/a.md 'What becomes of the mask is up to the caller.'
expect 1 CMakeLists.txt '# A worker that is held up.'
expect 1 a.sh '# The mend brings a test.'

expect 0 src/a.h '/// One buffer; make one per thread.'
expect 0 src/a.cc 'const bool behind = guard == Guard::kBehind;'
expect 0 src/a.cc '// There is no size that fits, and no op is no longer there.'
expect 0 docs/a.md 'The crop lies where the photo ends; one a person can see.'
expect 0 docs/a.md 'Camera pictures arrive at 25 a second.'
expect 0 src/a.cc '  text = "one a line";  // prose-ok: bytes of a file'
expect 0 docs/a.md '| "one a thread" | one per thread |'
expect 0 build/a.md 'The op behind the last one.'

[ "$failures" -eq 0 ] && echo "$cases lines: check_prose.sh refuses sixteen and accepts eight"
