#pragma once

#include "async/task.hpp"
#include "engine/streams.hpp"
#include "sandbox/executor.hpp"
#include "sandbox/init_protocol.hpp"

#include <optional>
#include <string>

namespace gantry::sandbox {

/// What came of talking to gantry-init.
struct Conversation {
  std::optional<init::Report> report;  ///< Absent: the container ended without one.
  std::string complaint;               ///< What gantry-init itself had to say.
};

/// Sends the program to the gantry-init behind `stream`, passes its output on, and returns with
/// its verdict. `image_env` are the image's variables.
async::task<Conversation> converse(engine::AttachedStream& stream, const Execution& execution,
                                   const std::vector<std::string>& image_env,
                                   const Observer& observer);

/// The outcome that a report stands for.
Outcome outcome_of(const init::Report& report, const Policy& policy);

}  // namespace gantry::sandbox
