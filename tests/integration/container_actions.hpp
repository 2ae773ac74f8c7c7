#pragma once

#include "async/testing_fake.hpp"
#include "engine/client.hpp"
#include "fleet/host.hpp"
#include "fleet/operations.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gantry {

/// What every container action does on a real engine, whichever way leads to it: the same table
/// over every transport. Each case makes what it needs, and removes it.
///
///   for (const auto& action : container_action_cases()) {
///     SCOPED_TRACE(action.name);
///     action.run(stage);
///   }
struct ActionStage {
  async::TestLoop& loop;
  std::shared_ptr<fleet::Host> host;
  fleet::Operations& operations;
  /// An image with a shell, and the label its containers carry, so that what a failed test leaves
  /// behind is found.
  std::string image = "gantry/sh:latest";
  std::map<std::string, std::string> labels = {};

  engine::Client& engine() const { return host->engine(); }
};

struct ActionCase {
  std::string name;
  std::function<void(ActionStage& stage)> run;
};

std::span<const ActionCase> container_action_cases();

/// A host for tests whose engine is reached by `dial`.
std::shared_ptr<fleet::Host> host_over(async::TestLoop& loop, const std::string& endpoint,
                                       net::Connect dial);

}  // namespace gantry
