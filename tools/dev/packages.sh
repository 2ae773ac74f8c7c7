# shellcheck shell=bash
# Installs what packages.txt lists for a group, and only what is missing.

packages_file=tools/dev/packages.txt
packages_log=build/packages.log
policy_file=/usr/sbin/policy-rc.d

# ensure_packages GROUP…
ensure_packages() {
  local -A installed=()
  local package group command reason missing=() reasons=()
  # A here-string, because a bare chroot has no /dev/fd for process substitution.
  while read -r package; do
    [[ -z $package ]] || installed[$package]=1
  done <<<"$(installed_packages)"
  while read -r group package command reason; do
    [[ -n $group && $group != \#* && " $* " == *" $group "* ]] || continue
    package_is_there "$package" "$command" && continue
    missing+=("$package")
    reasons+=("$(printf '    %-34s %s' "$package" "$reason")")
  done <"$packages_file"
  ((${#missing[@]} == 0)) && return

  say "installing ${#missing[@]} packages that are missing (log in $packages_log):"
  printf '%s\n' "${reasons[@]}" >&2
  install_packages "${missing[@]}"
}

# The names of all installed packages, one a line; none where there is no dpkg.
installed_packages() {
  have dpkg-query || return 0
  # shellcheck disable=SC2016  # the format is dpkg's, not the shell's
  dpkg-query -W -f='${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p'
}

# package_is_there ALTERNATIVES COMMAND: reads the caller's `installed`.
package_is_there() {
  local alternative
  [[ $2 != - ]] && have "$2" && return
  for alternative in ${1//|/ }; do
    [[ -n ${installed[$alternative]:-} ]] && return
  done
  return 1
}

install_packages() {
  have apt-get || fail "cannot install packages: this system has no apt" \
    "install what is listed above by its own means, or use Debian 12 or Ubuntu 24.04"
  can_be_root || fail "cannot install packages: you are not root and there is no sudo" \
    "run ./dev as root once, or ask for the packages above"
  say_when_unchecked_system
  local names=() alternatives
  retry "apt-get update" apt_get update
  for alternatives in "$@"; do names+=("$(first_known "$alternatives")"); done
  (
    hold_services
    retry "apt-get install" apt_get install --yes --no-install-recommends "${names[@]}"
  ) || exit 1
  [[ " ${names[*]} " != *" docker-registry "* ]] || keep_registry_off
  hash -r
}

# apt's many lines are kept for when something goes wrong.
apt_get() {
  mkdir -p build
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 \
    -o Dpkg::Use-Pty=0 "$@" >>"$packages_log" 2>&1
}

# retry WHAT COMMAND…: three times, because mirrors stumble.
retry() {
  local what=$1 attempt
  shift
  for attempt in 1 2 3; do
    "$@" && return
    say "$what failed (attempt $attempt of 3)"
    ((attempt == 3)) || sleep $((attempt * 2))
  done
  tail -n 15 "$packages_log" >&2 || true
  fail "cannot install packages: $what failed three times" \
    "see $packages_log, check the network and /etc/apt, and run this again"
}

first_known() {
  local alternative
  for alternative in ${1//|/ }; do
    if LC_ALL=C apt-cache policy "$alternative" | grep -q '^  Candidate: [^(]'; then
      echo "$alternative"
      return
    fi
  done
  echo "${1%%|*}"
}

# A package's installation must start no service: not a registry that only a test wants, and not an
# engine that `./dev run` starts itself. Debian's own switch for that is policy-rc.d; it is there as
# long as the subshell that calls this.
hold_services() {
  [[ -e $policy_file ]] && return
  trap 'as_root rm -f "$policy_file"' EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy_file" >/dev/null
  as_root chmod 755 "$policy_file"
}

# The tests start a registry of their own; the package's service would listen after the next boot.
keep_registry_off() {
  [[ ! -d /run/systemd/system ]] || as_root systemctl disable --quiet docker-registry
}

say_when_unchecked_system() {
  local system version
  system=$(os_release ID)
  version=$(os_release VERSION_ID)
  [[ $(uname -m) == x86_64 ]] || say "this is checked on x86-64 only; going on with $(uname -m)"
  case $system in
    debian) ((${version%%.*} >= 12)) && return ;;
    ubuntu) ((${version%%.*} >= 24)) && return ;;
  esac
  say "this is checked on Debian 12 and Ubuntu 24.04 or newer; going on with $system $version"
}

os_release() {
  sed -n "s/^$1=\"\?\([^\"]*\)\"\?$/\1/p" /etc/os-release
}
