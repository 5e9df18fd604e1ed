#!/bin/sh
# archive_symbols.sh LIBRARY.a...: what a static library, or the archives of its rooms, does to the program
# that links it. Every name that the linker can see must be ours, or an inline function of the C++ library
# or of FlatBuffers (which a program must not have in another version; a shared libdeeplab shows none). Only
# the interface may be exported again by a shared library made of it. And what was compiled for one
# instruction set shares no function: the linker could keep that copy for every CPU.
set -eu
readelf -sW "$@" | LC_ALL=C awk '
  function refuse(what) { print member ": " what ": " name; ++refused }
  BEGIN { prefix = "^_Z(T[VTIS]|GV|Z)*K?N?[KVRO]*" }  # vtable..., guard, local, nested, const
  /^File:/ { member = $2; sub(/.*\(/, "", member); sub(/\)$/, "", member) }
  $5 ~ /^(GLOBAL|WEAK|UNIQUE)$/ && $7 != "UND" {
    bind = $5; visibility = $6; name = $8
    function_of_ours = name ~ /^deeplab_[a-z0-9_]+$/
    ours = function_of_ours || name ~ prefix "(7deeplab|[0-9]+deeplab_)"
    standard = name ~ prefix "(St|S[absiod]|9__gnu_cxx)" || name ~ /^(DW\.ref\.|_Z(nw|na|dl|da))/
    ++names
    functions += function_of_ours
    if (!ours && !standard && name !~ prefix "11flatbuffers") refuse("a name outside deeplab")
    if (!ours && bind == "GLOBAL") refuse("ours alone, but not inside deeplab")
    if (!function_of_ours && !standard && visibility == "DEFAULT") refuse("not hidden")
    if (bind != "GLOBAL" && name !~ /^DW/ && member ~ /(^|_)(avx|neon|fma)[a-z0-9_]*\.cc\.o$/)
      refuse("shared by files for every CPU")
  }
  END {
    if (!functions) { print "no function of the interface found"; exit 1 }
    if (!refused) print names " names, " functions " of them the interface"
    exit refused > 0
  }'
