#!/usr/bin/env bats
# packaging/fix-docker-permissions.sh: what it answers and what it leaves of `.env`, by itself and
# on top of `gantry doctor`. Docker is played by a program that answers what $PLAYS says; the
# sockets are real.

load helpers

setup() {
  root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  script=$root/packaging/fix-docker-permissions.sh
  program=$root/build/dev/bin/gantry
  cd "$BATS_TEST_TMPDIR" || return
  # Nothing but what the script may need: neither the machine's docker nor its gantry.
  mkdir bin work
  local tools="sh awk cat chmod cp cut dirname getent grep id ls mktemp mv readlink rm tail timeout"
  for tool in $tools; do
    ln -s "$(command -v "$tool")" "bin/$tool"
  done
  stand_in docker <<'DOCKER'
echo "$*" >>"$LOG"
case "$PLAYS $*" in
  "down info") echo "Cannot connect to the Docker daemon at $DOCKER_HOST." >&2; exit 1 ;;
  "denied info") echo "permission denied while trying to connect to it" >&2; exit 1 ;;
  "rootless info") printf ' Security Options:\n  seccomp\n   Profile: default\n  rootless\n' ;;
  *" info") echo "Server Version: 24.0.7" ;;
  "container image inspect "*) ;;
  "container run "*) echo 4713 ;;
  *" --version") echo "Docker version 24.0.7, build afdd53b" ;;
  *) exit 1 ;;
esac
DOCKER
  export LOG=$PWD/log PLAYS=up DOCKER_HOST=unix://$PWD/docker.sock GANTRY_BIN=
  socket "$PWD/docker.sock"
  cd work || return
}

# stand_in NAME: a program of standard input in the only folder of PATH.
stand_in() {
  rm -f "$BATS_TEST_TMPDIR/bin/$1"
  { echo '#!/bin/sh' && cat; } >"$BATS_TEST_TMPDIR/bin/$1"
  chmod +x "$BATS_TEST_TMPDIR/bin/$1"
}

# socket PATH: of the group 4711 where this user may say so, else of this user's own group.
socket() {
  python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$1"
  chgrp 4711 "$1" 2>/dev/null || true
  gid=$(stat -c %g "$1")
}

# fix WORDS…: runs the script, with what it says in $output.
fix() {
  PATH=$BATS_TEST_TMPDIR/bin run "$script" "$@"
  echo "$output"
}

# answers STATUS TEXT
answers() {
  [ "$status" -eq "$1" ]
  [[ $output == *"$2"* ]]
}

needs_root() {
  [ "$(id -u)" -eq 0 ] || skip "only root gives files away"
}

# turns BEFORE AFTER: `.env`, as printf(1) writes it, with --fix --gid 998, both by the script
# itself and by gantry. No other file is left.
turns() {
  for GANTRY_BIN in '' "$program"; do
    [[ -z $GANTRY_BIN || -x $GANTRY_BIN ]] || skip "there is no $program"
    export GANTRY_BIN
    # shellcheck disable=SC2059
    printf "$1" >.env
    fix --fix --gid 998
    [ "$status" -eq 0 ]
    # shellcheck disable=SC2059
    printf "$2" | diff -u - .env
    [ "$(ls -A)" = .env ]
  done
}

# refused_both_ways TEXT: --fix ends with 1, says so, and leaves the file as it is.
refused_both_ways() {
  before=$(cat .env 2>/dev/null || true)
  for GANTRY_BIN in '' "$program"; do
    export GANTRY_BIN
    fix --fix --gid 998
    answers 1 "$1"
    [ "$(cat .env 2>/dev/null || true)" = "$before" ]
  done
}

@test "help ends with 0 and names every option" {
  fix --help
  answers 0 "--check"
  answers 0 "--fix"
  answers 0 "--gid N"
}

@test "no option ends with 1 and says how it is used" {
  fix
  answers 1 "Usage:"
}

@test "an unknown option ends with 1" {
  fix --frobnicate
  answers 1 "unknown option '--frobnicate'"
}

@test "an id alone says nothing of what to do: 1, and no file" {
  fix --gid 998
  answers 1 "say --check or --fix"
  [ ! -e .env ]
}

@test "an id that is none ends with 1 before anything is changed" {
  echo A=1 >.env
  for id in 0 -1 abc 4294967295 4294967296 99999999999999999999 0998 '9 9' 1e3 '' $'998\nA=2'; do
    fix --fix --gid "$id"
    answers 1 "is no group id"
  done
  fix --fix --gid
  answers 1 "--gid needs an id"
  [ "$(cat .env)" = A=1 ]
}

