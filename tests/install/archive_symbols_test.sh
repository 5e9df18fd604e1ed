#!/bin/sh
# archive_symbols_test.sh CXX: proves that archive_symbols.sh refuses what it must.
set -eu
check=$(cd "$(dirname "$0")" && pwd)/archive_symbols.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failures=0

expect() {  # expect STATUS FILE CODE [TEXT THAT MUST BE PRINTED]
  printf 'extern "C" __attribute__((visibility("default"))) int deeplab_version() { return 1; }\n%s\n' \
    "$3" > "$2.cc"
  "$cxx" -std=c++20 -O0 -fvisibility=hidden -c "$2.cc" -o "$2.cc.o"
  rm -f library.a
  ar qc library.a "$2.cc.o"
  status=0
  output=$("$check" library.a) || status=$?
  case "$output" in *"${4:-}"*) found=1 ;; *) found=0 ;; esac
  if [ "$status" -ne "$1" ] || [ "$found" -eq 0 ]; then
    echo "FAILED: $3: exit status $status, wanted $1 with \"${4:-}\"; it printed: $output"
    failures=$((failures + 1))
  fi
}

cxx=$1
expect 0 plain '#include <string>
namespace deeplab::api { std::string twice(std::string s) { return s + s; } }' "the interface"
expect 1 plain 'int helper() { return 1; }' "plain.cc.o: a name outside deeplab: _Z6helperv"
expect 1 plain 'extern "C" int helper() { return 1; }' "a name outside deeplab: helper"
expect 1 plain 'namespace other { inline int f() { return 1; } }
namespace deeplab { int g() { return other::f(); } }' "a name outside deeplab: _ZN5other1fEv"
expect 1 plain 'namespace std { int f() { return 1; } }' "ours alone, but not inside deeplab: _ZSt1fv"
expect 1 plain 'namespace deeplab { __attribute__((visibility("default"))) int f() { return 1; } }' \
  "not hidden: _ZN7deeplab1fEv"
expect 1 int8_avx2 'namespace deeplab { inline int f() { return 1; }
int g() { return f(); } }' "int8_avx2.cc.o: shared by files for every CPU: _ZN7deeplab1fEv"

[ "$failures" -eq 0 ] && echo "7 cases: archive_symbols.sh accepts one library and refuses six"
