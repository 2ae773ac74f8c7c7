#pragma once

#include "doctor/facts.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Small facts of a machine, each from a file of the kernel's or of the engine's.
namespace gantry::doctor {

/// The profile of this process (/proc/self/attr/current); empty: not confined, or no AppArmor.
std::string apparmor_profile();
/// The same from the text of that file.
std::string read_apparmor_profile(std::string_view current);
/// `enforcing` or `permissive` (/sys/fs/selinux/enforce); empty: there is no SELinux.
std::string selinux_mode();
/// The same from the text of that file, which is there.
std::string read_selinux_mode(std::string_view enforce);
/// As the kernel was told by whoever keeps it right (adjtimex(2)).
bool clock_is_synchronised();
/// Whether the kernel has AppArmor, switched on.
bool kernel_has_apparmor();
/// Nothing where the folder is not there or may not be seen.
std::optional<DiskFacts> disk_at(const std::string& folder);
/// What driver json-file has written below an engine's data root; what is not seen by `until` is
/// left out. Nothing where this may not be looked at.
std::optional<LogFacts> logs_in(const std::string& data_root, SteadyTime until);
/// Whether the daemon's own settings bound its containers' logs (`max-size`, or a driver that does
/// so by itself); nothing when there are none to read.
std::optional<bool> logs_are_bounded(std::string_view daemon_json);

/// Where something listens beyond loopback at one of the ports, as /proc/net/tcp and tcp6 tell.
std::vector<std::string> listening_at(std::string_view tcp, std::string_view tcp6,
                                      std::initializer_list<unsigned> ports);

}  // namespace gantry::doctor
