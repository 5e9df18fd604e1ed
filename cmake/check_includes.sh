#!/bin/sh
# check_includes.sh [ROOT]: holds the room table of docs/ARCHITECTURE.md against every #include and
# every deeplab_room() under ROOT. Exit status 0: kept; 1: each offence on its own line; 2: no table.
set -eu
cd "${1:-$(dirname "$0")/..}"
table=docs/ARCHITECTURE.md

folders=$(awk -F'|' '/^\| `/ { gsub(/[` ]/, "", $2); printf "%s ", $2 }' "$table")
if [ -z "$folders" ]; then
  echo "$table: no room table found" >&2
  exit 2
fi
# Every folder that may hold code, so that a new room without a row is an offence.
for parent in src apps apps/deeplab train plugins; do
  for folder in "$parent"/*/; do
    [ -d "$folder" ] || continue
    case " $folders" in
      *" ${folder%/} "*) ;;
      *) echo "${folder%/}: no row in $table"; missing=1 ;;
    esac
  done
done

# shellcheck disable=SC2086  # folder names hold no spaces
find $folders -type f \( -name '*.h' -o -name '*.hpp' -o -name '*.c' -o -name '*.cc' \
                      -o -name CMakeLists.txt \) 2>/dev/null | sort |
awk -v table="$table" '
  function trim(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }

  # Does the space-separated list hold the name, or a "folder/" that it lies in?
  function lists(list, name,    n, i, words) {
    n = split(list, words, " ")
    for (i = 1; i <= n; ++i) {
      if (words[i] == "any" || words[i] == name) return 1
      if (words[i] ~ /\/$/ && index(name, words[i]) == 1) return 1
    }
    return 0
  }

  function refuse(where, what) { print where ": " what; ++offences }

  # The row that an included name belongs to: names count from the root or from src/; "" if none.
  function row_of(name,    f, row) {
    row = ""
    for (f in may_include)
      if ((index(name, f "/") == 1 || index("src/" name, f "/") == 1) && length(f) > length(row)) row = f
    return row
  }

  function check_include(folder, where, line,    quoted, name, row) {
    quoted = line ~ /^[ \t]*#[ \t]*include[ \t]*"/
    sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", line)
    sub(/[">].*/, "", line)
    name = line
    row = name ~ /^deeplab\// ? "include/deeplab" : row_of(name)
    if (row == "") {
      # Not a room. Quoted without a slash is a neighbour; standard headers have no dot.
      if (quoted && name !~ /\//) return
      if (!quoted && name !~ /[.\/]/) return
      if (!lists(foreign[folder], name)) refuse(where, "foreign header " name " has no place in " folder)
      return
    }
    if (folder == row) return
    sub(/^src\//, "", row)
    if (!lists(may_include[folder], row)) refuse(where, folder " may not include " name)
  }

  # LINKS of deeplab_room(...), over as many lines as it takes.
  function check_links(folder, where, text,    n, i, words, in_links) {
    gsub(/#[^\n]*/, "", text)
    if (!match(text, /deeplab_room\([^)]*\)/)) return
    text = substr(text, RSTART + 13, RLENGTH - 14)
    n = split(text, words, /[ \t\n]+/)
    for (i = 1; i <= n; ++i) {
      if (words[i] == "LINKS") in_links = 1
      else if (words[i] ~ /^[A-Z_]+$/) in_links = 0
      else if (in_links && words[i] != "" && !lists(may_include[folder], words[i]))
        refuse(where, folder " may not link " words[i])
    }
  }

  BEGIN {
    while ((getline line < table) > 0) {
      if (line !~ /^\| `/) continue
      split(line, column, "|")
      gsub(/`/, "", column[2]); gsub(/`/, "", column[5])
      may_include[trim(column[2])] = trim(column[4])
      foreign[trim(column[2])] = trim(column[5])
    }
  }
  {
    file = $0
    folder = ""
    for (f in may_include) if (index(file, f "/") == 1 && length(f) > length(folder)) folder = f
    text = ""; number = 0
    while ((getline line < file) > 0) {
      ++number
      if (file ~ /CMakeLists.txt$/) text = text line "\n"
      else if (line ~ /^[ \t]*#[ \t]*include[ \t]*["<]/) check_include(folder, file ":" number, line)
    }
    close(file)
    if (text != "" && folder ~ /^src\//) check_links(folder, file, text)
    ++files
  }
  END {
    if (!offences) print files " files keep the room table of " table
    exit offences > 0
  }'
[ -z "${missing:-}" ]
