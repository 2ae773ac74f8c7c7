# shellcheck shell=bash
# ./dev test [words]: everything that must pass. A step that fails does not stop the next one; the
# summary at the end names them all. A missing prerequisite is a visible skip, and a failure when CI
# is set.

failed=() skipped=()

# step NAME COMMAND…
step() {
  local name=$1 began=$SECONDS
  shift
  say "$name"
  if ("$@"); then
    say "$name: passed in $((SECONDS - began)) s"
  else
    say "$name: FAILED"
    failed+=("$name")
  fi
}

# missing NAME WHY: a step that can not run here.
missing() {
  if [[ -n ${CI:-} ]]; then
    failed+=("$1 (not run: $2)")
  else
    skipped+=("$1 ($2)")
    say "$1: skipped, $2"
  fi
}

# The engine of the tests: the one that is named, one that answers, or a private one.
engine_for_tests() {
  if [[ -n ${GANTRY_TEST_ENGINE:-} ]]; then
    engine_endpoint=$GANTRY_TEST_ENGINE
    engine_answers "$engine_endpoint" ||
      fail "cannot use the engine at '$engine_endpoint': it is $(engine_state "$engine_endpoint")" \
        "start it or unset GANTRY_TEST_ENGINE"
  elif ! find_engine; then
    if ! can_be_root; then
      missing "tests on a real engine" "no engine answers, and starting one needs root or sudo"
      return
    fi
    ensure_packages engine
    if ! start_private_engine; then
      missing "tests on a real engine" "$engine_failure"
      return
    fi
  fi
  export GANTRY_TEST_ENGINE=$engine_endpoint
  say "testing on the engine at $engine_endpoint"
}

make_test_images() {
  build/dev/bin/gantry images make --engine "$GANTRY_TEST_ENGINE"
}

# cpp_tests PATTERN: in the network of the engine, where containers and a registry of a test are
# reached; but what fetches packages does so from where this machine gets its own.
cpp_tests() {
  local tests=(ctest --test-dir build/dev --output-on-failure ${1:+--tests-regex "$1"}) status=0
  if "${tests[@]}" --show-only | grep -q '^Total Tests: 0$'; then
    fail "cannot test '$1': no test has such a name" "see 'ctest --test-dir build/dev --show-only'"
  fi
  "${enter_private_network[@]}" "${tests[@]}" --label-exclude packages --parallel 2 \
    --output-junit "$root/build/junit.xml" || status=1
  "${tests[@]}" --label-regex packages || status=1
  return "$status"
}

shell_tests() {
  shellcheck --external-sources --check-sourced dev .ci/run packaging/{postinst,prerm,*.sh} &&
    bats tests/dev
}

# Labelled containers that were not there before the tests: each is a leak.
no_container_left() {
  local left
  left=$(labelled_containers | grep -vxF -e "${labelled_before:-none before}" || true)
  [[ -z $left ]] && return
  echo "containers left on $engine_endpoint:" >&2
  echo "$left" >&2
  return 1
}

# Engine 20.10 may go on listing a container that it has removed and knows nothing of any more:
# only what it can also tell about counts.
labelled_containers() {
  local id
  { containers_with_label io.gantry.test && containers_with_label io.gantry.owner; } | sort -u |
    while read -r id; do
      if engine_get "/containers/$id/json" >/dev/null 2>&1; then echo "$id"; fi
    done
}

summary() {
  local line
  for line in "${skipped[@]}"; do say "skipped: $line"; done
  for line in "${failed[@]}"; do say "FAILED: $line"; done
  ((${#failed[@]} == 0)) || exit 1
  say "everything passed"
}

run_tests() {
  local words="$*"
  ensure_packages build images test
  build dev
  trap stop_private_engine EXIT
  engine_for_tests
  if [[ -n ${GANTRY_TEST_ENGINE:-} ]]; then
    labelled_before=$(labelled_containers)
    step "images for the tests" make_test_images
  fi
  step "unit and integration tests" cpp_tests "${words// /.*}"
  if [[ -z $words ]]; then
    step "console: types" npm_web run check
    step "console: unit tests" npm_web test
    step "formatting" ./dev fmt --check
    step "shell scripts" shell_tests
    step "seccomp profile is current" tools/seccomp_profile --check
    step "house rules" tools/tidy
    step "doctor" env GANTRY_BIN="$root/build/dev/bin/gantry" tests/doctor/run
    step "operating" env GANTRY_BIN="$root/build/dev/bin/gantry" tests/operate/run
    step "server abuse" env GANTRY_BIN="$root/build/dev/bin/gantry" tests/server-abuse/run
    if [[ -n ${GANTRY_TEST_ENGINE:-} ]]; then
      step "browser" env GANTRY_BIN="$root/build/dev/bin/gantry" tests/browser/run
      step "TypeScript client" env GANTRY_BIN="$root/build/dev/bin/gantry" tests/clients/run
      step "MCP" env GANTRY_BIN="$root/build/dev/bin/gantry" tests/mcp/run
      step "fronts" env GANTRY_BIN="$root/build/dev/bin/gantry" tests/fronts/run
      step "terminals" env GANTRY_BIN="$root/build/dev/bin/gantry" tests/terminals/run
      step "every way to an engine" "${enter_private_network[@]}" \
        env GANTRY_BIN="$root/build/dev/bin/gantry" tests/ways/run
      step "faults" env GANTRY_BIN="$root/build/dev/bin/gantry" tests/faults/run
      step "abuse" env GANTRY_BIN="$root/build/dev/bin/gantry" tests/abuse/run --short
    fi
  fi
  [[ -z ${GANTRY_TEST_ENGINE:-} ]] || step "no container is left" no_container_left
  summary
}

run_tests "$@"
