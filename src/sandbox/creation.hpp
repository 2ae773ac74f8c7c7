#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "engine/container_spec.hpp"
#include "sandbox/removal.hpp"

#include <functional>
#include <string>

namespace gantry::sandbox {

/// What to make for whoever has this lease.
using SpecOf = std::function<engine::ContainerSpec(const Lease&)>;

/// A container under an id of its own, not yet started. Not to be interrupted: what was being
/// created would be nobody's. Refuses with `no_sandbox_slot` when all ids are taken.
async::task<Result<Lease>> create_leased(engine::Client& engine, Removal& removal,
                                         std::string label, SpecOf spec_of);

/// What the engine made must be what was asked for, or nothing is started in it
/// (`sandbox_not_as_asked`).
async::task<Result<>> verify_as_asked(engine::Client& engine, std::string container,
                                      engine::ContainerSpec spec);

}  // namespace gantry::sandbox
