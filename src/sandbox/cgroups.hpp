#pragma once

#include "async/descriptor.hpp"
#include "base/error.hpp"
#include "nursery/birth.h"
#include "sandbox/policy.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Control groups for programs of this machine, on the old hierarchies, the new one, or whatever
/// mixture the machine has. Files of the kernel, no I/O that waits.
namespace gantry::sandbox {

/// In which folders this process may look for groups of its own: `memory`, `pids`, `cpu`,
/// `cpuacct` of version 1 by controller, and the one of version 2.
struct CgroupLayout {
  std::map<std::string, std::string, std::less<>> v1;
  std::optional<std::string> v2;
};
/// From the texts of /proc/self/mountinfo and /proc/self/cgroup.
CgroupLayout read_cgroup_layout(std::string_view mountinfo, std::string_view membership);

/// What can be limited and counted.
struct CgroupCapabilities {
  bool memory = false;  ///< Limited, and a kill for want of it is seen: the memory verdict.
  bool swap = false;
  bool sockets = false;  ///< The buffers of TCP and UDP sockets: a share of memory on version 1.
  bool pids = false;
  bool cpu_quota = false;
  bool cpu_time = false;  ///< Of all processes, while they run.

  /// `memory, swap, sockets, pids, cpu quota, cpu time`, or `none`.
  std::string words() const;
  bool operator==(const CgroupCapabilities&) const = default;
};

/// The group of one execution, in every hierarchy that is used. Removed when destroyed; who can
/// wait calls `remove` first.
class Cgroup {
 public:
  Cgroup(Cgroup&&) noexcept = default;
  Cgroup& operator=(Cgroup&&) noexcept;
  ~Cgroup() { abandon(); }

  /// Sets memory (swap included), processes (gantry-init's own on top) and processor share; what
  /// has its value already costs nothing.
  Result<> limit(const Policy& policy);
  /// What a newborn needs: to enter, and to count.
  Result<std::vector<std::pair<BirthRole, async::Descriptor>>> open() const;
  /// How many processes the kernel killed in it for want of memory.
  std::uint64_t oom_kills() const;
  /// False while somebody is in it; kernels count a process for a moment longer than it lives.
  bool remove();

 private:
  friend class Cgroups;
  Cgroup() = default;
  void abandon();
  std::string file(std::string_view controller, std::string_view v1, std::string_view v2) const;

  std::map<std::string, std::string, std::less<>> v1_;  ///< Its folder by controller.
  std::optional<std::string> v2_;
  CgroupCapabilities capabilities_;
  std::map<std::string, std::string> set_;  ///< Values by file.
};

/// A server's groups, below the group it was started in.
class Cgroups {
 public:
  /// Finds where groups can be made. Never fails: a machine without is one with no capabilities.
  /// `owner` names the server.
  static Cgroups open(const CgroupLayout& layout, const std::string& owner);

  const CgroupCapabilities& capabilities() const { return capabilities_; }
  /// An empty group whose counters are at 0. Refused (no_cgroup) where none can be made, or where
  /// somebody is still in the one of this name.
  Result<Cgroup> make(const std::string& name);
  /// Ends what is in this server's groups and removes them: what a crash left, or what is left at
  /// the end.
  static void remove_leftovers(const CgroupLayout& layout, const std::string& owner);
  void close();

 private:
  std::map<std::string, std::string, std::less<>> v1_;
  std::optional<std::string> v2_;
  CgroupCapabilities capabilities_;
};

/// The layout of this process.
CgroupLayout own_cgroup_layout();

}  // namespace gantry::sandbox
