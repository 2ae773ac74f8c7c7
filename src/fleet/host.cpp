#include "fleet/host.hpp"

#include <fmt/format.h>

namespace gantry::fleet {

Host::Host(async::Executor executor, HostConfig config, net::Connect dial, Clock clock,
           LinkSettings settings)
    : config_{std::move(config)},
      door_{std::move(dial)},
      engine_{executor, door_.connect(), config_.endpoint},
      link_{executor, engine_, std::move(clock), std::move(settings)},
      ended_{executor} {
  if (config_.enabled()) return;
  link_.disable();
  door_.shut({ErrorKind::conflict, "host_disabled",
              fmt::format("cannot use host '{}': it is disabled", config_.name),
              "enable it first"});
}

async::task<void> Host::follow(std::shared_ptr<Host> self) {
  co_await async::race(self->link_.supervise(), self->until_ended());
}

void Host::end(Error why) {
  door_.shut(std::move(why));
  ended_.stop();
}

std::vector<std::string> Host::warnings() const {
  std::vector<std::string> warnings;
  if (travels_in_clear(config_.endpoint)) {
    warnings.push_back(
        fmt::format("'{}' is neither encrypted nor authenticated: whoever is on the network "
                    "between owns that machine; use tls:// or ssh://",
                    config_.endpoint.text()));
  }
  return warnings;
}

}  // namespace gantry::fleet
