#include "executions/registries.hpp"

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "executions/registry_store.hpp"
#include "sandbox/image_rules.hpp"

#include <fmt/format.h>

namespace gantry::executions {
namespace {

constexpr std::size_t registries_max = 100;

std::string context_of(const std::string& host) { return "registry " + host; }

}  // namespace

async::task<void> Registries::start() {
  co_await registry_store::migrate(database_);
  auto rows = co_await storage::transact(database_, &registry_store::load);
  for (auto& row : rows) {
    auto password = sealer_.open(row.sealed, context_of(row.registry.host));
    if (!password) {
      log::warn("{}", password.error().sentence());
      continue;
    }
    auto host = row.registry.host;
    known_.insert_or_assign(std::move(host), Known{std::move(row.registry), std::move(*password)});
  }
}

std::vector<Registry> Registries::list() const {
  std::vector<Registry> registries;
  for (const auto& [host, known] : known_) registries.push_back(known.registry);
  return registries;
}

async::task<Result<Registry>> Registries::put(std::string host, std::string user, Secret password,
                                              Alongside alongside) {
  if (!sandbox::names_registry(host)) {
    co_return fail(json::field_error(
        "host", "must be a registry's host, such as 'ghcr.io' or 'registry.example.com:5000'"));
  }
  if (!known_.contains(host) && known_.size() >= registries_max) {
    co_return fail(
        ErrorKind::exhausted, "too_many_registries",
        fmt::format("cannot add registry '{}': there are {} already", host, known_.size()),
        "remove one first");
  }
  auto now = clock_.now();
  Registry registry{.id = RegistryId{random::sortable_id(now.time_since_epoch().count())},
                    .host = host,
                    .user = std::move(user),
                    .created_at = now};
  registry_store::Row row{registry, sealer_.seal(password.reveal(), context_of(host))};
  co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    registry_store::put(transaction, row);
    if (alongside) alongside(transaction, row.registry);
  });
  known_.insert_or_assign(std::move(host), Known{registry, std::move(password)});
  co_return registry;
}

async::task<Result<>> Registries::remove(RegistryId id, Alongside alongside) {
  for (auto at = known_.begin(); at != known_.end(); ++at) {
    if (at->second.registry.id != id) continue;
    auto registry = at->second.registry;
    co_await storage::transact(database_, [&](storage::Transaction& transaction) {
      registry_store::remove(transaction, id);
      if (alongside) alongside(transaction, registry);
    });
    known_.erase(registry.host);
    co_return ok;
  }
  co_return fail(ErrorKind::not_found, "no_such_registry",
                 fmt::format("cannot remove registry '{}': there is none of this id", id.text()),
                 "list the registries");
}

std::optional<engine::RegistryAuth> Registries::find(const std::string& host) const {
  auto found = known_.find(host);
  if (found == known_.end()) return std::nullopt;
  const auto& [registry, password] = found->second;
  return engine::RegistryAuth{registry.user, password, registry.host};
}

}  // namespace gantry::executions