@test "a check of a machine that is well ends with 0" {
  fix --check
  answers 0 "id for containers: $gid, by the group of '$BATS_TEST_TMPDIR/docker.sock'"
  [ ! -e .env ]
}

@test "a check without docker ends with 1" {
  rm ../bin/docker
  fix --check
  answers 1 "Docker is not installed"
}

@test "a check while the daemon is down ends with 1" {
  PLAYS=down fix --check
  answers 1 "the Docker daemon does not answer"
}

@test "a check without a socket ends with 1" {
  rm ../docker.sock
  fix --check
  answers 1 "there is no socket at '$BATS_TEST_TMPDIR/docker.sock'"
}

@test "a file that is no socket is none" {
  rm ../docker.sock && touch ../docker.sock
  fix --check
  answers 1 "there is no socket"
}

@test "a check by a user who is refused ends with 1 and does not blame the daemon" {
  PLAYS=denied fix --check
  answers 1 "usermod -aG docker"
  [[ $output != *"does not answer"* ]]
}

@test "the socket of the context in use is looked at" {
  stand_in docker <<DOCKER
case "\$*" in
  "context inspect"*) echo unix://$BATS_TEST_TMPDIR/other.sock ;;
esac
DOCKER
  socket "$BATS_TEST_TMPDIR/other.sock"
  DOCKER_HOST='' fix --check
  answers 0 "other.sock"
}

@test "check and fix together change nothing" {
  fix --fix --check
  [ "$status" -eq 0 ]
  [ ! -e .env ]
}

@test "fix writes the id of the socket's group" {
  fix --fix
  answers 0 "DOCKER_GID=$gid is in .env"
  [ "$(cat .env)" = "DOCKER_GID=$gid" ]
}

@test "fix for a user who is refused writes the id, and says what is still to do" {
  PLAYS=denied fix --fix
  answers 0 "usermod -aG docker"
  [ "$(cat .env)" = "DOCKER_GID=$gid" ]
}

@test "fix changes nothing without docker, a daemon or a socket" {
  PLAYS=down fix --fix --gid 998
  answers 1 "does not answer"
  rm ../docker.sock
  fix --fix --gid 998
  answers 1 "there is no socket"
  rm ../bin/docker
  fix --fix --gid 998
  answers 1 "Docker is not installed"
  [ ! -e .env ]
}

# with_subgids OWNER:GROUP: --fix for a socket of theirs, among these subordinate ids.
with_subgids() {
  needs_root
  unshare --mount true || skip "no mount namespace can be made here"
  printf '%s\n' other:100000:65536 4242:200000:10 4242:300000:65536 >../subgid
  chown "$1" ../docker.sock
  # shellcheck disable=SC2016
  run unshare --mount sh -c 'mount --bind ../subgid /etc/subgid && PATH=$1 exec "$2" --fix' sh \
    "$BATS_TEST_TMPDIR/bin" "$script"
  echo "$output"
}

@test "the id of a rootless engine's socket is the one that its containers see" {
  PLAYS=rootless with_subgids 4242:300984
  answers 0 "DOCKER_GID=995 is in .env"
}

@test "an engine that has root has no ids of its own" {
  with_subgids 4242:300984
  answers 0 "DOCKER_GID=300984 is in .env"
}

@test "an id that a rootless engine's containers do not have is not written" {
  export PLAYS=rootless
  echo A=1 >.env
  with_subgids 4242:4242
  answers 0 "DOCKER_GID is not written"
  [ "$(cat .env)" = A=1 ]
  fix --check
  answers 0 "do not have the socket's group"
  fix --fix --gid 998
  answers 0 "DOCKER_GID=998 is in .env"
}

@test "whose socket it is counts where the engine lets nobody ask" {
  needs_root
  chown 4242:4242 ../docker.sock
  PLAYS=denied fix --fix
  answers 0 "DOCKER_GID is not written"
  [ ! -e .env ]
}

@test "where the socket is root's, the group 'docker' counts" {
  needs_root
  chgrp 0 ../docker.sock
  stand_in getent <<<'[ "$*" = "group docker" ] && echo docker:x:4712:ann'
  fix --fix
  answers 0 "DOCKER_GID=4712 is in .env, by group 'docker'"
}

