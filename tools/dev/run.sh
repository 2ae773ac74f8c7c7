# shellcheck shell=bash
# ./dev run: from a clone to a server that can run programs. Sourced by ./dev with its arguments.

# How the server is started: empty, or through sudo with the group that may use the engine.
launcher=()

run_server() {
  local with_engine=1 flags=() flag
  for flag in "$@"; do
    if [[ $flag == --no-engine ]]; then with_engine=; else flags+=("$flag"); fi
  done
  if [[ -n $with_engine ]]; then
    ensure_packages build images
  else
    ensure_packages build
  fi
  build release gantry
  if [[ -n $with_engine ]]; then
    take_engine_from_flags "${flags[@]}"
    ensure_engine
    ensure_images
  fi
  exec "${launcher[@]}" "$root/build/release/bin/gantry" serve "${flags[@]}"
}

# 'gantry serve --engine X' names the engine for us too.
take_engine_from_flags() {
  while (($#)); do
    case $1 in
      --engine) [[ -n ${2:-} ]] && export GANTRY_ENGINE=$2 ;;
      --engine=*) export GANTRY_ENGINE=${1#--engine=} ;;
    esac
    shift
  done
}

ensure_engine() {
  if ! find_engine && [[ $engine_problem != denied ]]; then
    [[ -z ${GANTRY_ENGINE:-${DOCKER_HOST:-}} ]] || refuse_named_engine
    say "no container engine answers on this machine"
    ensure_packages engine
    start_engine
    find_engine || [[ $engine_problem == denied ]] || refuse_named_engine
  fi
  if [[ -n $engine_endpoint ]]; then
    say "using the engine at $engine_endpoint"
    use_endpoint "$engine_endpoint"
  else
    borrow_engine_group
  fi
}

# The server finds the usual socket by itself; any other it is told.
use_endpoint() {
  [[ $1 == unix:///var/run/docker.sock ]] || export GANTRY_ENGINE=$1
}

refuse_named_engine() {
  local why
  case $engine_problem in
    missing) why="there is no such socket" ;;
    stopped) why="nothing answers there" ;;
    *) why="what answers there is not an engine" ;;
  esac
  fail "cannot use the engine at '$engine_at': $why" \
    "start it, unset GANTRY_ENGINE and DOCKER_HOST, or use './dev run --no-engine'"
}

# The engine runs but its socket belongs to a group this user is not in. For this one run sudo can
# give the server that group; nothing is changed for good.
borrow_engine_group() {
  local socket=${engine_at#unix://} group remedy
  group=$(stat -c %G "$socket")
  remedy="run 'sudo usermod -aG $group $(id -un)', log in again, and run './dev run' again"
  have sudo || fail "cannot use '$socket': user '$(id -un)' is not in group '$group'" "$remedy"
  launcher=(sudo --group="$group" --)
  "${launcher[@]}" true 2>/dev/null ||
    fail "cannot use '$socket': user '$(id -un)' is not in group '$group'" "$remedy"
  say "user '$(id -un)' is not in group '$group': starting the server with that group through sudo"
  say "to make it lasting: sudo usermod -aG $group $(id -un), then log in again"
  local name kept=(PATH="$PATH" HOME="$HOME")
  for name in "${!GANTRY_@}" "${!XDG_@}"; do kept+=("$name=${!name}"); done
  launcher+=(env "${kept[@]}")
}

ensure_images() {
  say "looking for the images that programs run in"
  "${launcher[@]}" "$root/build/release/bin/gantry" images ensure ||
    say "not every image is there; the console shows which languages can run"
}

run_server "$@"
