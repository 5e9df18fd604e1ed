#!/bin/sh
# headers.sh CC CXX INCLUDEDIR: each public header compiles alone, without a warning, in each language
# that it is for; and structs and constants are what compiled programs know (layout.c).
set -eu
cc=$1 cxx=$2 include=$3
layout=$(cd "$(dirname "$0")" && pwd)/layout.c
warnings='-Wall -Wextra -Wshadow -Wconversion -pedantic -Werror'

# shellcheck disable=SC2086  # a list of words
alone() {  # alone HEADER COMPILER LANGUAGE STANDARD
  echo "#include <deeplab/$1>" | $2 $warnings -x "$3" -std="$4" -I "$include" -fsyntax-only -
}
for header in deeplab.h deeplab_draw.h; do
  alone "$header" "$cc" c c99
  alone "$header" "$cc" c c11
  alone "$header" "$cxx" c++ c++11
  alone "$header" "$cxx" c++ c++20
done
for header in deeplab.hpp deeplab_draw.hpp deeplab_stream.hpp status.hpp; do
  alone "$header" "$cxx" c++ c++20
done
# What another compiler sees: no attribute of GCC's outside __GNUC__.
for os in _WIN32 "_WIN32 -DDEEPLAB_BUILDING_DLL" DEEPLAB_STATIC; do
  # shellcheck disable=SC2086
  if echo '#include <deeplab/deeplab_draw.h>' |
     $cc -E -P -x c -I "$include" -U__GNUC__ -D$os - | grep deeplab_ | grep -q __attribute__; then
    echo "with -D$os the headers still use __attribute__"
    exit 1
  fi
done
# shellcheck disable=SC2086
$cc $warnings -x c -std=c11 -I "$include" -fsyntax-only "$layout"
# shellcheck disable=SC2086
$cxx $warnings -x c++ -std=c++20 -I "$include" -fsyntax-only "$layout"

listed=$(printf '%s\n' deeplab.h deeplab.hpp deeplab_draw.h deeplab_draw.hpp deeplab_stream.hpp status.hpp)
if [ "$(ls "$include/deeplab")" != "$listed" ]; then
  echo "$include/deeplab holds:" "$include/deeplab"/*
  exit 1
fi
echo "6 headers, 12 ways; layout as written"
