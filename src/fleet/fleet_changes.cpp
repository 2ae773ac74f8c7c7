#include "async/attempt.hpp"
#include "async/finally.hpp"
#include "base/counted.hpp"
#include "base/json.hpp"
#include "base/random.hpp"
#include "fleet/fleet.hpp"

#include <fmt/format.h>

// What people change about hosts.
namespace gantry::fleet {
namespace {

std::unexpected<Error> no_such_host(std::string_view verb, std::string_view name) {
  return fail(ErrorKind::not_found, "no_such_host",
              fmt::format("cannot {} host '{}': there is none of that name", verb, name),
              "list the hosts");
}

template <class T>
void tell(json::Object& into, const char* name, const std::optional<T>& value) {
  if (value) into[name] = json::Value(*value);
}

/// Which of some secrets are spoken of, without what they are.
json::Array names_of(std::initializer_list<std::pair<const char*, bool>> members) {
  json::Array names;
  for (auto [name, spoken_of] : members) {
    if (spoken_of) names.emplace_back(name);
  }
  return names;
}

/// The wish as the audit log tells it.
json::Object told(const HostWish& wish) {
  json::Object out;
  tell(out, "name", wish.name);
  tell(out, "endpoint", wish.endpoint);
  tell(out, "note", wish.note);
  if (wish.labels) {
    json::Object labels;
    for (const auto& [name, value] : *wish.labels) labels[name] = value;
    out["labels"] = masked(labels);
  }
  if (wish.groups) out["groups"] = json::Array(wish.groups->begin(), wish.groups->end());
  if (wish.usual) out["default"] = wish.usual == HostConfig::Usual::yes;
  if (wish.standing) out["enabled"] = wish.standing == Standing::enabled;
  if (wish.clear_text) out["insecure_tcp"] = wish.clear_text == ClearText::allowed;
  if (wish.tls) {
    out["tls"] = names_of({{"ca", wish.tls->authorities.has_value()},
                           {"certificate", wish.tls->certificate.has_value()},
                           {"key", wish.tls->key.has_value()}});
  }
  if (wish.ssh) {
    out["ssh"] = names_of({{"jump", wish.ssh->jumps.has_value()},
                           {"identity", wish.ssh->identity.has_value()},
                           {"identity_file", wish.ssh->identity_file.has_value()},
                           {"passphrase", wish.ssh->passphrase.has_value()},
                           {"password", wish.ssh->password.has_value()},
                           {"certificate", wish.ssh->certificate.has_value()},
                           {"use_agent", wish.ssh->agent.has_value()},
                           {"config", wish.ssh->config.has_value()}});
  }
  return out;
}

Error ended(const std::string& name, std::string_view how) {
  return {ErrorKind::conflict, "host_ended",
          fmt::format("cannot use host '{}': it was {}", name, how), "ask again"};
}

}  // namespace

/// Held by whoever changes something.
class Fleet::Turn {
 public:
  explicit Turn(Fleet& fleet) : fleet_{fleet} {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    fleet_.changing_ = false;
    fleet_.turn_over_.notify();
  }

 private:
  Fleet& fleet_;
};

async::task<void> Fleet::take_turn() {
  while (changing_) co_await turn_over_.wait();
  changing_ = true;
}

async::task<Result<>> Fleet::write(hosts_store::Row row, access::AuditEntry entry, RowIs row_is) {
  auto now = settings_.clock.now();
  bool fresh = row_is == RowIs::fresh;
  co_return co_await storage::transact(
      database_, [&](storage::Transaction& transaction) -> Result<> {
        auto put =
            fresh ? hosts_store::add(transaction, row) : hosts_store::change(transaction, row);
        if (put == hosts_store::Put::name_taken) {
          return fail(ErrorKind::conflict, "already_exists",
                      fmt::format("cannot {} host '{}': there is one of that name",
                                  fresh ? "add" : "change", row.name),
                      "choose another name");
        }
        if (row.usual == HostConfig::Usual::yes) hosts_store::set_usual(transaction, row.id);
        access::audit::append(transaction, entry, now);
        return ok;
      });
}

async::task<Result<std::shared_ptr<Host>>> Fleet::add(Actor by, HostWish wish) {
  co_await take_turn();
  Turn turn{*this};
  auto record = fulfilled({}, wish);
  if (!record) co_return fail(std::move(record.error()));
  auto& config = record->config;
  if (hosts_.size() >= hosts_max) {
    co_return fail(
        ErrorKind::exhausted, "too_many_hosts",
        fmt::format("cannot add host '{}': there are {} already", config.name, hosts_max),
        "remove one first");
  }
  config.created_at = config.updated_at = settings_.clock.now();
  config.id = HostId{random::sortable_id(config.created_at.time_since_epoch().count())};
  access::AuditEntry entry{.actor = by.name,
                           .action = "host.add",
                           .target = config.name,
                           .outcome = "ok",
                           .details = json::serialize(told(wish))};
  auto written = co_await write(row_of(*record, settings_.sealer), std::move(entry), RowIs::fresh);
  if (!written) co_return fail(std::move(written.error()));
  auto host = make(std::move(*record));
  apply_usual(*host);
  put(host);
  events_.note_host(host->config().id, host->name(), "added");
  co_return host;
}

async::task<Result<std::shared_ptr<Host>>> Fleet::change(Actor by, std::string name,
                                                         HostWish wish) {
  co_await take_turn();
  Turn turn{*this};
  auto host = find(name);
  if (!host) co_return no_such_host("change", name);
  auto record = fulfilled(host->record_, wish);
  if (!record) co_return fail(std::move(record.error()));
  record->config.updated_at = settings_.clock.now();
  access::AuditEntry entry{.actor = by.name,
                           .action = "host.change",
                           .target = name,
                           .outcome = "ok",
                           .details = json::serialize(told(wish))};
  auto written = co_await write(row_of(*record, settings_.sealer), std::move(entry), RowIs::known);
  if (!written) co_return fail(std::move(written.error()));
  auto changed = apply(host, std::move(*record));
  events_.note_host(changed->config().id, changed->name(), "changed");
  co_return changed;
}

/// The host as it is from now on: another one when it is reached in another way.
std::shared_ptr<Host> Fleet::apply(std::shared_ptr<Host> host, HostRecord record) {
  bool stays =
      same_reach(host->reach(), record.reach) && host->config().standing == record.config.standing;
  hosts_.erase(host->name());
  if (stays) {
    host->record_ = std::move(record);
    hosts_.insert_or_assign(host->name(), host);
    note_change();
  } else {
    auto successor = make(std::move(record));
    successor->link_.inherit(host->view());
    host->end(ended(host->name(), successor->config().enabled() ? "changed" : "disabled"));
    host = std::move(successor);
    put(host);
  }
  apply_usual(*host);
  return host;
}

void Fleet::apply_usual(const Host& host) {
  if (host.config().usual != HostConfig::Usual::yes) return;
  for (const auto& [name, other] : hosts_) {
    if (other.get() != &host) other->record_.config.usual = HostConfig::Usual::no;
  }
}

async::task<Result<>> Fleet::remove(Actor by, std::string name) {
  co_await take_turn();
  Turn turn{*this};
  auto host = find(name);
  if (!host) co_return no_such_host("remove", name);
  auto now = settings_.clock.now();
  access::AuditEntry entry{
      .actor = by.name, .action = "host.remove", .target = name, .outcome = "ok", .details = {}};
  co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    hosts_store::remove(transaction, host->config().id);
    access::audit::append(transaction, entry, now);
  });
  hosts_.erase(host->name());
  host->end(ended(name, "removed"));
  events_.note_host(host->config().id, name, "removed");
  note_change();
  co_return ok;
}

