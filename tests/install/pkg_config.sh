#!/bin/sh
# pkg_config.sh static|shared LIBDIR VERSION SOURCE.c|SOURCE.cc OUTPUT MODEL: compiles one file with what
# pkg-config says about the install tree and that language's compiler alone, and runs it.
set -eu
kind=$1 libdir=$2 version=$3 source=$4 output=$5 model=$6

export PKG_CONFIG_PATH="$libdir/pkgconfig"
static=
[ "$kind" = static ] && static=--static
pkg-config --exact-version="$version" --print-errors deeplab
flags=$(pkg-config $static --cflags --libs deeplab)
case "$source" in
  *.c) compile="${CC:-cc} -std=c99" ;;
  *) compile="${CXX:-c++} -std=c++20" ;;
esac
# shellcheck disable=SC2086  # these are lists of words
$compile -pedantic -Wall -Wextra -Werror "$source" -o "$output" $flags
LD_LIBRARY_PATH="$libdir" "$output" "$model"

# What the program asks the system for: the soname, whose number stands for the interface; from C nothing
# of C++, and of a static library nothing.
needed=$(readelf -d "$output" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
case "$kind,$source" in
  static,*) wanted=$(echo "$needed" | grep -v deeplab) ;;
  shared,*.c) wanted=$(printf 'libdeeplab.so.%s\nlibc.so.6' "${version%.*}") ;;
  shared,*) wanted=$(echo "$needed" | grep -v deeplab; echo "libdeeplab.so.${version%.*}") ;;
esac
if [ "$(echo "$needed" | sort)" != "$(echo "$wanted" | sort)" ]; then
  printf 'needs:\n%s\ninstead of:\n%s\n' "$needed" "$wanted"
  exit 1
fi
