#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "engine/containers.hpp"
#include "engine/exec_end.hpp"

#include <functional>
#include <map>
#include <string>

/// Ending what runs in an exec where the container has no shell that could do it (exec_end.hpp): a
/// program of ours does, in a container of its own that shares nothing with the other but its
/// processes.
namespace gantry::engine {

/// What such a container is made of, besides the other's own image.
struct Ender {
  /// An uncompressed archive with the static program `gantry-ender` (src/ender).
  std::string archive;
  struct Dress {
    std::string name;  ///< One that lists leave out.
    /// By which somebody removes it, should we be killed before we have.
    std::map<std::string, std::string> labels;
  };
  /// Another for each container.
  std::function<Dress()> dress;
  /// `name=value`, which all of them have.
  std::string label;
  /// Whether a container with that label is one of them, and nobody is at it any more.
  std::function<bool(const ContainerSummary&)> is_left;
};

/// Sends `first` to the session of the process, and KILL to who is left. The container has no
/// network and no other rights than to see and to signal the processes beside it; it is removed,
/// also when the caller is cancelled. Refused: `host_processes` (conflict) where these are the
/// host's, `not_ended` (unavailable), or in the engine's words. Takes at most 40 s; 20 s after a
/// cancellation.
async::task<Result<>> end_from_beside(Client& client, const Ender& ender, MarkedExec exec,
                                      std::string first);

/// Removes those that a killed server, or an engine that was away, has left. Throws Failure.
async::task<void> remove_left_enders(Client& client, const Ender& ender);

}  // namespace gantry::engine
