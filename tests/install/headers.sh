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
alone deeplab.h "$cc" c c99
alone deeplab.h "$cc" c c11
alone deeplab.h "$cxx" c++ c++11
alone deeplab.h "$cxx" c++ c++20
alone deeplab.hpp "$cxx" c++ c++20
alone status.hpp "$cxx" c++ c++20
# shellcheck disable=SC2086
$cc $warnings -x c -std=c11 -I "$include" -fsyntax-only "$layout"
# shellcheck disable=SC2086
$cxx $warnings -x c++ -std=c++20 -I "$include" -fsyntax-only "$layout"

if [ "$(ls "$include/deeplab")" != "$(printf 'deeplab.h\ndeeplab.hpp\nstatus.hpp')" ]; then
  echo "$include/deeplab holds:" "$include/deeplab"/*
  exit 1
fi
echo "3 headers, 6 ways; layout as written"
