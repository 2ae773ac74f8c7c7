#!/usr/bin/env bats
# `gantry completion bash|zsh|fish`, in the shells themselves. The names that a server would tell
# come from a program that stands in for `gantry names`.

load helpers

setup_file() {
  local shell root
  root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  for shell in bash zsh fish; do
    "$root/build/dev/bin/gantry" completion "$shell" >"$BATS_FILE_TMPDIR/$shell"
  done
}

setup() {
  root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  mkdir "$BATS_TEST_TMPDIR/bin"
  cat >"$BATS_TEST_TMPDIR/bin/gantry" <<STAND_IN
#!/bin/sh
case "\$*" in
  "names hosts") printf 'nas\nweb1\n' ;;
  "names containers") printf 'shop-web-1\nshop-db-1\n' ;;
  "completion "*) cat "$BATS_FILE_TMPDIR/\$2" ;;
esac
STAND_IN
  chmod +x "$BATS_TEST_TMPDIR/bin/gantry"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# needs SHELL: not there is a skip, but for CI, which installs it.
needs() {
  command -v "$1" >/dev/null || [[ -n ${CI:-} ]] || skip "$1 is not here"
}

# offered WORD…: what the shell under test offers after the words that follow; the last of them is
# the one that is being typed.
offered() {
  set -o pipefail
  case $shell in
    bash)
      bash --norc -c 'source <(gantry completion bash)
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _gantry
        printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
      ;;
    zsh) timeout 60 zsh -f "$root/tests/dev/complete.zsh" "$BATS_TEST_TMPDIR" "$*" ;;
    fish) fish --no-config -c "gantry completion fish | source; complete -C '$*'" | cut -f1 ;;
  esac | sort -u | xargs
}

completes_commands_flags_and_names() {
  [[ " $(offered gantry '') " == *" containers "*" hosts "*" ps "* ]]
  [[ "$(offered gantry hosts te)" == test ]]
  [[ "$(offered gantry hosts test '')" == "nas web1" ]]
  [[ "$(offered gantry hosts add '')" != *nas* ]]
  [[ "$(offered gantry logs '')" == "shop-db-1 shop-web-1" ]]
  [[ "$(offered gantry containers inspect shop-d)" == shop-db-1 ]]
  [[ "$(offered gantry logs --host '')" == "nas web1" ]]
  [[ "$(offered gantry logs --fol)" == --follow ]]
  [[ " $(offered gantry hosts add --) " == *" --insecure-tcp "* ]]
  [[ "$(offered gantry logs --insec)" == "" ]]
  [[ " $(offered gantry completion '') " == " bash fish zsh " ]]
}

@test "bash completes commands, flags, hosts and containers" {
  shell=bash completes_commands_flags_and_names
}

@test "zsh completes commands, flags, hosts and containers" {
  needs zsh
  shell=zsh completes_commands_flags_and_names
}

@test "fish completes commands, flags, hosts and containers" {
  needs fish
  shell=fish completes_commands_flags_and_names
}
