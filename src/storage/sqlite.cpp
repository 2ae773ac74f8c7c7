#include "storage/sqlite.hpp"

#include <utility>

#include <fmt/format.h>

namespace gantry::storage {
namespace {
constexpr std::size_t queue_max = 1'024;
}

Sqlite::Sqlite(std::filesystem::path file) : file_{std::move(file)}, thread_{1, queue_max} {}

Sqlite::~Sqlite() = default;

async::task<std::unique_ptr<Database>> Sqlite::open(std::filesystem::path file,
                                                    std::filesystem::path data_directory) {
  auto made = std::make_unique<Sqlite>(std::move(file));
  co_await made->thread_.run([&made, &data_directory] {
    made->directory_.emplace(data_directory);
    made->connection_ = std::make_unique<SqliteConnection>(made->file_);
  });
  co_return std::move(made);
}

async::task<void> Sqlite::run(TransactionBody body) {
  co_await thread_.run([this, &body] { connection_->transact(body); });
}

std::string Sqlite::describe() const { return fmt::format("SQLite at '{}'", file_.string()); }

}  // namespace gantry::storage
