#include "base/text.hpp"
#include "storage/database.hpp"
#include "storage/existing.hpp"
#include "storage/postgres.hpp"
#include "storage/sqlite.hpp"

#include <fmt/format.h>

namespace gantry::storage {
namespace {

/// Whether it begins like `mysql:`: a word and a colon, before any `/`.
bool has_scheme(std::string_view text) {
  auto colon = text.find(':');
  return colon != text.npos && colon < text.find('/');
}

bool is_postgres(std::string_view url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

std::filesystem::path file_of(const std::string& url, const std::filesystem::path& directory) {
  constexpr std::string_view scheme = "sqlite:";
  if (url.empty()) return directory / "gantry.db";
  if (url.starts_with(scheme) && url.size() > scheme.size()) return url.substr(scheme.size());
  if (!has_scheme(url)) return url;
  throw Failure{{ErrorKind::invalid, "database_unsupported",
                 fmt::format("cannot use database '{}': not a kind of database gantry knows",
                             text::one_line(text::without_url_password(url))),
                 "leave --database out, or give it the path of a file or a postgresql:// address"}};
}

}  // namespace

void require_existing(const std::string& url, const std::filesystem::path& data_directory) {
  if (is_postgres(url)) return;
  auto file = file_of(url, data_directory);
  std::error_code unseen;
  if (std::filesystem::exists(file, unseen)) return;
  throw Failure{{ErrorKind::not_found, "no_database",
                 fmt::format("cannot find database '{}': {}", file.string(),
                             unseen ? unseen.message() : "there is no such file"),
                 "name the server's data directory with --data-dir, or the file with --database"}};
}

async::task<std::unique_ptr<Database>> open(std::string url, std::filesystem::path data_directory,
                                            std::optional<Secret> password) {
  if (is_postgres(url)) {
    co_return co_await Postgres::open({std::move(url), std::move(password)},
                                      std::move(data_directory));
  }
  auto file = file_of(url, data_directory);
  co_return co_await Sqlite::open(std::move(file), std::move(data_directory));
}

}  // namespace gantry::storage