@test "where there is no such group, a container is asked, if its image is here" {
  needs_root
  chgrp 0 ../docker.sock
  stand_in getent <<<'exit 2'
  PLAYS=container fix --fix
  answers 0 "DOCKER_GID=4713 is in .env, by what a container sees"
  grep -q -- '--pull never' "$LOG"
}

@test "where its image is not here, nothing is pulled and 999 is taken" {
  needs_root
  chgrp 0 ../docker.sock
  stand_in getent <<<'exit 2'
  fix --fix
  answers 0 "nothing is pulled"
  answers 0 "DOCKER_GID=999 is in .env"
  [[ $(cat "$LOG") != *run* && $(cat "$LOG") != *pull* ]]
}

@test "a missing .env is made from .env.example, else empty" {
  printf 'PORT=8080\nDOCKER_GID=999 # of the machine\n' >.env.example
  fix --fix --gid 998
  [ "$status" -eq 0 ]
  [ "$(cat .env)" = $'PORT=8080\nDOCKER_GID=998 # of the machine' ]
  [ "$(cat .env.example)" = $'PORT=8080\nDOCKER_GID=999 # of the machine' ]
}

@test "an empty file gets one line" { turns '' 'DOCKER_GID=998\n'; }

@test "the variable is added at the end" { turns 'A=1\n\nB=2\n' 'A=1\n\nB=2\nDOCKER_GID=998\n'; }

@test "the variable is changed in place" {
  turns 'A=1\nDOCKER_GID=999\nB=2\n' 'A=1\nDOCKER_GID=998\nB=2\n'
}

@test "it may be right already" { turns 'DOCKER_GID=998\nB=2\n' 'DOCKER_GID=998\nB=2\n'; }

@test "comments stay, and are not the variable" {
  turns '# DOCKER_GID=1\nDOCKER_GID=999 # of nas\t\n#end\n' \
    '# DOCKER_GID=1\nDOCKER_GID=998 # of nas\t\n#end\n'
}

@test "quotes around the value go, others stay" {
  turns 'A="x=1 # y"\nDOCKER_GID="999" # q\n' 'A="x=1 # y"\nDOCKER_GID=998 # q\n'
  turns "A='#'\nDOCKER_GID='9'\n" "A='#'\nDOCKER_GID=998\n"
}

@test "carriage returns stay" {
  turns 'A=1\r\nDOCKER_GID=999\r\nB=2\r\n' 'A=1\r\nDOCKER_GID=998\r\nB=2\r\n'
}

@test "a new line ends as the others do" {
  turns 'A=1\r\n' 'A=1\r\nDOCKER_GID=998\r\n'
}

@test "a last line without an end keeps its text" {
  turns 'A=1\nB=2' 'A=1\nB=2\nDOCKER_GID=998\n'
  turns 'A=1\nDOCKER_GID=9' 'A=1\nDOCKER_GID=998'
  turns 'A=1\r\nB=2' 'A=1\r\nB=2\r\nDOCKER_GID=998\r\n'
}

@test "a comment may stand behind a tabulator, and have a number sign" {
  turns 'DOCKER_GID=997\t# group, see #12\n' 'DOCKER_GID=998\t# group, see #12\n'
}

@test "what a value of several lines holds is no variable" {
  turns 'X="a\nDOCKER_GID=5\nb"\n' 'X="a\nDOCKER_GID=5\nb"\nDOCKER_GID=998\n'
  turns "export X = 'a\nDOCKER_GID=5'\nDOCKER_GID=6\n" \
    "export X = 'a\nDOCKER_GID=5'\nDOCKER_GID=998\n"
}

@test "a quote that nobody closes, and one in a comment, are characters" {
  turns 'X="a\nDOCKER_GID=5\n' 'X="a\nDOCKER_GID=998\n'
  turns "# A='\nDOCKER_GID=5\n# it's\n" "# A='\nDOCKER_GID=998\n# it's\n"
}

@test "a file that says so already is left as it is" {
  turns 'DOCKER_GID="998"\nA=1' 'DOCKER_GID="998"\nA=1'
}

@test "export and blanks stay" {
  turns '  export  DOCKER_GID=999\n' '  export  DOCKER_GID=998\n'
  turns 'DOCKER_GID = 999\n' 'DOCKER_GID = 998\n'
}

