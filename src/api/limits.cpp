#include "api/limits.hpp"

namespace gantry::api {

sandbox::PolicyBounds bounds_for(const Call& call) {
  auto role = call.identity ? call.identity->role : access::Role::viewer;
  const auto& bounds = call.services.bounds.of(word(role));
  auto view = call.services.link.view();
  if (!view.system || view.system->cpus <= 0) return bounds;
  return bounds.capped("cpus", static_cast<double>(view.system->cpus));
}

}  // namespace gantry::api
