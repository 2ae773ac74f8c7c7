#include "sandbox/ender.hpp"

#include "base/random.hpp"
#include "sandbox/embedded.hpp"
#include "sandbox/labels.hpp"
#include "sandbox/leftovers.hpp"
#include "sandbox/slots.hpp"
#include "sandbox/tar.hpp"

#include <string>

namespace gantry::sandbox {
namespace {

/// How long one may be at it; then anybody may remove it.
constexpr Seconds work_max{120};
/// No server's: each sweeps what it calls its own and does not know.
constexpr const char* owner = "ender";

}  // namespace

engine::Ender ender(Clock clock) {
  auto dress = [clock] {
    auto ends = std::chrono::duration_cast<Seconds>((clock.now() + work_max).time_since_epoch());
    auto slot = Slots::first + static_cast<int>(random::below(Slots::count));
    return engine::Ender::Dress{.name = Slots::container_name(slot),
                                .labels = {{labels::kind, "sandbox"},
                                           {labels::owner, owner},
                                           {labels::deadline, std::to_string(ends.count())}}};
  };
  auto is_left = [clock](const engine::ContainerSummary& container) {
    auto found = container.labels.find(labels::owner);
    if (found == container.labels.end() || found->second != owner) return false;
    Keeper keeper{.owner = {}, .knows = [](const std::string&) { return true; }};
    return left_behind(container, keeper, clock.now());
  };
  return {.archive = tar::of_executable("gantry-ender", embedded::ender_program()),
          .dress = std::move(dress),
          .label = std::string{labels::owner} + "=" + owner,
          .is_left = std::move(is_left)};
}

}  // namespace gantry::sandbox
