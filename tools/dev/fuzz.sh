# shellcheck shell=bash
# ./dev fuzz NAME [seconds]: one libFuzzer target, starting from its kept corpus.

name=${1:-} seconds=${2:-60}
# Every fuzz/*.cpp is a target, but for the program that replays their corpora.
targets=$(find fuzz -maxdepth 1 -name '*.cpp' ! -name replay.cpp -printf '%f\n' 2>/dev/null |
  sed 's/\.cpp$//' | sort)
[[ -n $name ]] || fail "cannot fuzz: no target is named" "choose one of: ${targets//$'\n'/, }"
grep -qxF -e "$name" <<<"$targets" ||
  fail "cannot fuzz '$name': there is no such target" "choose one of: ${targets//$'\n'/, }"
ensure_packages build
build fuzz "fuzz_$name"
mkdir -p "build/fuzz/corpus/$name" build/fuzz/crashes
corpora=("build/fuzz/corpus/$name")
[[ -d fuzz/corpus/$name ]] && corpora+=("fuzz/corpus/$name")
exec "build/fuzz/bin/fuzz_$name" -max_total_time="$seconds" -artifact_prefix=build/fuzz/crashes/ \
  "${corpora[@]}"
