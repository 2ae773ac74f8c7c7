# shellcheck shell=bash
# ./dev fuzz NAME [seconds]: one libFuzzer target, starting from its kept corpus.

name=${1:-} seconds=${2:-60}
[[ -n $name && -f fuzz/$name.cpp ]] ||
  fail "cannot fuzz '$name': there is no fuzz/$name.cpp" \
    "choose one of: $(find fuzz -maxdepth 1 -name '*.cpp' -printf '%f ' 2>/dev/null |
      sed 's/\.cpp//g')"
ensure_packages build
build fuzz "fuzz_$name"
mkdir -p "build/fuzz/corpus/$name" build/fuzz/crashes
corpora=("build/fuzz/corpus/$name")
[[ -d fuzz/corpus/$name ]] && corpora+=("fuzz/corpus/$name")
exec "build/fuzz/bin/fuzz_$name" -max_total_time="$seconds" -artifact_prefix=build/fuzz/crashes/ \
  "${corpora[@]}"
