#include "fleet/fleet.hpp"

#include "async/finally.hpp"
#include "base/log.hpp"
#include "base/random.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::fleet {

Fleet::Fleet(async::Executor executor, storage::Database& database, Settings settings)
    : executor_{executor},
      database_{database},
      settings_{std::move(settings)},
      events_{executor, settings_.clock},
      turn_over_{executor},
      begun_{executor},
      changed_{executor},
      links_{executor} {
  nothing_known_.endpoint = settings_.local.endpoint.text();
}

async::task<void> Fleet::start() {
  co_await hosts_store::migrate(database_);
  co_await load();
}

HostRecord Fleet::local_record() const {
  auto now = settings_.clock.now();
  return {.config = {.id = HostId{random::sortable_id(now.time_since_epoch().count())},
                     .name = "local",
                     .endpoint = settings_.local.endpoint,
                     .usual = HostConfig::Usual::yes,
                     .origin = Origin::engine_option,
                     .created_at = now,
                     .updated_at = now},
          .reach = {.endpoint = settings_.local.endpoint}};
}

/// Reads the table; at the first start the local engine is put into it, at later ones its endpoint
/// follows the option.
async::task<void> Fleet::load() {
  auto fresh = row_of(local_record(), settings_.sealer);
  auto rows = co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    if (!hosts_store::local_registered(transaction)) {
      hosts_store::add(transaction, fresh);
      hosts_store::set_local_registered(transaction);
    }
    auto found = hosts_store::load(transaction);
    for (auto& row : found) {
      if (row.origin != Origin::engine_option || row.endpoint == fresh.endpoint) continue;
      row.endpoint = fresh.endpoint;
      hosts_store::change(transaction, row);
    }
    return found;
  });
  for (const auto& row : rows) put(make(record_of(row, settings_.sealer)));
}

void Fleet::supervise() {
  supervising_ = true;
  begun_.notify();
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

std::shared_ptr<Host> Fleet::find(const HostId& id) const {
  for (const auto& [name, host] : hosts_) {
    if (host->config().id == id) return host;
  }
  return nullptr;
}

std::vector<std::shared_ptr<Host>> Fleet::hosts() const {
  std::vector<std::shared_ptr<Host>> hosts;
  hosts.reserve(hosts_.size());
  for (const auto& [name, host] : hosts_) hosts.push_back(host);
  return hosts;
}

std::shared_ptr<Host> Fleet::usual() const {
  for (const auto& [name, host] : hosts_) {
    if (host->config().usual == HostConfig::Usual::yes) return host;
  }
  return hosts_.size() == 1 ? hosts_.begin()->second : nullptr;
}

std::shared_ptr<Host> Fleet::local() const {
  for (const auto& [name, host] : hosts_) {
    if (host->config().follows_option()) return host;
  }
  return nullptr;
}

const HostView& Fleet::local_view() const {
  auto host = local();
  return host ? host->view() : nothing_known_;
}

LinkSettings Fleet::link_settings(const HostConfig& config) {
  const auto& id = config.id;
  // By its id: a host may be renamed while it is followed. A disabled one enters that state while
  // it is made, before it can be found.
  auto name = [this, id, first = config.name] {
    auto host = find(id);
    return host ? host->name() : first;
  };
  return {
      .pace = settings_.pace,
      .hidden = settings_.hidden,
      .on_change = [this] { note_change(); },
      .on_event = [this, id, name](const engine::Event& event) { events_.note(id, name(), event); },
      .on_state = [this, id,
                   name](EngineState state) { events_.note_host(id, name(), word(state)); }};
}

std::shared_ptr<Host> Fleet::make(HostRecord record) {
  auto way_there = dressed(way(record.config, record.reach), record.reach.endpoint);
  auto settings = link_settings(record.config);
  // Of this map, of whoever uses the host now, and of the task that follows it.
  auto host = std::make_shared<Host>(executor_, std::move(record), std::move(way_there),
                                     settings_.clock, std::move(settings));
  for (const auto& warning : host->warnings()) log::warn("host '{}': {}", host->name(), warning);
  return host;
}

HostWay Fleet::way(const HostConfig& config, const HostReach& reach) const {
  if (reach.unusable) return {.connect = refusing(*reach.unusable)};
  if (settings_.dial) return {.connect = settings_.dial(reach)};
  if (config.follows_option()) {
    return {.connect = net::dialer(executor_, reach.endpoint, settings_.local.tls)};
  }
  if (reach.endpoint.scheme() == net::Endpoint::Scheme::ssh) {
    auto tunnel =
        std::make_unique<net::SshTunnel>(executor_, reach.endpoint, reach.ssh, settings_.ssh);
    auto connect = tunnel->connector();
    return {.connect = std::move(connect), .tunnel = std::move(tunnel)};
  }
  std::optional<net::TlsClient> tls;
  if (reach.endpoint.scheme() == net::Endpoint::Scheme::tls) {
    tls = value_or_throw(tls_client(reach.tls));
  }
  return {.connect = net::dialer(executor_, reach.endpoint, std::move(tls))};
}

HostWay Fleet::dressed(HostWay way, const net::Endpoint& endpoint) const {
  if (!settings_.tailor) return way;
  way.dress = settings_.tailor(endpoint, way.tunnel.get());
  way.connect = way.dress(std::move(way.connect));
  return way;
}

void Fleet::put(std::shared_ptr<Host> host) {
  links_.spawn(fmt::format("link to host '{}'", host->name()), follow(host));
  auto name = host->name();
  hosts_.insert_or_assign(std::move(name), std::move(host));
  note_change();
}

/// Everything that runs for a host, until it ends.
async::task<void> Fleet::follow(std::shared_ptr<Host> host) {
  co_await async::finally(run_until_ended(host), host->close_way());
}

async::task<void> Fleet::run_until_ended(std::shared_ptr<Host> host) {
  co_await async::race(supervise_when_told(host), host->until_ended());
}

async::task<void> Fleet::supervise_when_told(std::shared_ptr<Host> host) {
  while (!supervising_ || !host->config().enabled()) co_await begun_.wait();
  co_await host->link_.supervise();
}

void Fleet::note_change() {
  ++version_;
  changed_.notify();
}

}  // namespace gantry::fleet
