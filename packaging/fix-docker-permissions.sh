#!/bin/sh
# Whether Docker can be used here, and DOCKER_GID in ./.env for containers that use the socket.
#
# Interface and exit codes are those of script-executor-server's program of this name. Where there
# is a `gantry` this is a thin layer over `gantry doctor`, which explains and writes; without one it
# does the same small job by itself, with nothing but POSIX tools. The exit code never depends on
# that. It pulls nothing, changes no account, and never widens the socket's mode.
set -eu
export LC_ALL=C

usage="Usage: ${0##*/} --check | --fix [--gid N] | --help

  --check    say whether Docker can be used here, and why not
  --fix      write the id of the socket's group into ./.env, as DOCKER_GID
  --gid N    with --fix: this id (1 to 4294967294) instead of the one that is found
  --help     this text

The id is that of the socket's group, else of group 'docker', else what a container sees (only where
the image alpine:latest is here already), else 999. Of a rootless engine it is what its containers
see, and none where they do not have that group. The socket is the one of DOCKER_HOST, of the
context in use, or /var/run/docker.sock.

GANTRY_BIN names the gantry to explain with; set but empty: none. Else the one in PATH or beside
this script is taken.

Ends with 0 when all is well, DOCKER_GID is written, or no id is needed. Ends with 1 when Docker is
not installed, there is no socket, the daemon is down or refuses this user (--check alone), the file
can not be written, or the command line is not understood.

Examples:
  ${0##*/} --check
  ${0##*/} --fix
  ${0##*/} --fix --gid 998"

env_file=.env
usual_socket=/var/run/docker.sock
usual_gid=999
no_gid="containers of this rootless engine do not have the socket's group; root in them needs none"
gid_max=4294967294
probe_image=alpine:latest

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
fail() {
  warn "$@"
  exit 1
}
misused() {
  warn "$1"
  say "$usage" >&2
  exit 1
}

# field N FILE: of `ls -ln`, which unlike stat(1) is the same everywhere: 1 mode, 3 uid, 4 gid.
# shellcheck disable=SC2012  # the path is known, and stands behind the columns that are read
field() { ls -dnL -- "$2" 2>/dev/null | awk -v n="$1" '{ print $n; exit }'; }

is_gid() {
  case $1 in
    '' | 0* | *[!0-9]*) return 1 ;;
  esac
  [ "${#1}" -le "${#gid_max}" ] && [ "$1" -le "$gid_max" ]
}

# --- what is here --------------------------------------------------------------------------------

find_gantry() {
  if [ -n "${GANTRY_BIN+set}" ]; then
    gantry=$GANTRY_BIN
    [ -z "$gantry" ] || [ -x "$gantry" ] || fail "cannot run '$gantry': GANTRY_BIN names no program"
    return
  fi
  gantry=$(command -v gantry) || gantry=$(dirname -- "$0")/gantry
  # Another program may have the name.
  "$gantry" doctor --help >/dev/null 2>&1 || gantry=
}

# The doctor's report, where there is one; its state is not this script's.
explain() {
  [ -z "$gantry" ] || "$gantry" doctor || true
}

find_socket() {
  endpoint=${DOCKER_HOST:-}
  [ -n "$endpoint" ] ||
    endpoint=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null) || true
  case $endpoint in
    unix://?*) socket=${endpoint#unix://} ;;
    *) socket=$usual_socket ;;
  esac
}

# limited COMMAND…: a daemon that hangs must not make this hang.
limited() {
  if command -v timeout >/dev/null 2>&1; then timeout 20 "$@"; else "$@"; fi
}

# Sets `refused` where the daemon is up and does not let this user in.
examine() {
  refused=
  command -v docker >/dev/null 2>&1 ||
    fail "Docker is not installed: there is no 'docker' in PATH" \
      "(Debian, Ubuntu: sudo apt install docker.io)"
  find_socket
  if [ ! -S "$socket" ]; then
    explain
    fail "there is no socket at '$socket': the daemon does not run, or listens elsewhere"
  fi
  said=$(limited docker info 2>&1) && return
  case $said in
    *'permission denied'*) refused=yes ;;
    *)
      explain
      fail "the Docker daemon does not answer at '$socket' (sudo systemctl start docker)"
      ;;
  esac
}

# What a container sees: the engine's own machine may be another one, as in Docker Desktop. The
# image is not pulled, and `--mount` unlike `-v` makes no folder where the socket is not.
gid_in_container() {
  if ! docker image inspect "$probe_image" >/dev/null 2>&1; then
    warn "not asked a container: the image '$probe_image' is not here, and nothing is pulled"
    return 1
  fi
  docker run --rm --pull never --network none --entrypoint stat \
    --mount "type=bind,source=$socket,target=/docker.sock" \
    "$probe_image" -c %g /docker.sock 2>/dev/null
}

# What the engine answered counts; where it does not let this user in, whose socket it is.
rootless() {
  if [ -n "$refused" ]; then [ "$(field 3 "$socket")" != 0 ] && return; fi
  printf '%s\n' "$said" | grep -Eq '^[[:blank:]]*rootless(: true)?[[:blank:]]*$'
}

