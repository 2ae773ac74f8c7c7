#include "main/image_options.hpp"

#include "base/text.hpp"
#include "engine/image_reference.hpp"

#include <chrono>

#include <fmt/format.h>

namespace gantry::main {
namespace {

constexpr std::size_t usual_days = 30;
constexpr std::size_t days_max = 36'500;

const Given* given(const Settings& settings, std::string_view key) {
  auto found = settings.find(key);
  return found == settings.end() ? nullptr : &found->second;
}

}  // namespace

Result<ImageOptions> image_options(const Settings& settings) {
  ImageOptions options;
  if (const auto* allow = given(settings, "images_allow")) {
    auto rules = sandbox::ImageRules::parse(allow->texts);
    if (!rules) {
      auto error = rules.error();
      error.message += fmt::format(" ({})", allow->origin);
      return fail(std::move(error));
    }
    options.rules = std::move(*rules);
  }
  if (const auto* registries = given(settings, "images_registries")) {
    auto known = options.rules.set_registries(registries->texts);
    if (!known) {
      auto error = known.error();
      error.message += fmt::format(" ({})", registries->origin);
      return fail(std::move(error));
    }
  }
  if (const auto* prepull = given(settings, "images_prepull")) {
    for (const auto& text : prepull->texts) {
      auto reference = engine::ImageReference::parse(text);
      if (!reference) {
        return fail(ErrorKind::invalid, "bad_setting",
                    fmt::format("cannot use '{}' of {}: it is no image's name",
                                text::one_line(text), prepull->origin),
                    "write it like python:3.11-alpine");
      }
      options.rules.add_registry_of(*reference);
      options.prepull.push_back(reference->familiar());
    }
  }
  auto days = number_setting(settings, "images_unused_days", usual_days, days_max);
  if (!days) return fail(days.error());
  options.unused_max = std::chrono::days{*days};
  return options;
}

}  // namespace gantry::main