namespace {

async::task<void> close_tunnel(net::SshTunnel* tunnel) {
  if (tunnel != nullptr) co_await tunnel->close();
}

/// So many tests of hosts at once: each may start programs.
constexpr std::size_t probes_max = 16;

async::task<void> append(storage::Database& database, access::AuditEntry entry, WallTime now) {
  co_await storage::transact(database, [&](storage::Transaction& transaction) {
    access::audit::append(transaction, entry, now);
  });
}

}  // namespace

async::task<Result<net::SshHostKey>> Fleet::trust(Actor by, std::string name,
                                                  std::string fingerprint) {
  auto host = find(name);
  if (!host) co_return no_such_host("trust", name);
  if (host->config().endpoint.scheme() != net::Endpoint::Scheme::ssh) {
    co_return fail(
        ErrorKind::conflict, "no_host_key",
        fmt::format("cannot trust host '{}': it is not reached by SSH, so it has no key", name));
  }
  auto entry =
      access::AuditEntry{.actor = by.name,
                         .action = "host.trust",
                         .target = name,
                         .outcome = "begun",
                         .details = json::serialize(json::Object{{"fingerprint", fingerprint}})};
  co_await append(database_, entry, settings_.clock.now());
  // A tunnel of its own: a disabled host has none, and one that rests need not wake for it.
  auto fresh = way(host->config(), host->reach());
  if (!fresh.tunnel) co_return fail(ended(name, "made unusable"));
  auto* tunnel = fresh.tunnel.get();
  auto trusted = co_await async::finally(async::attempt(tunnel->trust(std::move(fingerprint))),
                                         close_tunnel(tunnel));
  entry.outcome = trusted ? "ok" : trusted.error().code;
  co_await append(database_, entry, settings_.clock.now());
  if (trusted && host->tunnel_ && !host->ended()) {
    host->tunnel_->retry();
    host->link_.retry();
  }
  co_return trusted;
}

async::task<Result<Probe>> Fleet::probe(std::string name) {
  auto host = find(name);
  if (!host) co_return no_such_host("test", name);
  ProbedWay probed{.endpoint = host->config().endpoint};
  if (host->config().follows_option()) probed.tls = settings_.local.tls;
  if (probed.endpoint.scheme() == net::Endpoint::Scheme::tls && !probed.tls) {
    auto tls = tls_client(host->reach().tls);
    if (!tls) co_return fail(std::move(tls.error()));
    probed.tls = std::move(*tls);
  }
  if (probes_ >= probes_max) {
    co_return fail(ErrorKind::exhausted, "too_many_tests",
                   fmt::format("cannot test host '{}': {} tests are under way", name, probes_),
                   "try again when they are done");
  }
  Counted counted{probes_};
  auto fresh = way(host->config(), host->reach());
  probed.tunnel = fresh.tunnel.get();
  // What is found out for whoever dials the host is not found out anew for each test of it.
  probed.dress = host->dress_;
  probed.connect = probed.dress ? probed.dress(fresh.connect) : fresh.connect;
  auto done = co_await async::finally(probe_way(executor_, std::move(probed)),
                                      close_tunnel(fresh.tunnel.get()));
  // What was refused has been mended.
  if (done.reached() && host->tunnel_ && !host->ended()) host->tunnel_->retry();
  host->try_again();
  co_return done;
}

}  // namespace gantry::fleet
