#include "main/secret_key.hpp"

#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "base/random.hpp"
#include "executions/registries.hpp"
#include "main/private_file.hpp"
#include "storage/testing_fake.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace gantry::main {
namespace {
namespace fs = std::filesystem;

class SecretKeyTest : public testing::Test {
 protected:
  SecretKeyTest() : database_{loop_.run(storage::open({}, folder_.path() / "data"))} {}

  fs::path file() const { return folder_.path() / "secret.key"; }
  fs::path credential() const { return folder_.path() / "gantry-secret-key"; }
  Result<Sealer> load(NewKey fresh = NewKey::refused) {
    return loop_.run(async::attempt(
        load_secret_key(*database_, {.file = file(), .credential = credential()}, fresh)));
  }
  std::string code(NewKey fresh = NewKey::refused) {
    auto loaded = load(fresh);
    return loaded ? "ok" : loaded.error().code;
  }
  /// The login of a registry.
  void seal_something() {
    executions::Registries registries{*database_, load().value(), Clock{}};
    loop_.run(registries.start());
    value_or_throw(loop_.run(registries.put("registry.example.org", "ann", Secret{"word"})));
  }

  async::TestLoop loop_;
  storage::TemporaryFolder folder_;
  std::unique_ptr<storage::Database> database_;
};

TEST_F(SecretKeyTest, TheFirstOneIsMadeForItsOwnerAlone) {
  auto sealer = load();
  ASSERT_TRUE(sealer);
  EXPECT_EQ(fs::file_size(file()), Sealer::key_bytes);
  EXPECT_EQ(fs::status(file()).permissions() & fs::perms::mask, fs::perms{0600});
  auto sealed = sealer->seal("secret", "here");
  EXPECT_EQ(load()->open(sealed, "here")->reveal(), "secret");
}

TEST_F(SecretKeyTest, AFileThatOthersMayReadIsRefused) {
  ASSERT_TRUE(load());
  for (auto mode : {0640U, 0604U, 0660U, 0610U}) {
    ::chmod(file().c_str(), mode);
    EXPECT_EQ(code(), "secret_key_exposed") << mode;
  }
  ::chmod(file().c_str(), 0400);
  EXPECT_EQ(code(), "ok");
}

TEST_F(SecretKeyTest, AMissingKeyIsNotReplacedWhereSecretsAreSealed) {
  ASSERT_TRUE(load());
  seal_something();
  EXPECT_EQ(code(), "ok");
  fs::rename(file(), folder_.path() / "away");
  auto refused = load();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "secret_key_missing");
  EXPECT_NE(refused.error().remedy.find("backup"), std::string::npos);
  EXPECT_FALSE(fs::exists(file()));
  fs::rename(folder_.path() / "away", file());
  EXPECT_EQ(code(), "ok");
}

TEST_F(SecretKeyTest, AnotherKeyIsRefusedWhereSecretsAreSealed) {
  ASSERT_TRUE(load());
  seal_something();
  write_private(file(), random::bytes(Sealer::key_bytes));
  EXPECT_EQ(code(), "secret_key_changed");
  EXPECT_EQ(code(NewKey::accepted), "ok");
  EXPECT_EQ(code(), "ok");
}

TEST_F(SecretKeyTest, WithoutSealedSecretsANewKeyHurtsNobody) {
  ASSERT_TRUE(load());
  fs::remove(file());
  EXPECT_EQ(code(), "ok");
  EXPECT_TRUE(fs::exists(file()));
}

TEST_F(SecretKeyTest, ALostKeyIsReplacedOnlyWhenAskedFor) {
  ASSERT_TRUE(load());
  seal_something();
  fs::remove(file());
  EXPECT_EQ(code(), "secret_key_missing");
  EXPECT_EQ(code(NewKey::accepted), "ok");
  EXPECT_EQ(code(), "ok");
}

TEST_F(SecretKeyTest, WhatHasAnotherSizeIsNoKey) {
  for (std::size_t size : {0U, 31U, 33U}) {
    write_private(file(), std::string(size, 'k'));
    EXPECT_EQ(code(), "bad_secret_key") << size;
  }
}

TEST_F(SecretKeyTest, ACredentialOfSystemdWins) {
  write_private(credential(), std::string(Sealer::key_bytes, 'c'));
  auto sealer = load();
  ASSERT_TRUE(sealer);
  EXPECT_FALSE(fs::exists(file()));
  auto sealed = Sealer{Secret{std::string(Sealer::key_bytes, 'c')}}.seal("secret", "here");
  EXPECT_TRUE(sealer->open(sealed, "here"));
}

}  // namespace
}  // namespace gantry::main
