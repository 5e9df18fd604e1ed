#!/bin/sh
# check_docs.sh [ROOT]: what the documents point at is there: each relative link names a file, and each
# `Suite.Test` of docs/ (`Suite.Begin*` too) is a test. Exit status 1: each offence on its own line.
set -eu
cd "${1:-$(dirname "$0")/..}"
offences=$(
  find . -name '*.md' ! -path './build/*' ! -path '*/node_modules/*' | while read -r document; do
    grep -oE '\]\([^)#]+' "$document" | cut -c3- | grep -vE '^[a-z]+:' | while read -r link; do
      [ -e "$(dirname "$document")/$link" ] || echo "$document: no file $link"
    done
  done
  for document in docs/*.md; do
    # shellcheck disable=SC2016  # backquotes of Markdown
    grep -oE '`[A-Z][A-Za-z]+\.[A-Z][A-Za-z0-9]+\*?`' "$document" | tr -d '`' | sort -u |
      while read -r test; do
        name=${test#*.}
        case "$name" in *\*) name=${name%\*} ;; *) name="$name\\)" ;; esac
        grep -rqE "^TEST(_F|_P)?\\(${test%%.*}, $name" tests || echo "$document: no test $test"
      done
  done
)
[ -z "$offences" ] && exit 0
echo "$offences"
exit 1
