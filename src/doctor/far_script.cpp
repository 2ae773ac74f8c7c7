#include "doctor/far_script.hpp"

#include "base/error.hpp"
#include "net/ssh_way.hpp"

#include <fmt/format.h>

namespace gantry::doctor {
namespace {

constexpr std::size_t path_max = 1'024;
constexpr std::string_view path_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+@-";

/// Each fact is a line `name: text`. What has a line break in it, or is long, is left out: it is
/// then not known. Every probe may find its program missing.
constexpr std::string_view helpers = R"sh(
exec 2>/dev/null
set -f
LC_ALL=C
export LC_ALL
nl='
'
tell() {
  case $2 in '' | *"$nl"*) return ;; esac
  if [ ${#2} -le 8000 ]; then printf '%s: %s\n' "$1" "$2"; fi
}
tell_lines() { printf '%s\n' "$2" | tr '\t\r' '  ' | sed -n "1,48s/^\(.\)/$1: \1/p"; }
there() { command -v "$1" >/dev/null; }
# Where SSH finds programs is where 'docker system dial-stdio' is looked for.
docker=$(command -v docker)
compose=$(command -v docker-compose)
rootless=$(command -v dockerd-rootless.sh)
PATH=$PATH:/usr/sbin:/sbin
bounded=
if timeout 3 true; then bounded='timeout 3'; fi
# A name service that hangs is asked once; 3 and less are getent's own words.
getent=
slow=
if there getent; then
  getent=yes
  $bounded getent group docker >/dev/null
  if [ $? -gt 3 ]; then
    getent=
    slow=yes
    tell slow accounts
  fi
fi
group() {
  if [ -n "$getent" ]; then $bounded getent group "$1"; return; fi
  sed -n "/^$1:/p;/^[^:]*:[^:]*:$1:/p" /etc/group | sed 1q
}
# Of very many members the first are told.
tell_group() {
  members=$2
  if [ ${#members} -gt 4000 ]; then
    members=$(printf '%s' "$members" | cut -c 1-4000)
    members=${members%,*},...
  fi
  tell "$1" "$members"
}
user() {
  if [ -n "$getent" ]; then $bounded getent passwd "$1" | sed 's/:.*//'; return; fi
  sed -n "s/^\([^:]*\):[^:]*:$1:.*/\1/p" /etc/passwd | sed 1q
}
# Those whose own group it is, of the machine's own accounts.
primary() {
  case $1 in '' | *[!0-9]*) return ;; esac
  sed -n "s/^\([^:]*\):[^:]*:[^:]*:$1:.*/\1/p" /etc/passwd
}
hidden_at() {
  folder=$1
  while folder=${folder%/*} && [ -n "$folder" ]; do
    if [ ! -d "$folder" ]; then continue; fi
    if [ ! -x "$folder" ]; then echo "$folder"; fi
    return
  done
}
# The first folder on the way that is not open to everybody.
closed_at() {
  left=${1#/}
  folder=
  while :; do
    case $left in */*) ;; *) return ;; esac
    folder=$folder/${left%%/*}
    left=${left#*/}
    case $(ls -dlnL "$folder") in ?????????[xt]*) ;; *) echo "$folder"; return ;; esac
  done
}
look() {
  key=$1
  path=$2
  tell "${key}_path" "$path"
  line=$(ls -dlnL "$path")
  if [ -z "$line" ]; then
    tell "${key}_hidden" "$(hidden_at "$path")"
    return
  fi
  tell "$key" "$line"
  real=$(readlink -f "$path")
  if [ "$real" != "$path" ]; then tell "${key}_real" "$real"; fi
  tell "${key}_behind" "$(closed_at "${real:-$path}")"
  set -- $line
  tell "${key}_owner" "$(user "$3")"
  tell_group "${key}_group" "$(group "$4")"
  tell_lines "${key}_primary" "$(primary "$4")"
  if there getfacl; then tell_lines "${key}_acl" "$(getfacl -cnp "$path")"; fi
  if [ -w "$path" ]; then tell "${key}_writable" yes; else tell "${key}_writable" no; fi
}
version() {
  key=$1
  shift
  said=$($bounded "$@")
  case $? in
    0) tell "$key" "${said%%"$nl"*}" ;;
    124 | 143) tell "$key" hangs ;;
  esac
}
)sh";

