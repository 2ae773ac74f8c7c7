#include "fleet/left_enders.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/log.hpp"

namespace gantry::fleet {

async::task<void> remove_left_enders(Fleet& fleet, engine::Ender ender, Milliseconds pause) {
  for (;;) {
    for (const auto& host : fleet.hosts()) {
      if (host->view().state != EngineState::connected) continue;
      auto done = co_await async::attempt(engine::remove_left_enders(host->engine(), ender));
      if (!done)
        log::debug("cannot look for helpers on '{}': {}", host->name(), done.error().message);
    }
    co_await async::pause(pause);
  }
}

}  // namespace gantry::fleet