@test "every line of several is changed" {
  turns 'DOCKER_GID=1\nA=1\nexport DOCKER_GID=2\n' 'DOCKER_GID=998\nA=1\nexport DOCKER_GID=998\n'
}

@test "other variables that look like it are left alone" {
  turns 'MY_DOCKER_GID=1\nDOCKER_GID_OLD=2\nX=DOCKER_GID=3\n' \
    'MY_DOCKER_GID=1\nDOCKER_GID_OLD=2\nX=DOCKER_GID=3\nDOCKER_GID=998\n'
}

@test "backslashes, percent signs and bytes that are no UTF-8 stay" {
  turns 'A=\\n%%s\\\\&\nB=\377\303\n' 'A=\\n%%s\\\\&\nB=\377\303\nDOCKER_GID=998\n'
}

@test "an empty value is filled, before its comment" {
  turns 'DOCKER_GID=\nA=1\n' 'DOCKER_GID=998\nA=1\n'
  turns 'DOCKER_GID=  # of the machine\n' 'DOCKER_GID=998  # of the machine\n'
}

@test "a symbolic link stays one, and its target is changed" {
  for GANTRY_BIN in '' "$program"; do
    export GANTRY_BIN
    mkdir -p ../shared && echo A=1 >../shared/env && ln -sf ../shared/env .env
    fix --fix --gid 998
    [ "$status" -eq 0 ]
    [ -h .env ]
    [ "$(cat ../shared/env)" = $'A=1\nDOCKER_GID=998' ]
  done
}

@test "mode and owner stay" {
  for GANTRY_BIN in '' "$program"; do
    export GANTRY_BIN
    rm -f .env && echo A=1 >.env && chmod 640 .env
    [ "$(id -u)" -ne 0 ] || chown 1234:4321 .env
    before=$(stat -c '%a %u %g' .env)
    fix --fix --gid 998
    [ "$status" -eq 0 ]
    [ "$(stat -c '%a %u %g' .env)" = "$before" ]
  done
}

@test "a read-only file is refused, for root too" {
  echo A=1 >.env && chmod 444 .env
  refused_both_ways "it is read-only"
}

@test "a folder is refused" {
  mkdir .env
  refused_both_ways "it is no file"
}

@test "a pipe that nobody writes to is refused, and not waited for" {
  mkfifo .env
  for GANTRY_BIN in '' "$program"; do
    export GANTRY_BIN
    PATH=$BATS_TEST_TMPDIR/bin run timeout 60 "$script" --fix --gid 998
    echo "$output"
    answers 1 "it is no file"
  done
  [ -p .env ]
}

@test "a device is refused" {
  ln -s /dev/null .env
  fix --fix --gid 998
  answers 1 "it is no file"
}

@test "the lines for Compose are said, unless its file has them, with a doctor as well" {
  for GANTRY_BIN in '' "$program"; do
    export GANTRY_BIN
    rm -f .env compose.yaml
    fix --fix --gid 998
    answers 0 "group_add: [\"\${DOCKER_GID:-998}\"]"
    [ "$(grep -c group_add <<<"$output")" -eq 1 ]
    echo '# DOCKER_GID' >compose.yaml
    fix --fix --gid 998
    [[ $status -eq 0 && $output != *group_add* ]]
  done
}

@test "a write that fails half-way leaves the file, and nothing beside it" {
  echo A=1 >.env
  stand_in mv <<<'exit 1'
  fix --fix --gid 998
  [ "$status" -eq 1 ]
  [ "$(cat .env)" = A=1 ]
  [ "$(ls -A)" = .env ]
}

@test "the doctor explains where it is found: GANTRY_BIN, PATH, beside the script" {
  stand_in gantry <<<'echo "gantry $*"'
  unset GANTRY_BIN
  fix --check
  answers 0 "gantry doctor"
  mkdir ../beside && cp "$script" ../beside && mv ../bin/gantry ../beside
  script=$BATS_TEST_TMPDIR/beside/fix-docker-permissions.sh fix --check
  answers 0 "gantry doctor"
  GANTRY_BIN=$BATS_TEST_TMPDIR/none fix --check
  answers 1 "GANTRY_BIN names no program"
}

@test "the real doctor's report is shown, and changes no exit code" {
  [ -x "$program" ] || skip "there is no $program"
  export GANTRY_BIN=$program
  PLAYS=down fix --check
  answers 1 "socket's group"
  fix --check
  answers 0 "socket's group"
}
