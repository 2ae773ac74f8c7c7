#!/usr/bin/env bats
# The helpers behind ./dev, with the world (apt, sockets, sudo) replaced at the command line.

load helpers

# with HELPERS…: runs the body on standard input in a fresh bash that has sourced them.
with() {
  local sources='' name
  for name in "$@"; do sources+="source tools/dev/$name.sh; "; done
  run bash -c "set -euo pipefail; cd '$root'; $sources $(cat)"
  echo "$output"
}

@test "help names every verb" {
  run "$root/dev" --help
  [ "$status" -eq 0 ]
  for verb in build run test bench fmt tidy fuzz package clean; do
    [[ $output == *"./dev $verb"* ]]
  done
}

@test "an unknown verb is refused with a remedy" {
  run "$root/dev" dance
  [ "$status" -eq 1 ]
  [[ $output == "dev: cannot find verb 'dance'"*"run './dev --help'" ]]
}

@test "./dev works from any folder and with an empty environment" {
  cd /
  run env -i "$root/dev" --help
  [ "$status" -eq 0 ]
}

@test "an unknown benchmark is refused" {
  run "$root/dev" bench nothing
  [ "$status" -eq 1 ]
  [[ $output == *"cannot run benchmark 'nothing'"* ]]
}

@test "fuzzing without a name lists the targets, and no other program" {
  run "$root/dev" fuzz
  [[ $output == *"no target is named; choose one of: "* ]]
  [[ $output != *replay* ]]
}

@test "an unknown fuzz target is refused" {
  run "$root/dev" fuzz nothing
  [ "$status" -eq 1 ]
  [[ $output == *"cannot fuzz 'nothing'"* ]]
}

@test "every package has a group, a command column and a reason" {
  run awk '!/^#/ && NF > 0 && (NF < 4 || $1 !~ /^(build|package|images|engine|test)$/)' \
    "$root/tools/dev/packages.txt"
  [ -z "$output" ]
}

@test "nothing is installed when every package is there" {
  with common packages <<'END'
    installed_packages() { awk '!/^#/ && NF { print $2 }' "$packages_file" | tr '|' '\n'; }
    apt_get() { echo "apt was called"; }
    ensure_packages build images test
END
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "what is missing is installed and named with its reason" {
  with common packages <<'END'
    installed_packages() { :; }
    have() { [[ $1 != shellcheck ]]; }
    can_be_root() { true; }
    hold_services() { :; }
    first_known() { echo "$1"; }
    packages_file=$(mktemp)
    echo 'test shellcheck shellcheck checks of scripts' >"$packages_file"
    apt_get() { echo "apt $*"; }
    ensure_packages test
END
  [ "$status" -eq 0 ]
  [[ $output == *"shellcheck "*"checks of scripts"* ]]
  [[ $output == *"apt install --yes --no-install-recommends shellcheck"* ]]
}

@test "an installed alternative is enough" {
  with common packages <<'END'
    declare -A installed=([libb-dev]=1)
    package_is_there 'liba-dev|libb-dev' -
END
  [ "$status" -eq 0 ]
}

@test "a program of the user's own spares the package" {
  with common packages <<'END'
    declare -A installed=()
    package_is_there nodejs bash
END
  [ "$status" -eq 0 ]
}

@test "without root and sudo the installation is refused with a remedy" {
  with common packages <<'END'
    can_be_root() { false; }
    install_packages cmake
END
  [ "$status" -eq 1 ]
  [[ $output == "dev: cannot install packages: you are not root and there is no sudo;"* ]]
}

@test "apt is tried three times" {
  with common packages <<'END'
    sleep() { :; }
    retry "apt-get update" false
END
  [ "$status" -eq 1 ]
  [[ $output == *"attempt 3 of 3"*"cannot install packages"* ]]
}

@test "a socket that does not exist is missing" {
  with common engine <<'END'
    engine_state unix:///nowhere/docker.sock
END
  [ "$output" = missing ]
}

@test "a port where nothing listens is stopped" {
  with common engine <<'END'
    engine_state tcp://127.0.0.1:1
END
  [ "$output" = stopped ]
}

@test "an HTTP server without an API version is no engine" {
  with common engine <<'END'
    curl() { printf 'HTTP/1.1 200 OK\r\n\r\nhello'; }
    engine_state tcp://127.0.0.1:8080
END
  [ "$output" = foreign ]
}

@test "an engine is known by its API version" {
  with common engine <<'END'
    curl() { printf 'HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n\r\nOK'; }
    engine_state tcp://127.0.0.1:2375
END
  [ "$output" = connected ]
}

@test "a named engine is the only candidate" {
  with common engine <<'END'
    GANTRY_ENGINE=tcp://10.0.0.1:2375 engine_candidates
END
  [ "$output" = tcp://10.0.0.1:2375 ]
}

@test "a denied engine is reported before missing ones" {
  with common engine <<'END'
    engine_state() { if [[ $1 == *var/run* ]]; then echo denied; else echo missing; fi; }
    unset GANTRY_ENGINE DOCKER_HOST
    find_engine || echo "$engine_problem at $engine_at"
END
  [ "$output" = "denied at unix:///var/run/docker.sock" ]
}

@test "a process whose arguments do not name our folder is left alone" {
  with common engine <<'END'
    sleep 30 &
    echo $! >"$BATS_TEST_TMPDIR/pid"
    stop_process_of "$BATS_TEST_TMPDIR/pid" /var/tmp/gantry-engine.none
    kill -0 $! && echo alive
    kill $!
END
  [ "$output" = alive ]
}

@test "waiting ends after its limit" {
  with common <<'END'
    wait_until 1 false || echo "gave up"
END
  [ "$output" = "gave up" ]
}

@test "parallel jobs are at least one" {
  with common <<'END'
    awk() { echo 1000; }
    parallel_jobs
END
  [ "$output" = 1 ]
}

@test "a prerequisite that is missing is a skip for a developer and a failure in CI" {
  sed '$d' "$root/tools/dev/test.sh" >"$BATS_TEST_TMPDIR/test.sh"
  with common <<END
    source "$BATS_TEST_TMPDIR/test.sh"
    unset CI; missing "browser" "there is no chromium"; (summary)
    export CI=1; missing "browser" "there is no chromium"; (summary) || echo refused
END
  [[ $output == *"skipped: browser"*"FAILED: browser (not run: there is no chromium)"*refused ]]
}
