#pragma once

#include "doctor/facts.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Small facts of a machine, each from a file of the kernel's or of the engine's.
namespace gantry::doctor {

/// By what engines leave there (`/.dockerenv`, `container=` in the environment of process 1).
bool inside_container();
/// The profile of this process (/proc/self/attr/current); empty: not confined, or no AppArmor.
std::string apparmor_profile();
/// `enforcing` or `permissive` (/sys/fs/selinux/enforce); empty: there is no SELinux.
std::string selinux_mode();
/// As the kernel was told by whoever keeps it right (adjtimex(2)).
bool clock_is_synchronised();
/// Nothing where the folder is not there or may not be seen.
std::optional<DiskFacts> disk_at(const std::string& folder);
/// Whether the daemon's own settings bound its containers' logs (`max-size`, or a driver that does
/// so by itself); nothing when there are none to read.
std::optional<bool> logs_are_bounded(std::string_view daemon_json);

/// Where something listens beyond loopback at one of the ports, as /proc/net/tcp and tcp6 tell.
std::vector<std::string> listening_at(std::string_view tcp, std::string_view tcp6,
                                      std::initializer_list<unsigned> ports);

}  // namespace gantry::doctor
