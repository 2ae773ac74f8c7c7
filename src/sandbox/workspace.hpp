#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

/// The folder /box/workspace, which is kept from one execution to the next. It travels, and lies on
/// disk, as the frames that make it (docs/protocols/init.md): `packed`.
namespace gantry::sandbox {

inline constexpr std::string_view workspace_folder = "workspace";
/// So many folders may lie in each other in it.
inline constexpr int workspace_depth_max = 15;

struct WorkspaceSize {
  Bytes bytes;
  std::size_t files = 0;  ///< Folders count.
  bool operator==(const WorkspaceSize&) const = default;
};

/// What one execution finds in it, and how much it may leave.
struct Workspace {
  std::string packed;  ///< Empty: nothing.
  Bytes bytes_max{64U << 20U};
  std::size_t files_max = 1000;
};

/// How long it may take to bring it, and again to take it back: 10 s, and 4 MiB in a second, which
/// gantry-init counts on, too.
Milliseconds travel_max(const Workspace& workspace);

/// How much is in it. Refuses (unavailable, `workspace_damaged`) what no WorkspaceReader has made.
Result<WorkspaceSize> measure(std::string_view packed);

/// Packs what gantry-init sends of the folder, whose names the program chose. Attacker data: caps
/// are counted here once more.
class WorkspaceReader {
 public:
  explicit WorkspaceReader(const Workspace& limits)
      : bytes_max_{limits.bytes_max}, files_max_{limits.files_max} {}

  // Of an `H`, a `D` and the `Y`. Nothing, or what is wrong.
  std::string begin(std::string_view payload);
  std::string append(std::string_view bytes);
  std::string end(std::string_view payload);

  /// No bytes are missing of what was begun.
  bool complete() const { return left_ == 0; }
  /// It was sent to its end, and nothing stood in the way.
  bool whole() const { return ended_ && fault_.empty(); }
  /// What to say of it to people; empty when there is nothing to say.
  std::string remark() const;
  std::string take() && { return std::move(packed_); }

 private:
  Bytes bytes_max_;
  std::size_t files_max_;
  std::string packed_;
  std::uint64_t bytes_ = 0;
  std::size_t files_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t left_out_ = 0;
  std::string fault_;  ///< Why it is not whole.
  bool kept_ = false;
  bool ended_ = false;
};

}  // namespace gantry::sandbox
