#!/usr/bin/env bash
# bench/arm/estimate.sh MODEL [CPU [SIZE...]]: instructions of one inference under the emulator, by kernel family,
# and the cycles that LLVM's static pipeline model of CPU (cortex-a53) gives for the blocks that ran.
# Needs the aarch64 preset built with -DDEEPLAB_BUILD_BENCH=ON (target deeplab_one_inference), a C
# compiler, qemu-user and llvm. What the columns mean, and what they do not: docs/performance-arm.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
model=${1:?"usage: bench/arm/estimate.sh MODEL [CPU [SIZE...]]"}
cpu=${2:-cortex-a53}
sizes=(513 257)
[ $# -le 2 ] || sizes=("${@:3}")
program=build/aarch64/bench/arm/deeplab_one_inference
sysroot=$PWD/build/aarch64-sysroot
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tool() { command -v "$1" || command -v "$1-16" || command -v "$1-14"; }
mc=$(tool llvm-mc)
mca=$(tool llvm-mca)
${CC:-cc} -O2 -fPIC -shared -o "$work/blocks.so" bench/arm/blocks.c

# mca_of FILE: one line per block of FILE: what 100 runs of it in a row take, cycles and bound.
mca_of() {
  awk '{ for (i = 9; i <= NF; ++i) print $i; print "" }' "$1" >"$work/words"
  # The disassembler drops empty lines: a block is counted off by its words.
  grep . "$work/words" | "$mc" --disassemble -triple=aarch64 -mattr=+v8.2a,+dotprod |
    grep -v '\.text' >"$work/text"
  awk -v text="$work/text" '{
    print "# LLVM-MCA-BEGIN " NR
    for (i = 0; i < $4; ++i) { getline line < text; print line }
    print "# LLVM-MCA-END"
  }' "$1" >"$work/regions"
  "$mca" -mtriple=aarch64 -mcpu="$cpu" -mattr=+dotprod -iterations=100 -instruction-info=0 -resource-pressure=0 \
    "$work/regions" 2>/dev/null |
    awk '/^Total Cycles:/ { cycles = $3 } /^Total uOps:/ { uops = $3 } /^Dispatch Width:/ { width = $3 }
         /^Block RThroughput:/ { bound = $3 * 100; if (uops / width > bound) bound = uops / width
                                 print cycles, bound }'
}

printf '%-8s %5s %11s %9s %9s %9s %9s %9s %9s\n' \
  family size "million" SIMD "SIMD mem" "other mem" integer bound pipeline
for size in "${sizes[@]}"; do
  for family in scalar neon neondot; do
    qemu-aarch64 -cpu max,sve=off -plugin "$work/blocks.so,out=$work/blocks" \
      -L /usr/aarch64-linux-gnu \
      -E "LD_LIBRARY_PATH=$sysroot/usr/lib/aarch64-linux-gnu:$sysroot/lib/aarch64-linux-gnu" \
      "$program" "$model" "$size" "$family" >"$work/labels"
    sort -k1,1nr "$work/blocks" | awk '{ print $1 * $4, $0 }' | sort -k1,1nr | cut -d' ' -f2- >"$work/sorted"
    # Blocks that hold 99.5 % of all instructions go through the model; the rest is taken at their mean.
    awk '{ all += $1 * $4; line[NR] = $0; n[NR] = $1 * $4 }
         END { for (i = 1; i <= NR && sum < 0.995 * all; ++i) { print line[i]; sum += n[i] } }' \
      "$work/sorted" >"$work/hot"
    mca_of "$work/hot" >"$work/cycles"
    [ "$(wc -l <"$work/hot")" = "$(wc -l <"$work/cycles")" ] || {
      echo "llvm-mca did not understand every block" >&2
      exit 1
    }
    paste -d' ' "$work/cycles" "$work/hot" >"$work/all"
    awk -v family=$family -v size=$size -v all="$(awk '{ s += $1 * $4 } END { printf "%.0f", s }' "$work/sorted")" '
      { n = $3 * $6; hot += n; simd += $3 * $7; vmem += $3 * $8; mem += $3 * $9; int_ += $3 * $10
        pipeline += $3 * $1 / 100; bound += $3 * $2 / 100 }
      END { f = all / hot / 1e6
            printf "%-8s %5d %11.1f %9.1f %9.1f %9.1f %9.1f %9.1f %9.1f\n", family, size, all / 1e6, simd * f,
                   vmem * f, mem * f, int_ * f, bound * f, pipeline * f }' "$work/all"
  done
done
