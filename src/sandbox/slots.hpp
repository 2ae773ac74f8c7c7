#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace gantry::sandbox {

/// The user ids that sandboxes run as: one per container at a time, because the kernel counts
/// some limits (pipes, inotify, keys) per user across all containers. The ids lie below 65,000,
/// so that remapped and rootless engines have them. A container is named after its id, and names
/// are unique on an engine: two servers on one engine can never share an id (docs/adr/0009).
class Slots {
 public:
  static constexpr int first = 40'000;
  static constexpr int count = 10'000;

  /// Starts at a random place, so that servers that share an engine seldom meet.
  Slots();
  /// An id nobody here uses; nothing when all are taken.
  std::optional<int> take();
  void give_back(int id) { taken_.erase(id); }
  /// The container's name, which is the lease.
  static std::string container_name(int id);
  /// Whether a container of this name is, or was, such a lease. Labels alone prove nothing: a
  /// container inherits those of its image.
  static bool is_container_name(std::string_view name);

 private:
  std::set<int> taken_;
  int next_;
};

}  // namespace gantry::sandbox
