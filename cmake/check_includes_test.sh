#!/bin/sh
# Proves that check_includes.sh refuses what it must: each case plants one offence in a small tree.
set -eu
check=$(cd "$(dirname "$0")" && pwd)/check_includes.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

fresh_tree() {
  rm -rf "$tree/docs" "$tree/src" "$tree/include" "$tree/apps"
  mkdir -p "$tree/docs" "$tree/src/low" "$tree/src/high" "$tree/include/deeplab" "$tree/apps/tool/common" "$tree/apps/tool/paint"
  cat > "$tree/docs/ARCHITECTURE.md" <<'TABLE'
| folder | what lives there | may include | foreign headers |
| --- | --- | --- | --- |
| `include/deeplab` | the face | | `stdint.h` |
| `src/low` | below | include/deeplab | `codec.h` `net/` |
| `src/high` | above | low | |
| `apps/tool` | a program | include/deeplab apps/tool/ high | |
| `apps/tool/common` | what its commands share | include/deeplab | |
| `apps/tool/paint` | a command | apps/tool/common high | |
TABLE
  printf '#include <stdint.h>\n' > "$tree/include/deeplab/face.h"
  printf '#include <codec.h>\n#include <net/x.h>\n#include <vector>\n#include "low/a.h"\n#include "deeplab/face.h"\n' \
    > "$tree/src/low/a.cc"
  printf '#include "low/a.h"\n#include "neighbour.h"\n' > "$tree/src/high/b.cc"
  printf 'deeplab_room(high\n  SOURCES b.cc\n  LINKS low  # below\n  LINKS_OUTSIDE zlib)\n' \
    > "$tree/src/high/CMakeLists.txt"
  printf '#include "high/b.h"\n#include "apps/tool/paint/c.h"\n' > "$tree/apps/tool/main.cc"
  printf '#include "apps/tool/paint/c.h"\n#include "apps/tool/common/d.h"\n' > "$tree/apps/tool/paint/c.cc"
}

expect() {  # expect STATUS WHAT [TEXT THAT MUST BE PRINTED]
  status=0
  output=$("$check" "$tree" 2>&1) || status=$?
  case "$output" in *"${3:-}"*) found=1 ;; *) found=0 ;; esac
  if [ "$status" -ne "$1" ] || [ "$found" -eq 0 ]; then
    echo "FAILED: $2: exit status $status, wanted $1 with \"${3:-}\"; it printed:"
    echo "$output"
    failures=$((failures + 1))
  fi
}

fresh_tree
expect 0 "a tree that keeps its table"

fresh_tree; echo '#include "high/b.h"' >> "$tree/src/low/a.cc"
expect 1 "a room above" "src/low/a.cc:6: src/low may not include high/b.h"

fresh_tree; echo '  #  include "deeplab/face.h"' >> "$tree/src/high/b.cc"
expect 1 "a public header, spaced oddly" "src/high/b.cc:3: src/high may not include deeplab/face.h"

fresh_tree; echo '#include <codec.h>' >> "$tree/src/high/b.cc"
expect 1 "another room's library" "src/high/b.cc:3: foreign header codec.h has no place in src/high"

fresh_tree; echo '#include "net/y.h"' >> "$tree/src/high/b.cc"
expect 1 "another room's library in quotes" "foreign header net/y.h has no place in src/high"

fresh_tree; echo '#include <elsewhere/z.hpp>' >> "$tree/src/low/a.cc"
expect 1 "a library that nobody has" "foreign header elsewhere/z.hpp has no place in src/low"

fresh_tree; echo '#include <stdlib.h>' >> "$tree/include/deeplab/face.h"
expect 1 "a public header beyond the standard library" "foreign header stdlib.h"

fresh_tree; echo '#include "low/a.h"' >> "$tree/include/deeplab/face.h"
expect 1 "a public header that shows a room" "include/deeplab may not include low/a.h"

fresh_tree; echo '#include "low/a.h"' >> "$tree/apps/tool/main.cc"
expect 1 "a program that reaches past its row" "apps/tool may not include low/a.h"

fresh_tree; echo '#include "apps/tool/paint/c.h"' >> "$tree/apps/tool/common/d.cc"
expect 1 "what is shared reaches into a command" "apps/tool/common may not include apps/tool/paint/c.h"

fresh_tree; echo '#include "apps/tool/paint/c.h"' >> "$tree/src/high/b.cc"
expect 1 "a room that reaches into a program" "src/high may not include apps/tool/paint/c.h"

fresh_tree; echo 'deeplab_room(low SOURCES a.cc LINKS high)' > "$tree/src/low/CMakeLists.txt"
expect 1 "a link upwards" "src/low/CMakeLists.txt: src/low may not link high"

fresh_tree; mkdir "$tree/src/annex"
expect 1 "a room without a row" "src/annex: no row"

fresh_tree; echo 'No table here.' > "$tree/docs/ARCHITECTURE.md"
expect 2 "no table" "no room table"

[ "$failures" -eq 0 ] && echo "14 cases: check_includes.sh accepts one tree and refuses thirteen"
