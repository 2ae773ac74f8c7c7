# shellcheck shell=bash
# ./dev bench NAME: runs bench/NAME on the release build.

name=${1:-}
[[ -n $name && -x bench/$name ]] ||
  fail "cannot run benchmark '$name': there is no bench/$name" \
    "choose one of: $(find bench -maxdepth 1 -type f -executable -printf '%f ' 2>/dev/null)"
shift
ensure_packages build images
build release
exec "bench/$name" "$@"
