# shellcheck shell=bash
# ./dev fmt [--check]: C and C++ in the house's one format.

have clang-format-19 || ensure_packages test
action=(-i)
[[ ${1:-} == --check ]] && action=(--dry-run -Werror)
find src tests bench fuzz -type f \( -name '*.[ch]' -o -name '*.[ch]pp' \) -print0 2>/dev/null |
  xargs -0 --no-run-if-empty clang-format-19 "${action[@]}"
