#include "storage/postgres.hpp"

#include <utility>

#include <fmt/format.h>

namespace gantry::storage {
namespace {
constexpr std::size_t queue_max = 1'024;
}

Postgres::Postgres(PostgresAddress address) : address_{std::move(address)}, thread_{1, queue_max} {}

Postgres::~Postgres() = default;

async::task<std::unique_ptr<Database>> Postgres::open(PostgresAddress address,
                                                      std::filesystem::path data_directory) {
  auto made = std::make_unique<Postgres>(std::move(address));
  co_await made->thread_.run([&made, &data_directory] {
    made->directory_.emplace(data_directory);
    made->session_.emplace(made->address_);
  });
  co_return std::move(made);
}

async::task<void> Postgres::run(TransactionBody body) {
  co_await thread_.run([this, &body] { session_->transact(body); });
}

std::string Postgres::describe() const {
  return fmt::format("PostgreSQL at '{}'", address_.shown());
}

}  // namespace gantry::storage
