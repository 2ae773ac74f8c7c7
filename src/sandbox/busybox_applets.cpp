#include "sandbox/busybox_applets.hpp"

#include <array>

namespace gantry::sandbox {
namespace {

// clang-format off
constexpr auto table = std::to_array<std::string_view>({
    "usr/bin/[", "usr/bin/[[", "usr/bin/ar", "bin/arch", "usr/bin/ascii", "bin/ash", "usr/bin/awk",
    "bin/base64", "usr/bin/basename", "usr/bin/bc", "usr/bin/bunzip2", "usr/bin/bzcat",
    "usr/bin/bzip2", "usr/bin/cal", "bin/cat", "bin/chgrp", "bin/chmod", "bin/chown",
    "usr/bin/clear", "usr/bin/cmp", "bin/cp", "bin/cpio", "usr/bin/crc32", "usr/bin/cut",
    "bin/date", "usr/bin/dc", "bin/dd", "bin/df", "usr/bin/diff", "usr/bin/dirname",
    "usr/bin/dos2unix", "usr/bin/du", "bin/echo", "bin/ed", "bin/egrep", "usr/bin/env",
    "usr/bin/expand", "usr/bin/expr", "usr/bin/factor", "usr/bin/fallocate", "bin/false",
    "bin/fgrep", "usr/bin/find", "usr/bin/fold", "usr/bin/free", "bin/getopt", "bin/grep",
    "usr/bin/groups", "bin/gunzip", "bin/gzip", "usr/bin/head", "usr/bin/hexdump",
    "usr/bin/hostid", "bin/hostname", "usr/bin/id", "bin/kill", "usr/bin/killall", "usr/bin/less",
    "bin/link", "bin/ln", "usr/bin/logname", "bin/ls", "usr/bin/lzcat", "usr/bin/lzma", "bin/lzop",
    "usr/bin/md5sum", "bin/mkdir", "usr/bin/mkfifo", "bin/mktemp", "bin/more", "bin/mv",
    "usr/bin/nl", "usr/sbin/nologin", "usr/bin/nproc", "usr/bin/od", "usr/bin/paste",
    "usr/bin/patch", "bin/pidof", "usr/bin/printf", "bin/ps", "bin/pwd", "bin/readlink",
    "usr/bin/realpath", "usr/bin/renice", "usr/bin/reset", "bin/rev", "bin/rm", "bin/rmdir",
    "bin/run-parts", "bin/sed", "usr/bin/seq", "usr/bin/setsid", "bin/sh", "usr/bin/sha1sum",
    "usr/bin/sha256sum", "usr/bin/sha3sum", "usr/bin/sha512sum", "usr/bin/shred", "usr/bin/shuf",
    "bin/sleep", "usr/bin/sort", "bin/stat", "usr/bin/strings", "bin/stty", "bin/sync",
    "usr/bin/tac", "usr/bin/tail", "bin/tar", "usr/bin/taskset", "usr/bin/tee", "usr/bin/test",
    "usr/bin/time", "usr/bin/timeout", "usr/bin/top", "bin/touch", "usr/bin/tr", "bin/true",
    "usr/bin/truncate", "usr/bin/ts", "usr/bin/tty", "bin/uname", "bin/uncompress",
    "usr/bin/unexpand", "usr/bin/uniq", "usr/bin/unix2dos", "usr/bin/unlink", "usr/bin/unlzma",
    "usr/bin/unxz", "usr/bin/unzip", "usr/bin/uptime", "bin/usleep", "usr/bin/uudecode",
    "usr/bin/uuencode", "bin/vi", "bin/watch", "usr/bin/wc", "usr/bin/which", "usr/bin/whoami",
    "usr/bin/xargs", "usr/bin/xxd", "usr/bin/xz", "usr/bin/xzcat", "usr/bin/yes", "bin/zcat"
});
// clang-format on

}  // namespace

std::span<const std::string_view> busybox_applets() { return table; }

}  // namespace gantry::sandbox
