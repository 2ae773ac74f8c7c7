#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "main/settings.hpp"
#include "sandbox/image_rules.hpp"

#include <string>
#include <vector>

namespace gantry::main {

/// What `gantry serve` has been told about images, besides their aliases.
struct ImageOptions {
  sandbox::ImageRules rules;
  std::vector<std::string> prepull;  ///< To be there before somebody asks.
  Seconds unused_max{};              ///< How long one stays that was pulled and not asked for.
};

/// Reads them from all settings: `images_allow`, `images_registries`,
/// `images_prepull`, `images_unused_days`.
Result<ImageOptions> image_options(const Settings& settings);

}  // namespace gantry::main
