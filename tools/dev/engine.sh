# shellcheck shell=bash
# Finds a container engine, starts the distribution's, or starts a private one for the tests.

# engine_state ENDPOINT: connected, missing, denied, stopped or foreign.
engine_state() {
  local endpoint=$1 answer ask=(curl --silent --include --noproxy '*' --max-time 5)
  case $endpoint in
    unix://*)
      local socket=${endpoint#unix://}
      [[ -S $socket ]] || { echo missing && return; }
      [[ -w $socket ]] || { echo denied && return; }
      ask+=(--unix-socket "$socket" http://engine/_ping)
      ;;
    tcp://*) ask+=("http://${endpoint#tcp://}/_ping") ;;
    *) echo foreign && return ;;
  esac
  answer=$("${ask[@]}") || { echo stopped && return; }
  if grep -qi '^api-version:' <<<"$answer"; then echo connected; else echo foreign; fi
}

engine_answers() {
  [[ $(engine_state "$1") == connected ]]
}

# Where an engine may be, most wanted first. One that somebody named is the only one looked at.
engine_candidates() {
  if [[ -n ${GANTRY_ENGINE:-${DOCKER_HOST:-}} ]]; then
    echo "${GANTRY_ENGINE:-$DOCKER_HOST}"
    return
  fi
  echo unix:///var/run/docker.sock
  echo "unix://${XDG_RUNTIME_DIR:-/run/user/$EUID}/docker.sock"
}

# Sets engine_endpoint to the first engine that answers. When none does: engine_problem to the
# state of the first that is there at all, engine_at to its endpoint, and false.
find_engine() {
  local endpoint state
  engine_endpoint='' engine_problem=missing engine_at=''
  while read -r endpoint; do
    state=$(engine_state "$endpoint")
    if [[ $state == connected ]]; then
      engine_endpoint=$endpoint
      return
    fi
    [[ -n $engine_at && ($engine_problem != missing || $state == missing) ]] && continue
    engine_problem=$state engine_at=$endpoint
  done <<<"$(engine_candidates)"
  return 1
}

# Starts the distribution's engine for good: it goes on when ./dev ends.
start_engine() {
  local endpoint=unix:///var/run/docker.sock
  if [[ -d /run/systemd/system ]]; then
    say "starting the engine with systemctl"
    as_root systemctl start docker ||
      fail "cannot start the engine: systemctl failed" "see 'journalctl -u docker'"
  else
    start_engine_without_systemd "$endpoint"
  fi
  wait_until 60 engine_is_up "$endpoint" ||
    fail "cannot start the engine: nothing answered on $endpoint for 60 s" \
      "see 'journalctl -u docker' or $engine_log"
}

# Up counts also when this user may not talk to it yet.
engine_is_up() {
  local state
  state=$(engine_state "$1")
  [[ $state == connected || $state == denied ]]
}

engine_log=/var/log/gantry-dockerd.log

start_engine_without_systemd() {
  local endpoint=$1
  say "there is no systemd here: starting dockerd as a process of its own, log in $engine_log"
  mount_cgroups
  launch_dockerd "$engine_log"
  wait_until 60 dockerd_settled "$endpoint" && engine_is_up "$endpoint" && return
  # Containers and small virtual machines often may not change the firewall. Sandboxes have no
  # network anyway.
  say "dockerd ended ($(last_line "$engine_log")); starting it once more without a bridge network"
  launch_dockerd "$engine_log" --bridge=none --iptables=false --ip6tables=false
  wait_until 60 dockerd_settled "$endpoint" && engine_is_up "$endpoint" && return
  fail "cannot start the engine: $(last_line "$engine_log")" "see $engine_log"
}

enter_private_network=()

# launch_dockerd LOG [FLAGS…]: away from our terminal and process group, so that Ctrl-C spares it.
# Sets dockerd_pid.
launch_dockerd() {
  local log=$1
  shift
  # shellcheck disable=SC2016  # expanded by the inner shell, which runs as root
  dockerd_pid=$(as_root "${enter_private_network[@]}" sh -c \
    'log=$1; shift; setsid nohup dockerd "$@" >>"$log" 2>&1 </dev/null & echo $!' sh "$log" "$@")
}

# dockerd_settled ENDPOINT: true when the dockerd just launched answers or has given up.
dockerd_settled() {
  engine_is_up "$1" || process_ended "$dockerd_pid"
}

last_line() {
  as_root tail -n 1 "$1" | cut -c1-300
}

# Where no init has mounted the control groups the engine can limit nothing: mount what the kernel
# uses, the unified hierarchy or the older one per controller.
mount_cgroups() {
  grep -q ' cgroup2\? ' /proc/mounts && return
  say "mounting the control groups on /sys/fs/cgroup"
  if awk '$1 == "memory" { exit $2 == 0 }' /proc/cgroups; then
    as_root mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
    local controller
    awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups | while read -r controller; do
      as_root mkdir "/sys/fs/cgroup/$controller"
      as_root mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller" ||
        as_root rmdir "/sys/fs/cgroup/$controller"
    done
  else
    as_root mount -t cgroup2 cgroup2 /sys/fs/cgroup
  fi
}

# Sets private_network to a network namespace and enter_private_network to the words that lead into
# it: in there the private engine makes bridges and firewall rules as every engine does, and meets
# nobody else's. Only for root: who is not could not enter it.
make_private_network() {
  private_network=gantry-$RANDOM
  enter_private_network=(nsenter "--net=/run/netns/$private_network")
  am_root && ip netns add "$private_network" 2>/dev/null &&
    "${enter_private_network[@]}" ip link set lo up && return
  private_network=
  enter_private_network=()
}

# Sets private_bridge to a network of our own, so that the private engine leaves another engine's
# alone: dockerd would use its docker0, and told to have none it removes docker0. The addresses are
# those that RFC 2544 keeps for tests.
make_private_bridge() {
  private_bridge=gantry$((RANDOM % 10000))
  local network=198.18.$((RANDOM % 256))
  as_root ip link add "$private_bridge" type bridge 2>/dev/null &&
    as_root ip address add "$network.1/24" dev "$private_bridge" &&
    as_root ip link set "$private_bridge" up && return
  # Who may not make a bridge may not remove one either.
  private_bridge=none
}

# A private engine with everything in one folder, for the tests. Sets engine_endpoint; false and
# engine_failure when it does not come up.
# It does not disturb another engine of this machine: it has its own network, or else its own bridge
# and no firewall rules.
start_private_engine() {
  local network=()
  private_engine=$(mktemp -d "${TMPDIR:-/var/tmp}/gantry-engine.XXXXXX")
  engine_endpoint=unix://$private_engine/docker.sock
  say "starting a private engine in $private_engine"
  mount_cgroups
  make_private_network
  if [[ -z $private_network ]]; then
    make_private_bridge
    network=(--bridge="$private_bridge" --iptables=false --ip6tables=false)
  fi
  launch_dockerd "$private_engine/log" "${network[@]}" \
    --data-root "$private_engine/data" --exec-root "$private_engine/exec" \
    --pidfile "$private_engine/pid" --host "$engine_endpoint" --group "$(id -g)" \
    --containerd-namespace "${private_engine##*/}" \
    --containerd-plugins-namespace "plugins.${private_engine##*/}"
  wait_until 60 dockerd_settled "$engine_endpoint" && engine_answers "$engine_endpoint" && return
  engine_failure="dockerd did not start: $(last_line "$private_engine/log")"
  stop_private_engine
  return 1
}

# Ends the engine that start_private_engine started, and no other, and removes its folder.
stop_private_engine() {
  [[ -n ${private_engine:-} ]] || return 0
  local folder=$private_engine pid_file mount
  private_engine=
  say "stopping the private engine"
  for pid_file in "$folder/pid" "$folder/exec/containerd/containerd.pid"; do
    stop_process_of "$pid_file" "$folder"
  done
  awk -v folder="$folder/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r |
    while read -r mount; do as_root umount --lazy "$mount"; done
  [[ ${private_bridge:-none} == none ]] || as_root ip link delete "$private_bridge" || true
  [[ -z ${private_network:-} ]] || ip netns delete "$private_network" || true
  private_network=
  enter_private_network=()
  as_root rm -rf --one-file-system "$folder"
}

# stop_process_of PIDFILE FOLDER: asks, waits up to 20 s, insists. Only a process whose arguments
# name the folder is ours; the number may have been given to another since.
stop_process_of() {
  local pid
  pid=$(as_root cat "$1" 2>/dev/null) || return 0
  as_root grep -qF "$2" "/proc/$pid/cmdline" 2>/dev/null || return 0
  as_root kill -TERM "$pid" 2>/dev/null || return 0
  wait_until 20 process_ended "$pid" || as_root kill -KILL "$pid" 2>/dev/null || true
}

process_ended() {
  [[ ! -d /proc/$1 ]] || [[ $(awk '/^State:/ { print $2 }' "/proc/$1/status" 2>/dev/null) == Z ]]
}

# engine_get PATH: the answer of the engine at engine_endpoint.
engine_get() {
  local ask=(curl --silent --show-error --fail --noproxy '*' --max-time 30 --globoff)
  case $engine_endpoint in
    unix://*) "${ask[@]}" --unix-socket "${engine_endpoint#unix://}" "http://engine$1" ;;
    tcp://*) "${ask[@]}" "http://${engine_endpoint#tcp://}$1" ;;
  esac
}

# The ids of all containers with label $1, running or not, one a line.
containers_with_label() {
  local filter="%7B%22label%22%3A%5B%22$1%22%5D%7D"
  engine_get "/containers/json?all=1&filters=$filter" |
    grep -o '"Id":"[0-9a-f]*"' | cut -d'"' -f4 || true
}
