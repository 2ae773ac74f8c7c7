#include "base/encoding.hpp"
#include "storage/conformance_fake.hpp"
#include "storage/postgres_server_fake.hpp"

namespace gantry::storage {
namespace {

async::task<std::unique_ptr<Database>> open_sqlite(std::filesystem::path folder) {
  return open("", folder / "data");
}

async::task<std::unique_ptr<Database>> open_postgres(std::filesystem::path folder) {
  if (auto reason = PostgresServer::missing(); !reason.empty()) throw NotHere{reason};
  auto schema = "t" + encoding::sha256_hex(folder.string()).substr(0, 20);
  co_return co_await open(PostgresServer::shared().url(schema), folder / "data");
}

INSTANTIATE_TEST_SUITE_P(Sqlite, DatabaseConformance, testing::Values(open_sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, DatabaseConformance, testing::Values(open_postgres));

}  // namespace
}  // namespace gantry::storage
