#include "api/limits.hpp"

#include "base/json.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::api {

std::vector<sandbox::Bound> bounds_on(const fleet::ContainerView& view) {
  auto usual = sandbox::bounds();
  std::vector<sandbox::Bound> bounds{usual.begin(), usual.end()};
  auto cpus = std::ranges::find(bounds, "cpus", &sandbox::Bound::field);
  if (cpus != bounds.end() && view.system && view.system->cpus > 0) {
    cpus->max = std::min(cpus->max, static_cast<double>(view.system->cpus));
  }
  return bounds;
}

sandbox::PolicyBounds bounds_for(const Call& call) {
  auto role = call.identity ? call.identity->role : access::Role::viewer;
  const auto& bounds = call.services.bounds.of(word(role));
  auto view = call.services.link.view();
  if (!view.system || view.system->cpus <= 0) return bounds;
  return bounds.capped("cpus", static_cast<double>(view.system->cpus));
}

Result<> check_limits(const sandbox::Policy& policy, const fleet::ContainerView& view) {
  auto bounds = bounds_on(view);
  auto cpus = std::ranges::find(bounds, "cpus", &sandbox::Bound::field);
  if (cpus == bounds.end() || policy.cpus <= cpus->max) return ok;
  auto error = json::field_error("limits.cpus", fmt::format("must be between {} and {}, not {}",
                                                            cpus->min, cpus->max, policy.cpus));
  error.remedy = "the engine has no more processors";
  return fail(std::move(error));
}

}  // namespace gantry::api