# inner_gid GID: as containers of a rootless engine see it. Its owner's own group is 0 in there; the
# ids that the owner was given (subgid(5)) follow from 1 on. Nothing where it is none of those.
inner_gid() {
  owner=$(field 3 "$socket")
  awk -F : -v gid="$1" -v uid="$owner" -v name="$(id -nu -- "$owner" 2>/dev/null)" '
    $1 != uid && $1 != name { next }
    gid >= $2 + 0 && gid < $2 + $3 { print gid - $2 + 1 + before; exit }
    { before += $3 }' /etc/subgid 2>/dev/null
}

# Sets `gid`, or nothing where no id would help.
find_gid() {
  gid=$(field 4 "$socket") source="the group of '$socket'"
  if rootless; then
    gid=$(inner_gid "$gid") || gid=
    source="$source, as containers of this rootless engine see it"
    return
  fi
  is_gid "$gid" && return
  gid=$(getent group docker 2>/dev/null | cut -d : -f 3) source="group 'docker'"
  is_gid "$gid" && return
  gid=$(gid_in_container) || true
  source="what a container sees"
  is_gid "$gid" && return
  gid=$usual_gid source="nothing better: the usual id"
}

# --- .env ----------------------------------------------------------------------------------------

# The lines of such a file for awk(1), in `line`. A value in quotes may go on over several lines, in
# which nothing is a variable. Quotes that nobody closes are none.
# shellcheck disable=SC2016  # `line` and `quote` are of the comments in there
env_lines='
  # Where `quote` is in a text, or 0. A backslash takes the meaning of what follows.
  function closed(text, quote,   at, char) {
    for (at = 1; at <= length(text); at++) {
      char = substr(text, at, 1)
      if (char == "\\") at++
      else if (char == quote) return at
    }
    return 0
  }
  # The last line of what begins in line `first`.
  function last_of(first,   text, quote, n) {
    text = line[first]
    if (!match(text, /^[ \t]*[^#=: \t][^=:]*[=:][ \t]*/)) return first
    quote = substr(text, RLENGTH + 1, 1)
    if (quote != "\"" && quote != "\047") return first
    text = substr(text, RLENGTH + 2)
    for (n = first; n <= NR; text = line[++n]) if (closed(text, quote)) return n
    return first
  }
  function sets_gid(text) { return text ~ /^[ \t]*(export[ \t]+)?DOCKER_GID[ \t]*=/ }
  { line[NR] = $0 }'

# Standard input with DOCKER_GID set to `gid` wherever it stands, else at the end. Everything else
# stays as it is. `final`: whether the last line has its end.
with_gid() {
  awk -v gid="$gid" -v final="$1" "$env_lines"'
    # What stands behind the value, which may be in quotes; without, a comment ends it.
    function behind(text,   quote, at) {
      quote = substr(text, 1, 1)
      if (quote == "\"" || quote == "\047") {
        at = closed(substr(text, 2), quote)
        if (at) return substr(text, at + 2)
      }
      if (match(text, /[ \t]+#/) || match(text, /[ \t]+$/)) return substr(text, RSTART)
      return ""
    }
    function changed(text,   head, tail, blanks) {
      match(text, /^[^=]*=/)
      head = substr(text, 1, RLENGTH)
      tail = substr(text, RLENGTH + 1)
      match(tail, /^[ \t]*/)
      blanks = substr(tail, 1, RLENGTH)
      tail = substr(tail, RLENGTH + 1)
      if (blanks != "" && tail ~ /^#/) return head gid blanks tail
      return head blanks gid behind(tail)
    }
    END {
      for (first = 1; first <= NR; first = last + 1) {
        last = last_of(first)
        text = line[first]
        for (n = first + 1; n <= last; n++) text = text "\n" line[n]
        before = carriage
        carriage = sub(/\r$/, "", text) ? "\r" : ""
        if (sets_gid(text)) {
          text = changed(text)
          found = 1
        }
        printf "%s%s%s", (first > 1 ? "\n" : ""), text, carriage
      }
      end = (final ? carriage : before) "\n"
      if (NR && final) printf "\n"
      if (found) exit
      if (NR && !final) printf "%s", end
      printf "DOCKER_GID=%s%s", gid, end
    }'
}

# gid_in FILE: what its last line about it says, as Compose takes it.
gid_in() {
  awk "$env_lines"'
    END {
      for (first = 1; first <= NR; first = last_of(first) + 1) {
        if (sets_gid(line[first])) text = line[first]
      }
      sub(/^[^=]*=[ \t]*["\047]?/, "", text)
      sub(/[^0-9].*/, "", text)
      print text
    }' "$1" 2>/dev/null
}

# Beside the file, so that the rename is one step; with the owner and mode of the one before.
write_by_hand() {
  target=$(readlink -f -- "$env_file" 2>/dev/null) || target=$env_file
  fresh=$(mktemp "$target.XXXXXX" 2>/dev/null) ||
    fail "cannot write '$target': its folder is closed"
  trap 'rm -f -- "$fresh"' EXIT
  trap 'exit 1' HUP INT TERM
  if [ -e "$target" ]; then
    cp -p -- "$target" "$fresh"
    for column in 1 3 4; do
      [ "$(field "$column" "$target")" = "$(field "$column" "$fresh")" ] ||
        fail "cannot write '$target': its owner and mode could not be kept (run it as the owner)"
    done
    final=1
    [ -z "$(tail -c 1 -- "$target")" ] || final=
    with_gid "$final" <"$target" >"$fresh"
  else
    chmod "$(printf '%o' $((0666 & ~$(umask))))" "$fresh"
    with_gid 1 </dev/null >"$fresh"
  fi
  mv -f -- "$fresh" "$target"
  trap - EXIT HUP INT TERM
}

# As root nothing is in the way, so that DOCKER_GID is all that the doctor finds to change: who is
# put into the group, and so made as good as root, is for somebody to say. What it says is shown
# where it did not write.
write_by_doctor() {
  told=$("$gantry" doctor --fix --yes --user root --gid "$gid" --env-file "$env_file" 2>&1) || true
}

write_gid() {
  if [ -e "$env_file" ]; then
    [ -f "$env_file" ] || fail "cannot write '$env_file': it is no file"
    if [ "$(gid_in "$env_file")" = "$gid" ]; then return; fi
    # A rename would get around the mode, which somebody has set on purpose, root or not.
    case $(field 1 "$env_file") in
      *w*) [ -w "$env_file" ] || fail "cannot write '$env_file': it is not yours to write" ;;
      *) fail "cannot write '$env_file': it is read-only (chmod u+w $env_file)" ;;
    esac
  elif [ ! -h "$env_file" ] && [ -f .env.example ]; then
    cp -- .env.example "$env_file" || fail "cannot write '$env_file': its folder is closed"
    say "made $env_file from .env.example"
  fi
  if [ -n "$gantry" ]; then write_by_doctor; else write_by_hand; fi
  [ "$(gid_in "$env_file")" = "$gid" ] && return
  [ -z "${told:-}" ] || say "$told" >&2
  fail "cannot write '$env_file': DOCKER_GID is not in it"
}

# --- what is asked for ---------------------------------------------------------------------------

check() {
  examine
  explain
  say "socket: $(ls -lL -- "$socket")"
  find_gid
  if [ -n "$gid" ]; then say "id for containers: $gid, by $source"; else say "$no_gid"; fi
  if [ -n "$refused" ]; then
    fail "user '$user' may not use '$socket': sudo usermod -aG docker $user, then log in again"
  fi
  say "user '$user' may use Docker"
}

compose_command() {
  if docker compose version >/dev/null 2>&1; then
    say "docker compose"
  elif command -v docker-compose >/dev/null 2>&1; then
    say "docker-compose"
  else
    say "docker compose"
  fi
}

compose_names_it() {
  for file in compose.yaml compose.yml docker-compose.yaml docker-compose.yml; do
    if [ -f "$file" ] && grep -q DOCKER_GID "$file"; then return 0; fi
  done
  return 1
}

fix() {
  examine
  if [ -n "$wish" ]; then
    gid=$wish source="--gid"
  else
    find_gid
  fi
  if [ -z "$gid" ]; then
    warn "DOCKER_GID is not written: $no_gid"
    return
  fi
  write_gid
  say "DOCKER_GID=$gid is in $env_file, by $source"
  if ! compose_names_it; then
    say "A service of a Compose file that uses the socket needs:"
    say "    volumes: [\"$socket:$usual_socket\"]"
    say "    group_add: [\"\${DOCKER_GID:-$gid}\"]"
    say "A Dockerfile needs it only where its account has to be in the group by name:"
    say "    ARG DOCKER_GID=$gid"
    say "    RUN getent group \"\$DOCKER_GID\" || groupadd --gid \"\$DOCKER_GID\" docker; \\"
    say "        usermod -aG \"\$DOCKER_GID\" appuser"
  fi
  say "Make the containers anew: $(compose_command) up -d --build"
  if [ -n "$refused" ]; then
    warn "user '$user' of this machine still may not use '$socket':" \
      "sudo usermod -aG docker $user, then log in again"
  fi
}

action='' wish='' wished=''
while [ $# -gt 0 ]; do
  case $1 in
    --check) action=check ;;
    --fix) action=${action:-fix} ;;
    --gid)
      [ $# -gt 1 ] || misused "--gid needs an id"
      wish=$2 wished=yes
      shift
      ;;
    --help)
      say "$usage"
      exit 0
      ;;
    *) misused "unknown option '$1'" ;;
  esac
  shift
done
if [ -n "$wished" ] && ! is_gid "$wish"; then
  fail "'$wish' is no group id: a number from 1 to $gid_max"
fi

[ -n "$action" ] || misused "nothing to do: say --check or --fix"
user=$(id -un)
find_gantry
"$action"
