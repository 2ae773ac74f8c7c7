#pragma once

#include "async/task.hpp"
#include "doctor/facts.hpp"

namespace gantry::engine {
class Client;
}

namespace gantry::doctor {

/// What an engine says of itself and its machine. Throws Failure where it does not answer.
async::task<EngineFacts> ask_engine(engine::Client& client);

}  // namespace gantry::doctor
