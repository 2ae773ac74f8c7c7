#include "api/limits.hpp"

namespace gantry::api {

sandbox::PolicyBounds bounds_of(const Services& services, access::Role role) {
  const auto& bounds = services.bounds.of(word(role));
  const auto& view = services.fleet.local_view();
  if (!view.system || view.system->cpus <= 0) return bounds;
  return bounds.capped("cpus", static_cast<double>(view.system->cpus));
}

sandbox::PolicyBounds bounds_for(const Call& call) {
  if (!call.identity) return bounds_of(call.services, access::Role::viewer);
  auto bounds = bounds_of(call.services, call.identity->role);
  const auto& policy = call.identity->limits.policy;
  if (policy.empty()) return bounds;
  auto limits = value_or_throw(json::parse(policy, json::Keys::strict));
  return value_or_throw(bounds.met(limits));
}

}  // namespace gantry::api
