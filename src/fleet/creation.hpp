#pragma once

#include "access/identity.hpp"
#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/new_container.hpp"
#include "fleet/host.hpp"
#include "fleet/operations.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::fleet {

/// What lets a container's program reach out of it. Each takes an admin who names it.
enum class Danger : std::uint8_t {
  privileged,
  host_network,
  host_pid,
  host_ipc,
  bind,           ///< A folder of the host,
  host_system,    ///< one that the host itself lives by,
  docker_socket,  ///< or one through which its engine can be commanded.
  capabilities,
  devices,
  unconfined,
};

struct DangerTraits {
  Danger danger;
  std::string_view word;         ///< `host_network`
  std::string_view explanation;  ///< What the program can do then.
};
std::span<const DangerTraits> all_dangers();
std::string_view word(Danger danger);
/// Nothing for any other word.
std::optional<Danger> parse_danger(std::string_view word);

/// Places of the host that volumes are (fleet/volume_source.hpp): they are judged as binds are.
using Sources = std::vector<std::string>;

/// The dangers in what is asked for, in the order of the table. `volumes`: what its volumes are.
std::vector<Danger> dangers_of(const engine::NewContainer& wanted, const Sources& volumes = {});

/// The one judgement over every new container that is no sandbox, whoever asks and by what way
/// (reference: CVE-2026-44849). Refused: `invalid_container` (invalid) for what nobody can have,
/// `danger_needs_admin` (denied), `danger_not_named` and `danger_absent` (invalid).
Result<> judge(const engine::NewContainer& wanted, access::Role role,
               const std::vector<Danger>& named, const Sources& volumes = {});

/// A container to be made on a host.
struct Creation {
  std::shared_ptr<Host> host;
  std::string name;  ///< Empty: the engine makes one up.
  engine::NewContainer wanted;
  std::vector<Danger> named;
  enum class Start { no, yes } start = Start::yes;
};
struct Created {
  std::string id;
  std::vector<std::string> warnings;
  /// Why it does not run although it was to be started; the container is there.
  std::optional<Error> not_started;
};

/// Judges it, makes it (audited), looks whether the engine has made just that (else it is removed
/// again: `engine_widened`, unavailable; also when that can not be looked at, or nobody waits any
/// more; one for which the engine does not answer is looked for by a label of its own), and starts
/// it (audited).
async::task<Result<Created>> create(Operations& operations, Actor actor, access::Role role,
                                    Creation creation);

}  // namespace gantry::fleet
