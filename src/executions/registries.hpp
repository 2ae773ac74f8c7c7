#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "base/sealer.hpp"
#include "base/secret.hpp"
#include "engine/images.hpp"
#include "storage/database.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gantry::executions {

using RegistryId = Id<struct RegistryTag>;

/// Who this server is to one registry. The password is on disk only sealed.
struct Registry {
  RegistryId id;
  std::string host;  ///< `ghcr.io`, `registry.example.com:5000`; `docker.io` for Docker's own
  std::string user;
  WallTime created_at;
};

/// What belongs into the same transaction as a change: its line in the audit log.
using Alongside = std::function<void(storage::Transaction&, const Registry&)>;

/// The registries that want to know who pulls. Read once, written through.
class Registries {
 public:
  Registries(storage::Database& database, Sealer sealer, Clock clock)
      : database_{database}, sealer_{std::move(sealer)}, clock_{clock} {}

  /// Makes the table and reads it. A password that does not open is left out with a warning.
  async::task<void> start();

  std::vector<Registry> list() const;  ///< by host
  /// Adds one, or replaces that of the same host. Refused: invalid (`invalid_field`) for what is
  /// no registry's host; exhausted (`too_many_registries`).
  async::task<Result<Registry>> put(std::string host, std::string user, Secret password,
                                    Alongside alongside = {});
  /// Refused: not_found (`no_such_registry`).
  async::task<Result<>> remove(RegistryId id, Alongside alongside = {});
  /// For exactly that host, port included, and no other.
  std::optional<engine::RegistryAuth> find(const std::string& host) const;

 private:
  struct Known {
    Registry registry;
    Secret password;
  };
  storage::Database& database_;
  Sealer sealer_;
  Clock clock_;
  std::map<std::string, Known> known_;  ///< by host
};

}  // namespace gantry::executions
