#pragma once

#include "access/identity.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "engine/containers.hpp"
#include "fleet/host.hpp"
#include "fleet/operations.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::fleet {

/// What an action takes beside its container; each reads only its own.
struct ActionParameters {
  Seconds grace{10};               ///< stop, restart: before the program is killed.
  std::string signal = "SIGKILL";  ///< kill
  std::string name;                ///< rename
  engine::RemoveOptions remove;
  engine::ResourceUpdate update;
};

/// The longest grace that can be asked for.
inline constexpr Seconds grace_max{3600};

/// One line of what can be done to a container that is there.
struct ContainerAction {
  std::string_view word;     ///< `stop`
  std::string_view audited;  ///< `container.stop`
  access::Role needed = access::Role::operator_;
  enum class Bulk { no, yes } bulk = Bulk::yes;  ///< Whether it makes sense for many at once.
  /// Does it, and answers the engine's warnings.
  async::task<Result<std::vector<std::string>>> (*run)(engine::Client& client,
                                                       std::string container,
                                                       ActionParameters parameters);
  /// What of the parameters goes into the audit log.
  json::Object (*told)(const ActionParameters& parameters);
};

/// The whole table.
std::span<const ContainerAction> container_actions();
/// Nothing for any other word.
const ContainerAction* find_action(std::string_view word);

/// What an action is done to.
struct ActionTarget {
  std::shared_ptr<Host> host;
  std::string id;    ///< Whole.
  std::string name;  ///< For the audit log.
};

/// Does it, audited, and answers the engine's warnings. Whoever calls it has judged the right.
async::task<Result<std::vector<std::string>>> act(Operations& operations, Actor actor,
                                                  ActionTarget target,
                                                  const ContainerAction& action,
                                                  ActionParameters parameters);

/// `SIGTERM`, `TERM`, `15`: what an engine takes as a signal.
bool valid_signal(std::string_view text);

}  // namespace gantry::fleet
