#include "fleet/open_execs_store.hpp"

#include "base/text.hpp"
#include "storage/migrations.hpp"

#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::fleet::open_execs_store {
namespace {

constexpr std::array migrations{storage::Migration{1, "open execs", R"(
  CREATE TABLE open_execs (
    exec text PRIMARY KEY,
    owner text NOT NULL,
    host_id text NOT NULL,
    container text NOT NULL,
    run_as text NOT NULL,
    mark text NOT NULL,
    shells text NOT NULL,
    session_id bigint,
    since bigint NOT NULL
  ))"}};

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (auto word : text::split(text, ' ')) {
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "open_execs", migrations);
}

std::vector<OpenExec> load(storage::Transaction& transaction, const std::string& owner) {
  std::vector<OpenExec> all;
  for (const auto& row :
       transaction.query("SELECT host_id, container, exec, run_as, mark, shells, session_id, since "
                         "FROM open_execs WHERE owner = $1 ORDER BY since DESC LIMIT 1000",
                         owner)) {
    all.push_back({.host = row.id<HostId>(0),
                   .exec = {.container = row.text(1),
                            .exec = row.text(2),
                            .user = row.text(3),
                            .mark = row.text(4),
                            .shells = words_of(row.text(5)),
                            .session = row.integer_or_null(6)},
                   .since = row.time(7)});
  }
  return all;
}

void put(storage::Transaction& transaction, const std::string& owner, const OpenExec& open) {
  const auto& exec = open.exec;
  transaction.execute(
      "INSERT INTO open_execs (exec, owner, host_id, container, run_as, mark, shells, session_id, "
      "since) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
      "ON CONFLICT (exec) DO UPDATE SET session_id = excluded.session_id",
      exec.exec, owner, open.host, exec.container, exec.user, exec.mark,
      fmt::format("{}", fmt::join(exec.shells, " ")), exec.session, open.since);
}

void remove(storage::Transaction& transaction, const std::string& exec) {
  transaction.execute("DELETE FROM open_execs WHERE exec = $1", exec);
}

std::int64_t prune(storage::Transaction& transaction, WallTime before) {
  return transaction.execute("DELETE FROM open_execs WHERE since < $1", before);
}

}  // namespace gantry::fleet::open_execs_store
