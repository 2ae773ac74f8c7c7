#pragma once

#include "doctor/facts.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Small facts of a machine, each from a file of the kernel's or of the engine's.
namespace gantry::doctor {

/// The profile of a process (/proc/PID/attr/current); empty: not confined, or no AppArmor.
std::string apparmor_profile(int pid);
/// The same from the text of that file.
std::string read_apparmor_profile(std::string_view current);
/// `enforcing` or `permissive` (/sys/fs/selinux/enforce); empty: there is no SELinux.
std::string selinux_mode();
/// The same from the text of that file, which is there.
std::string read_selinux_mode(std::string_view enforce);
/// As the kernel was told by whoever keeps it right (adjtimex(2)). Nothing where it may not be
/// asked.
std::optional<bool> clock_is_synchronised();
/// Whether the kernel has AppArmor, switched on.
bool kernel_has_apparmor();
/// A folder's own path, without links, where root alone and this process's user could put another
/// one in its place or in that of a folder on the way; else empty.
std::string trusted_folder(const std::string& path);
/// Nothing where the folder is not there or may not be seen.
std::optional<DiskFacts> disk_at(const std::string& folder);
/// What driver json-file has written below an engine's data root; what is not seen by `until` is
/// left out. Nothing where this may not be looked at.
std::optional<LogFacts> logs_in(const std::string& data_root, SteadyTime until);
/// The text of the daemon's settings; without a file it has its defaults, `{}`. Nothing where there
/// is one that can not be read.
std::optional<std::string> daemon_settings_in(const std::filesystem::path& file);
/// Whether the daemon's own settings bound its containers' logs (`max-size`, or a driver that does
/// so by itself); nothing when there are none to read.
std::optional<bool> logs_are_bounded(std::string_view daemon_json);

/// Where something listens beyond loopback at one of the ports, as /proc/net/tcp and tcp6 tell.
std::vector<std::string> listening_at(std::string_view tcp, std::string_view tcp6,
                                      std::initializer_list<unsigned> ports);

}  // namespace gantry::doctor
