#include "main/database_options.hpp"

#include "storage/existing.hpp"

#include <fstream>
#include <utility>

#include <fmt/format.h>

namespace gantry::main {
namespace {
constexpr std::size_t secret_max = 4'096;
}

Result<Secret> secret_line(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::string line;
  std::getline(in, line);
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty() || line.size() > secret_max) {
    return fail(
        ErrorKind::invalid, "password_unreadable",
        fmt::format("cannot read a password from '{}': its first line must be one", file.string()),
        "check the file and who may read it");
  }
  return Secret{std::move(line)};
}

async::task<std::unique_ptr<storage::Database>> open_database(DatabaseOptions options) {
  std::optional<Secret> password;
  if (!options.password_file.empty()) {
    password.emplace(value_or_throw(secret_line(options.password_file)));
  }
  co_return co_await storage::open(std::move(options.url), std::move(options.data_dir),
                                   std::move(password));
}

async::task<std::unique_ptr<storage::Database>> open_existing_database(DatabaseOptions options) {
  storage::require_existing(options.url, options.data_dir);
  co_return co_await open_database(std::move(options));
}

}  // namespace gantry::main