constexpr std::string_view accounts = R"sh(
tell machine "$(uname -n)"
uid=$(id -u)
name=
if [ -z "$slow" ]; then name=$($bounded id -un); fi
tell uid "$uid"
tell user "${name:-$uid}"
tell process_groups "$(id -G)"
if [ -n "$name" ]; then tell account_groups "$($bounded id -G "$name")"; fi
line=$(group docker)
tell_group docker_group "$line"
line=${line#*:*:}
tell_lines docker_primary "$(primary "${line%%:*}")"
)sh";

constexpr std::string_view sockets = R"sh(
if [ -z "$named" ] && [ ! -S "$socket" ]; then
  case $DOCKER_HOST in
    unix://*[!A-Za-z0-9/._+@-]*) ;;
    unix:///*) socket=${DOCKER_HOST#unix://} ;;
  esac
fi
look socket "$socket"
if [ "$socket" != /var/run/docker.sock ]; then look usual /var/run/docker.sock; fi
own=${XDG_RUNTIME_DIR:-/run/user/$uid}/docker.sock
case $own in
  *[!A-Za-z0-9/._+@-]* | [!/]* | "$socket") ;;
  *) look own "$own" ;;
esac
if [ -n "$XDG_RUNTIME_DIR" ]; then tell runtime_folder yes; fi
tell rootless "$rootless"
)sh";

constexpr std::string_view machine = R"sh(
for file in /usr/bin/dockerd /usr/sbin/dockerd /usr/local/bin/dockerd \
  /lib/systemd/system/docker.service; do
  if [ -e $file ]; then tell engine $file; break; fi
done
if [ -d /run/systemd/system ]; then tell systemd yes; fi
if [ -e /etc/init.d/docker ]; then tell script yes; fi
for file in /snap/bin/docker /var/lib/snapd/snap/bin/docker; do
  if [ -e $file ]; then tell snap yes; break; fi
done
for file in /.dockerenv /run/.containerenv; do
  if [ -e $file ]; then tell marked $file; break; fi
done
tell_lines mount "$(grep -F -e ' /etc/hosts ' -e ' /etc/resolv.conf ' -e " $socket " \
  -e " $(readlink -f "$socket") " /proc/self/mountinfo)"
tell selinux "$(cat /sys/fs/selinux/enforce)"
tell apparmor "$(tr -d '\000' </proc/self/attr/current)"
tell apparmor_in_kernel "$(cat /sys/module/apparmor/parameters/enabled)"
if [ -r /proc/net/tcp ]; then tell network yes; fi
tell_lines tcp "$(grep ':094[78] [0-9A-F]*:[0-9A-F]* 0A ' /proc/net/tcp)"
tell_lines tcp6 "$(grep ':094[78] [0-9A-F]*:[0-9A-F]* 0A ' /proc/net/tcp6)"
if there timedatectl; then
  tell clock "$($bounded timedatectl show --property=NTPSynchronized --value)" &
fi
)sh";

constexpr std::string_view engine = R"sh(
settings=/etc/docker/daemon.json
case $data_root in
  /var/snap/docker/*) settings=/var/snap/docker/current/config/daemon.json ;;
esac
if [ -r $settings ]; then
  tell settings "$(tr '\n\r\t' '   ' <$settings)"
elif [ ! -e $settings ] && [ -z "$(hidden_at $settings)" ]; then
  tell settings '{}'
fi
tell disk "$($bounded df -Pk "$data_root" | sed 1d)"
tell inodes "$($bounded df -Pi "$data_root" | sed 1d)"
tell docker_host "$DOCKER_HOST"
tell docker_context "$DOCKER_CONTEXT"
tell docker "$docker"
tell compose_v1 "$compose"
if [ -n "$docker" ]; then
  version docker_version "$docker" --version &
  version compose_v2_version "$docker" compose version &
  version buildx_version "$docker" buildx version &
fi
if [ -n "$compose" ]; then version compose_v1_version "$compose" version & fi
wait
)sh";

}  // namespace

bool is_plain_path(std::string_view path) {
  return path.starts_with('/') && path.size() <= path_max &&
         path.find_first_not_of(path_characters) == path.npos;
}

std::string far_script(const std::string& socket, std::string_view data_root) {
  CHECK((socket.empty() || is_plain_path(socket)) && is_plain_path(data_root));
  return fmt::format("named='{}'\nsocket='{}'\ndata_root='{}'\n{}{}{}{}{}", socket,
                     net::ssh_remote_socket(socket), data_root, helpers, accounts, sockets, machine,
                     engine);
}

}  // namespace gantry::doctor
