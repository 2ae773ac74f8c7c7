#include "fleet/host.hpp"

#include <fmt/format.h>

namespace gantry::fleet {

Host::Host(async::Executor executor, HostRecord record, HostWay way, Clock clock,
           LinkSettings settings)
    : record_{std::move(record)},
      tunnel_{std::move(way.tunnel)},
      dress_{std::move(way.dress)},
      door_{std::move(way.connect)},
      engine_{executor, door_.connect(), record_.config.endpoint},
      link_{executor, engine_, std::move(clock), std::move(settings)},
      ended_{executor} {
  if (config().enabled()) return;
  link_.disable();
  door_.shut({ErrorKind::conflict, "host_disabled",
              fmt::format("cannot use host '{}': it is disabled", name()), "enable it first"});
}

void Host::end(Error why) {
  door_.shut(std::move(why));
  ended_.stop();
}

async::task<void> Host::close_way() {
  if (tunnel_) co_await tunnel_->close();
}

async::task<Result<std::string>> Host::run_there(std::string script) {
  if (door_.why_shut()) co_return fail(*door_.why_shut());
  if (!tunnel_) {
    co_return fail(
        ErrorKind::conflict, "host_without_shell",
        fmt::format("cannot run anything on host '{}': it is not reached by SSH", name()),
        "reach it by an ssh:// endpoint");
  }
  auto ran = co_await tunnel_->run(std::move(script));
  if (!ran && door_.why_shut()) co_return fail(*door_.why_shut());
  co_return ran;
}

void Host::try_again() {
  if (ended()) return;
  if (tunnel_) tunnel_->wake();
  link_.retry();
}

std::string_view Host::via() const {
  if (!tunnel_) return "direct";
  if (ended()) return {};
  auto via = tunnel_->via();
  return via ? net::word_of(*via) : std::string_view{};
}

std::vector<std::string> Host::warnings() const {
  std::vector<std::string> warnings;
  if (travels_in_clear(config().endpoint)) {
    warnings.push_back(
        fmt::format("'{}' is neither encrypted nor authenticated: whoever is on the network "
                    "between owns that machine; use tls:// or ssh://",
                    config().endpoint.text()));
  }
  warnings.insert(warnings.end(), view().warnings.begin(), view().warnings.end());
  return warnings;
}

}  // namespace gantry::fleet
