#!/bin/sh
# check_prose.sh [ROOT]: finds the idioms that CONTRIBUTING.md lists under "Plain English" in Markdown, and in
# comments, help texts and errors of the code. Exit status 1: each offence on its own line, as FILE:LINE:TEXT.
# A line with the word prose-ok is skipped: its text is part of a file format or of an output, and stays.
set -eu
cd "${1:-$(dirname "$0")/..}"

# What "one per thread" and the like are said of.
things='(thread|photo|picture|pixel|channel|tensor|line|op|class|file|row|core|cycle|worker|filter|layer|panel|block'
things="$things|step|group|program|run|call|frame|dataset|image|canvas|ISA|CPU|room|region|subcommand|label|rank|pass"
things="$things|input|output|activation|family)"
plurals='(bytes|bits|photos|pixels|cycles|instructions|values|sums|scores|entries|products|registers|nanoseconds|ms)'

# Perl regular expressions, one per line.
pattern=$(sed -e "s/THING/$things\\\\b/g" -e "s/PLURAL/$plurals/g" <<'LIST' | paste -s -d '|'
\b([Oo]ne|[Tt]wo|[Tt]wice) an? (output |input )?THING(?! (is|has|was|that|who|can|could|of|and))
\b[Oo]nce an? THING(?=[,.;:)]| and | or |$)
\b([Aa]n?|[Oo]ne) (line|object|file|folder|scale|thread|label|row|name|byte|float|sum|constant|tensor|pointer) an? THING
\bPLURAL an? THING
\b[Bb]ehind\b
\b([Nn]ull|NULL|[Nn]othing|[Ee]mpty|[Tt]rue|[Ff]alse|[Oo]nly|none|error|0|-?1) where\b
\b[Ww]here (not|none|need be)\b
\bcounts nowhere\b
(?<![Tt]here|nobody) is no (?!more|longer|less|lower|need|reason|way)[a-z.]
\b(to be had|but for|in work|in the place of|[Aa]new|unless said|for ever)\b(?! (every|one|the ))
\bgo(es)? on (from|where|at)\b
\b(be)?comes? of\b
\bspeaks? of\b
\bmend(s|ed)?\b
\bcarries its own\b
\blike those to come\b
\b(held up|holds nobody up|not hold up)\b
LIST
)

files() {  # files NAME-TESTS...
  find . \( -name build -o -name 'build-*' -o -name node_modules -o -name .git \) -prune -o -type f \( "$@" \) -print0
}

# Of code only what follows a comment sign or a quote; `*` begins a line of a block comment. The lines of
# Markdown that begin with `| "` are CONTRIBUTING.md's own list.
offences=$(
  {
    files -name '*.h' -o -name '*.hpp' -o -name '*.c' -o -name '*.cc' -o -name '*.mjs' -o -name '*.fbs' |
      xargs -0 -r grep -nHP "(//|/\\*|^ *\\*|\").*\\K($pattern)" || true
    files \( -name '*.sh' -o -name CMakeLists.txt -o -name '*.cmake' -o -path ./.ci/run \) ! -name 'check_prose*' |
      xargs -0 -r grep -nHP "[#\"'].*\\K($pattern)" || true
    files -name '*.md' | xargs -0 -r grep -nHP "^(?!\\| \").*\\K($pattern)" || true
  } | grep -v prose-ok | sed 's|^\./||'
)
[ -z "$offences" ] && exit 0
echo "$offences"
exit 1
