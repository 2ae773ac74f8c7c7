# shellcheck shell=bash
# What every verb uses: messages, root rights, a usable environment.

# A chroot or a service may start us with nearly nothing in the environment.
export PATH="${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
if [[ -z ${HOME:-} ]]; then
  HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
  export HOME
fi

say() {
  printf '==> %s\n' "$*" >&2
}

# fail CAUSE [REMEDY]: ends the run in the house grammar.
fail() {
  printf 'dev: %s\n' "$1${2:+; $2}" >&2
  exit 1
}

have() {
  command -v "$1" >/dev/null 2>&1
}

am_root() {
  ((EUID == 0))
}

can_be_root() {
  am_root || have sudo
}

# Runs a command as root. Callers say before what they want it for.
as_root() {
  if am_root; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    fail "cannot run '$1' as root: you are not root and there is no sudo" \
      "run ./dev as root once, or install sudo"
  fi
}

# wait_until SECONDS COMMAND…: asks ten times a second, gives up after SECONDS.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# Jobs for the compiler: one per core, and one per 1.5 GiB of memory, because the files that
# include Beast take a gigabyte each.
parallel_jobs() {
  local cores memory_kib by_memory
  cores=$(nproc)
  memory_kib=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
  by_memory=$((memory_kib / 1572864))
  ((by_memory >= 1)) || by_memory=1
  echo $((by_memory < cores ? by_memory : cores))
}
