#pragma once

#include "doctor/facts.hpp"
#include "doctor/gather.hpp"

namespace gantry::doctor {

/// Which endpoint is in force, by what, and what else could have been chosen. As `docker` does:
/// DOCKER_HOST, DOCKER_CONTEXT, the context in use by config.json, the default socket.
EndpointFacts chosen_endpoint(const Question& question, const Environment& environment);

}  // namespace gantry::doctor
