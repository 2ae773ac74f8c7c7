#include "main/backup.hpp"

#include "async/attempt.hpp"
#include "async/scope.hpp"
#include "base/log.hpp"
#include "main/key_bundle.hpp"
#include "main/private_file.hpp"
#include "main/schemas.hpp"
#include "main/version.hpp"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <numeric>
#include <system_error>

#include <boost/asio/io_context.hpp>  // the composition root owns the loop
#include <fmt/format.h>

namespace gantry::main {
namespace fs = std::filesystem;
namespace {

KeyFiles keys_in(const fs::path& folder) {
  KeyFiles files;
  for (auto name : key_file_names) {
    std::ifstream file{folder / name, std::ios::binary};
    std::string content{std::istreambuf_iterator<char>{file}, {}};
    if (!content.empty()) files.emplace(name, Secret{std::move(content)});
  }
  return files;
}

std::string counted(const storage::BackupRows& rows) {
  auto total = std::accumulate(rows.begin(), rows.end(), std::int64_t{0},
                               [](std::int64_t sum, const auto& one) { return sum + one.second; });
  return fmt::format("{} rows of {} tables", total, rows.size());
}

async::task<void> write(const BackupCommand& command) {
  storage::BackupHead head{.program = std::string{version}, .made_at = Clock{}.now()};
  bool with_keys = !command.passphrase_file.empty();
  if (with_keys) {
    auto passphrase = value_or_throw(secret_line(command.passphrase_file));
    head.sealed = value_or_throw(seal_keys(keys_in(command.database.data_dir), passphrase));
  }
  auto database = co_await open_existing_database(command.database);
  auto rows = co_await storage::write_backup(*database, command.file, head, command.replace);
  fmt::print("Wrote {} from {} to '{}'.\n", counted(rows), database->describe(),
             command.file.string());
  fmt::print("{}", with_keys
                       ? "The data directory's keys are in it, sealed with the passphrase.\n"
                       : "The data directory's keys are not in it: keep 'secret.key' elsewhere, or "
                         "give --passphrase-file.\n");
}

KeyFiles sealed_keys(const BackupCommand& command, const storage::BackupHead& head) {
  if (command.passphrase_file.empty() || head.sealed.empty()) return {};
  auto passphrase = value_or_throw(secret_line(command.passphrase_file));
  return value_or_throw(open_keys(head.sealed, passphrase));
}

void check_keys(const BackupCommand& command, const KeyFiles& keys) {
  auto here = keys_in(command.database.data_dir);
  for (const auto& [name, content] : keys) {
    auto known = here.find(name);
    bool other = known != here.end() && known->second.reveal() != content.reveal();
    if (!other || command.replace == storage::Replace::allowed) continue;
    throw Failure{{ErrorKind::conflict, "already_exists",
                   fmt::format("cannot restore '{}': there is another one in '{}'", name,
                               command.database.data_dir.string()),
                   "give --force to replace it, or another --data-dir"}};
  }
}

async::task<void> read(const BackupCommand& command) {
  auto head = value_or_throw(storage::check_backup(command.file));
  auto keys = sealed_keys(command, head);
  auto database = co_await open_database(command.database);
  bool used = !co_await storage::is_empty(*database);
  if (used && command.replace == storage::Replace::refused) {
    throw Failure{{ErrorKind::conflict, "database_not_empty",
                   fmt::format("cannot restore into {}: it is in use", database->describe()),
                   "give --force to replace all it holds, or another --data-dir or --database"}};
  }
  check_keys(command, keys);
  co_await migrate_all(*database);
  auto rows = co_await storage::restore_backup(*database, command.file);
  for (const auto& [name, content] : keys) {
    write_private(command.database.data_dir / name, content.reveal());
  }
  fmt::print("Restored {} of {} into {}.\n", counted(rows), rfc3339(head.made_at),
             database->describe());
  if (!head.sealed.empty() && keys.empty()) {
    fmt::print("The backup holds keys, too: give --passphrase-file to restore them.\n");
  }
  if (!fs::exists(command.database.data_dir / "secret.key")) {
    fmt::print(
        "There is no 'secret.key' in '{}': bring it back before the server starts, or the "
        "secrets in the database can not be read.\n",
        command.database.data_dir.string());
  }
}

async::task<void> run_and_report(const BackupCommand& command, int& exit_code) {
  auto done = co_await async::attempt(
      command.action == BackupCommand::Action::backup ? write(command) : read(command));
  if (done) co_return;
  if (done.error().code == "already_running") {
    done.error().remedy = command.action == BackupCommand::Action::backup
                              ? "ask that server for a copy while it runs (POST /api/v1/backups, "
                                "docs/operating.md), or stop it first"
                              : "stop that server first";
  }
  log::flush();
  fmt::print(stderr, "gantry: {}\n", done.error().sentence());
  exit_code = traits(done.error().kind).exit_code;
}

}  // namespace

int back_up(const BackupCommand& command) {
  log::start(log::Level::warn, log::Style::text);
  int exit_code = 0;
  {
    boost::asio::io_context loop{1};
    async::TaskScope root{loop.get_executor()};
    root.spawn("backup", run_and_report(command, exit_code));
    loop.run();
  }
  log::stop();
  return exit_code;
}

}  // namespace gantry::main
