# shellcheck shell=bash
# ./dev tidy [--fast|--all]: the text rules, then clang-tidy on what changed.

# Sources that differ from the main branch (or, on it, from the last commit), new ones included.
changed_sources() {
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
  [[ $base != "$(git rev-parse HEAD)" ]] || base=$(git rev-parse -q --verify HEAD~1 || echo HEAD)
  {
    git diff --name-only --diff-filter=d "$base"
    git ls-files --others --exclude-standard
  } | grep -E '^src/.*\.cpp$' | sort -u
}

mode=${1:-}
have python3 || ensure_packages test
tools/tidy || fail "cannot accept the tree: the findings above break STYLE.md" \
  "mend them, or excuse a line with '// tidy: <rule> because <reason>'"
[[ $mode == --fast ]] && return

ensure_packages build test
[[ -f build/dev/compile_commands.json ]] || build dev
if [[ $mode == --all ]]; then
  sources=$(find src -name '*.cpp')
else
  sources=$(changed_sources || true)
fi
[[ -n $sources ]] || { say "no changed C++ sources" && return; }
xargs -n 1 -P "$(parallel_jobs)" clang-tidy-19 --quiet -p build/dev <<<"$sources"
