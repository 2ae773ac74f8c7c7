#include "storage/testing_fake.hpp"

#include "base/encoding.hpp"
#include "storage/postgres_server_fake.hpp"

#include <string>
#include <string_view>

namespace gantry::storage {

async::task<std::unique_ptr<Database>> open_for_test(std::filesystem::path data_directory) {
  const auto* wanted = std::getenv("GANTRY_TEST_DATABASE");
  std::string url;
  if (wanted != nullptr && std::string_view{wanted} == "postgresql") {
    if (auto reason = PostgresServer::missing(); !reason.empty()) throw NotHere{reason};
    auto schema = "t" + encoding::sha256_hex(data_directory.string()).substr(0, 20);
    url = PostgresServer::shared().url(schema);
  }
  co_return co_await open(std::move(url), std::move(data_directory));
}

}  // namespace gantry::storage
