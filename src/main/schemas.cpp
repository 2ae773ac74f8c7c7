#include "main/schemas.hpp"

#include "access/access.hpp"
#include "executions/execution_store.hpp"
#include "executions/image_store.hpp"
#include "executions/registry_store.hpp"
#include "executions/webhook_store.hpp"
#include "fleet/hosts_store.hpp"
#include "fleet/open_execs_store.hpp"
#include "fleet/recordings_store.hpp"
#include "main/secret_key_store.hpp"
#include "monitor/report_store.hpp"

namespace gantry::main {

async::task<void> migrate_all(storage::Database& database) {
  co_await access::migrate(database);
  co_await secret_key_store::migrate(database);
  co_await fleet::hosts_store::migrate(database);
  co_await fleet::recordings_store::migrate(database);
  co_await fleet::open_execs_store::migrate(database);
  co_await monitor::report_store::migrate(database);
  co_await executions::registry_store::migrate(database);
  co_await executions::image_store::migrate(database);
  co_await executions::store::migrate(database);
  co_await executions::store::migrate_webhooks(database);
}

}  // namespace gantry::main
