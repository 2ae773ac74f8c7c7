#pragma once

#include "async/task.hpp"
#include "doctor/deep_facts.hpp"
#include "doctor/facts.hpp"
#include "doctor/gather.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What reaches out or runs something: names, registries, the sandbox. Side by side, with a
/// deadline each.
namespace gantry::doctor {

/// A registry that pulls of this engine go to.
struct RegistryPlace {
  RegistryFacts::Role role = RegistryFacts::Role::usual;
  std::string host;
  std::uint16_t port = 443;
  bool in_clear = false;  ///< A mirror of `http://`.
};
/// Docker Hub, the engine's mirrors, and the registries it trusts without TLS; at most 16.
std::vector<RegistryPlace> registries_of(const EngineFacts& engine);

/// `GET /v2/` there, by TLS; an insecure one is asked without where it speaks none. At most 4 s
/// each.
async::task<RegistryFacts> look_at_registry(async::Executor executor, RegistryPlace place);
/// At most 4 s.
async::task<NameFacts> look_at_name(std::string host);

/// Without an endpoint, or where the engine did not answer, there is no canary.
async::task<DeepFacts> look_deep(async::Executor executor, EngineFacts engine, RunCanary run_canary,
                                 net::Connect connect, std::optional<net::Endpoint> endpoint);

}  // namespace gantry::doctor
