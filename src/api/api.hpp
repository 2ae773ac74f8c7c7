#pragma once

#include "access/access.hpp"
#include "api/console.hpp"
#include "api/mcp_calls.hpp"
#include "api/request_metrics.hpp"
#include "async/descriptor.hpp"
#include "async/task.hpp"
#include "async/workers.hpp"
#include "base/clock.hpp"
#include "engine/client.hpp"
#include "executions/executions.hpp"
#include "executions/image_keeper.hpp"
#include "executions/registries.hpp"
#include "fleet/fleet.hpp"
#include "fleet/log_hub.hpp"
#include "fleet/operations.hpp"
#include "fleet/recordings.hpp"
#include "fleet/stats_hub.hpp"
#include "fleet/terminals.hpp"
#include "monitor/doctors.hpp"
#include "net/http_server.hpp"
#include "sandbox/images.hpp"
#include "sandbox/languages.hpp"
#include "sandbox/policy_bounds.hpp"
#include "sandbox/pool.hpp"
#include "storage/metered.hpp"

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// What the world sees of Gantry over HTTP: the contract is openapi.yaml.
namespace gantry::api {

/// Whether `/execute`, `/metrics` and Piston's routes answer without a credential on loopback
/// listeners.
enum class AnonymousExecute { refused, on_loopback };

/// How the database is copied while the server runs.
struct Backups {
  /// A nameless file that holds the copy, at its beginning; none: there are no copies.
  std::function<async::task<async::Descriptor>()> make = {};
  bool under_way = false;
};

/// Everything the API speaks for, and what it must know of this process. Borrowed: all of it
/// outlives the Api.
struct Services {
  async::Executor executor;
  access::Access& access;
  executions::Executions& executions;
  /// The hosts. Hold what `find` gives for as long as a request uses it.
  fleet::Fleet& fleet;
  /// Who looks at a host when it can not be used.
  monitor::Doctors& doctors;
  /// Every change to a host goes through it.
  fleet::Operations& operations;
  /// What containers write and use, for any number of people at once.
  fleet::LogHub& logs;
  fleet::StatsHub& stats;
  /// Shells and commands in containers, and what was recorded of the shells.
  fleet::Terminals& terminals;
  fleet::Recordings& recordings;
  /// The engine that runs sandboxes.
  engine::Client& engine;
  executions::Registries& registries;
  const executions::ImageKeeper& images;
  const sandbox::ImageAliases& aliases;
  /// For whatever takes over a millisecond: parsing and writing bodies above 256 KiB.
  async::Workers& workers;
  Clock clock;
  std::string version;
  WallTime started_at;
  AnonymousExecute anonymous_execute = AnonymousExecute::refused;
  /// Names that may stand in the Host header on listeners that are not loopback, besides IP
  /// addresses and `localhost`. Without port, lower case.
  std::vector<std::string> allowed_hosts;
  /// What waits for programs now; none: nothing does.
  std::function<std::vector<sandbox::PoolView>()> pools = {};
  /// What the containers among that may cost together, as estimated.
  Bytes pool_memory_max{};
  /// Whose pages may call Piston's routes: `https://example.org`, lower case.
  std::vector<std::string> allowed_origins = {};
  const sandbox::Languages& languages = sandbox::shipped_languages();
  sandbox::ServerBounds bounds;
  std::span<const Asset> console = console_assets();
  mcp::Calls mcp_calls = {};
  Backups backups = {};
  /// For /metrics; absent: not told.
  const storage::DatabaseStats* database = nullptr;
  const RequestMetrics* requests = nullptr;  ///< Set by the Api itself.
  /// Where people sign in besides; none: nowhere.
  access::Oidc* oidc = nullptr;
  /// What ought to worry the owner of this server, one sentence each; may grow while it starts.
  const std::vector<std::string>* warnings = nullptr;
};

/// Answers every request of every listener. Belongs to the event loop.
class Api {
 public:
  explicit Api(Services services) : services_{std::move(services)} {
    services_.requests = &requests_;
  }
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  /// The handler for net::http::Server; must outlive its connections.
  async::task<void> handle(net::http::Exchange& exchange);

 private:
  Services services_;
  RequestMetrics requests_;
};

}  // namespace gantry::api
