#include "main/backup_options.hpp"

#include "main/options.hpp"
#include "net/http_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::main {
namespace {

Result<Invocation> read(std::vector<std::string> arguments) {
  Surroundings world;
  world.variables["HOME"] = "/home/ann";
  world.exists = [](const std::filesystem::path&) { return false; };
  world.is_file = [](const std::filesystem::path&) { return false; };
  world.read = [](const std::filesystem::path&) -> Result<std::string> { return ""; };
  return read_options(std::move(arguments), world);
}

BackupCommand command(std::vector<std::string> arguments) {
  return std::get<BackupCommand>(value_or_throw(read(std::move(arguments))).command);
}

TEST(BackupOptions, ABackupSaysWhatAndWhere) {
  auto backup = command({"backup", "--data-dir", "/srv/gantry", "--passphrase-file", "/p", "/b"});
  EXPECT_EQ(backup.action, BackupCommand::Action::backup);
  EXPECT_EQ(backup.database.data_dir, "/srv/gantry");
  EXPECT_EQ(backup.database.url, "");
  EXPECT_EQ(backup.passphrase_file, "/p");
  EXPECT_EQ(backup.file, "/b");
  EXPECT_EQ(backup.replace, storage::Replace::refused);
}

TEST(BackupOptions, ARestoreMayBeForcedIntoAnotherDatabase) {
  auto restore = command({"restore", "--force", "--database", "postgresql://db/gantry", "b"});
  EXPECT_EQ(restore.action, BackupCommand::Action::restore);
  EXPECT_EQ(restore.database.url, "postgresql://db/gantry");
  EXPECT_EQ(restore.replace, storage::Replace::allowed);
}

TEST(BackupOptions, WithoutAFileItIsRefused) {
  EXPECT_EQ(read({"backup"}).error().kind, ErrorKind::invalid);
  EXPECT_EQ(read({"restore"}).error().kind, ErrorKind::invalid);
}

TEST(ServeOptions, TrustedProxiesAreReadAndChecked) {
  auto serve = std::get<ServeOptions>(
      value_or_throw(read({"serve", "--trusted-proxy", "10.0.0.0/8"})).command);
  net::http::Peer proxy{.address = "10.1.2.3"};
  net::http::RequestHead request{"GET", "/", {{"X-Forwarded-For", "203.0.113.7"}}};
  EXPECT_EQ(serve.trusted_proxies.origin(proxy, request).address, "203.0.113.7");
  EXPECT_EQ(read({"serve", "--trusted-proxy", "everybody"}).error().code, "bad_setting");
}

}  // namespace
}  // namespace gantry::main
