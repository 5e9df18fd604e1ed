#!/usr/bin/env bash
# check_tidy.sh [BASE | --all]: clang-tidy, by the list in .clang-tidy, on the C++ files that changed since the commit
# BASE; without one, since the tenth commit before this. At most $TIDY_FILES files, 12 if that is not set.
set -euo pipefail
cd "$(dirname "$0")/.."
. cmake/debian.sh
# shellcheck disable=SC2086  # lists of words
install_missing $build_packages $tidy_packages
build=build/tidy

base=${1:-}
if [ "$base" = --all ]; then
  changed=$(git ls-files '*.cc')
else
  # A push that starts a branch has zeros here.
  git cat-file -e "$base^{commit}" 2>/dev/null || base=$(git rev-list HEAD | sed -n 11p)
  changed=$(git diff --name-only --diff-filter=d ${base:+"$base"} -- '*.cc')
fi

# Each file alone, as clang-tidy wants it, and no more built than the headers that are generated.
cmake --preset release -B "$build" -DCMAKE_C_COMPILER=clang-16 -DCMAKE_CXX_COMPILER=clang++-16 \
  -DCMAKE_UNITY_BUILD=OFF -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null
cmake --build "$build" --target deeplab_tflite_schema >/dev/null

files=() left_out=0
for file in $changed; do
  grep -q "\"$PWD/$file\"" "$build/compile_commands.json" || continue  # Of a part that is not built here
  if [ "$base" = --all ] || [ ${#files[@]} -lt "${TIDY_FILES:-12}" ]; then
    files+=("$file")
  else
    left_out=$((left_out + 1))
  fi
done
if [ ${#files[@]} -eq 0 ]; then
  echo "clang-tidy: no file to check"
  exit 0
fi
tidy() {
  local found
  found=$(clang-tidy-16 -p "$build" --quiet "--warnings-as-errors=$errors" "$1" 2>&1) ||
    { echo "$found" && return 1; }
}
export -f tidy
# What the analyzer says wrongly: of std::variant, and of std::function in CLI11's header.
errors='*,-clang-analyzer-core.uninitialized.Assign,-clang-analyzer-cplusplus.NewDeleteLeaks'
export build errors
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -I {} bash -c 'tidy {}'
echo "clang-tidy: ${#files[@]} files checked, $left_out left out"
