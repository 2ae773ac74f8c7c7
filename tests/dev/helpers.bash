# shellcheck shell=bash
# Shared by the tests of ./dev: the helpers under test, and a folder per test.

setup() {
  root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  tree=$BATS_TEST_TMPDIR/tree
  mkdir -p "$tree/src" "$tree/tools"
  cp "$root/tools/layers.json" "$tree/tools/"
}

# put PATH: writes standard input to a file of the tree under test.
put() {
  mkdir -p "$(dirname "$tree/$1")"
  cat >"$tree/$1"
}

tidy() {
  run "$root/tools/tidy" --root "$tree"
}

# finds TEXT: tidy failed and said so.
finds() {
  tidy
  echo "$output"
  [ "$status" -eq 1 ]
  [[ $output == *"$1"* ]]
}

# accepts: tidy has nothing to say.
accepts() {
  tidy
  echo "$output"
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}
