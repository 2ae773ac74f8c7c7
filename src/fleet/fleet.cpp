#include "fleet/fleet.hpp"

#include "base/random.hpp"
#include "fleet/hosts_store.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::fleet {

Fleet::Fleet(async::Executor executor, storage::Database& database, Settings settings)
    : executor_{executor},
      database_{database},
      settings_{std::move(settings)},
      changed_{executor},
      links_{executor} {
  nothing_known_.endpoint = settings_.local.endpoint.text();
}

async::task<void> Fleet::start() {
  co_await hosts_store::migrate(database_);
  auto now = settings_.clock.now();
  HostConfig config{.id = HostId{random::sortable_id(now.time_since_epoch().count())},
                    .name = "local",
                    .endpoint = settings_.local.endpoint,
                    .usual = HostConfig::Usual::yes,
                    .origin = Origin::engine_option,
                    .created_at = now,
                    .updated_at = now};
  hosts_.emplace(config.name, make(config, {.endpoint = config.endpoint}));
}

void Fleet::supervise() {
  supervising_ = true;
  for (const auto& [name, host] : hosts_) follow(host);
}

async::task<void> Fleet::close() {
  for (const auto& [name, host] : hosts_) {
    host->end({ErrorKind::unavailable, "server_stopping",
               fmt::format("cannot use host '{}': the server is stopping", name),
               "try again later"});
  }
  co_await links_.close();
}

std::shared_ptr<Host> Fleet::find(std::string_view name) const {
  auto found = hosts_.find(name);
  return found == hosts_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Host>> Fleet::hosts() const {
  std::vector<std::shared_ptr<Host>> hosts;
  for (const auto& [name, host] : hosts_) hosts.push_back(host);
  return hosts;
}

std::shared_ptr<Host> Fleet::local() const {
  for (const auto& [name, host] : hosts_) {
    if (host->config().origin == Origin::engine_option) return host;
  }
  return nullptr;
}

const HostView& Fleet::local_view() const {
  auto host = local();
  return host ? host->view() : nothing_known_;
}

std::shared_ptr<Host> Fleet::make(HostConfig config, HostReach reach) {
  auto connect = dial(config, reach);
  LinkSettings settings{
      .pace = settings_.pace, .hidden = settings_.hidden, .on_change = [this] { note_change(); }};
  // Of this map, of whoever uses the host now, and of the task that follows it.
  return std::make_shared<Host>(executor_, std::move(config), std::move(connect), settings_.clock,
                                std::move(settings));
}

net::Connect Fleet::dial(const HostConfig& config, const HostReach& reach) const {
  if (settings_.dial) return settings_.dial(reach);
  if (config.origin == Origin::engine_option) {
    return net::dialer(executor_, reach.endpoint, settings_.local.tls);
  }
  return net::dialer(executor_, reach.endpoint);
}

void Fleet::follow(const std::shared_ptr<Host>& host) {
  if (!supervising_ || !host->config().enabled()) return;
  links_.spawn(fmt::format("link to host '{}'", host->name()), Host::follow(host));
}

void Fleet::note_change() {
  ++version_;
  changed_.notify();
}

}  // namespace gantry::fleet
