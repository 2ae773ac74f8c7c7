#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "fleet/host.hpp"
#include "fleet/operations.hpp"
#include "fleet/projects.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Starting, stopping and restarting a Compose project as a whole, in the order in which its
/// services depend on each other.
namespace gantry::fleet {

enum class ProjectAction : std::uint8_t { start, stop, restart };
/// `start`, `stop`, `restart`.
std::string_view word(ProjectAction action);

struct ProjectChange {
  ProjectAction action = ProjectAction::start;
  /// What becomes of one-shot services that have done their work, when the project is started.
  enum class OneShots : std::uint8_t { left, started } one_shots = OneShots::left;
  /// How long a container may take to stop before it is killed.
  Seconds grace{10};
  /// How long a service may take to become healthy, or to complete, before those that wait for it
  /// are given up.
  Milliseconds patience{120'000};
};

/// What a service waits for before it starts (Compose's `depends_on`).
struct Need {
  std::string service;
  enum class Until : std::uint8_t { started, healthy, completed } until = Until::started;
  bool operator==(const Need&) const = default;
};
/// `started`, `healthy`, `completed`.
std::string_view word(Need::Until until);
/// From the label `com.docker.compose.depends_on`: `db:service_healthy:true,cache`.
std::vector<Need> needs_in(std::string_view label);

/// A container of a project at the moment of the change.
struct Member {
  std::string id;
  std::string name;
  std::string state;
  std::optional<int> exit_code;  ///< When it has ended.
};
/// A service of it.
struct MemberService {
  std::string name;
  std::vector<Member> members;
  std::vector<Need> needs;
  std::size_t level = 0;
};

/// A project as the actions need it, apart from the view that it was read from.
std::vector<MemberService> members_of(const Project& project);
/// Positions in `services` of those that may be started at once, wave by wave.
std::vector<std::vector<std::size_t>> waves_of(std::span<const MemberService> services);

/// What tells a one-shot container, whose work is done, from a server that was stopped.
struct Ending {
  std::optional<int> exit_code;
  std::string restart_policy;
  /// Another service waits for its completion.
  bool awaited = false;
  std::optional<WallTime> finished_at;
  /// When the last of the rest of the project ended; nothing: some of it runs.
  std::optional<WallTime> rest_finished_at;
};
/// It ended with 0, is not to be restarted, and either another service waits for just that, or the
/// rest of the project went on for more than a minute after it.
bool is_one_shot(const Ending& ending);

/// What was done with one container.
enum class Did : std::uint8_t {
  started,
  stopped,
  restarted,
  nothing,  ///< It was so already.
  skipped,  ///< A one-shot that has done its work.
  failed,
};
std::string_view word(Did did);
struct MemberResult {
  std::string service;
  std::string id;
  std::string name;
  Did did = Did::nothing;
  std::optional<Error> error;  ///< When it failed.
};

/// Does it, audited as one change of the project and one of every container that changes. Goes on
/// where one container fails; what depends on it is not started (`dependency_failed`). An Error
/// only when nothing was begun.
async::task<Result<std::vector<MemberResult>>> change_project(Operations& operations,
                                                              std::shared_ptr<Host> host,
                                                              Actor actor, std::string project,
                                                              std::vector<MemberService> services,
                                                              ProjectChange change);

}  // namespace gantry::fleet
