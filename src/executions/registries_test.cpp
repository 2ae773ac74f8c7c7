#include "executions/registries.hpp"

#include "async/testing_fake.hpp"
#include "storage/database.hpp"
#include "storage/testing_fake.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

namespace gantry::executions {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

Sealer sealer(char fill = 'k') { return Sealer{Secret{std::string(Sealer::key_bytes, fill)}}; }

class RegistriesTest : public testing::Test {
 protected:
  RegistriesTest() { begin(); }

  /// As a server that starts anew would.
  void begin(char key = 'k') {
    registries_ = std::make_unique<Registries>(*database_, sealer(key), Clock{});
    loop_.run(registries_->start());
  }
  Result<Registry> put(std::string host, std::string user = "ann",
                       std::string password = "hunter2") {
    return loop_.run(registries_->put(std::move(host), std::move(user), Secret{password}));
  }
  std::string password_for(const std::string& host) {
    auto found = registries_->find(host);
    return found ? std::string{found->password.reveal()} : "";
  }

  async::TestLoop loop_;
  storage::TemporaryFolder folder_;
  std::unique_ptr<storage::Database> database_ =
      loop_.run(storage::open_for_test(folder_.path() / "data"));
  std::unique_ptr<Registries> registries_;
};

TEST_F(RegistriesTest, ServesExactlyTheHostItWasGiven) {
  ASSERT_TRUE(put("registry.example.com:5000"));
  EXPECT_EQ(password_for("registry.example.com:5000"), "hunter2");
  for (const auto* other : {"registry.example.com", "example.com", "evil.registry.example.com:5000",
                            "registry.example.com:5001", "docker.io", ""}) {
    EXPECT_EQ(password_for(other), "") << other;
  }
}

TEST_F(RegistriesTest, SurvivesARestart) {
  ASSERT_TRUE(put("ghcr.io"));
  begin();
  EXPECT_EQ(password_for("ghcr.io"), "hunter2");
  EXPECT_EQ(registries_->find("ghcr.io")->user, "ann");
}

TEST_F(RegistriesTest, APasswordIsNowhereOnTheDisk) {
  ASSERT_TRUE(put("ghcr.io", "ann", "correct-horse-battery"));
  for (const auto& entry : std::filesystem::directory_iterator{folder_.path() / "data"}) {
    std::ifstream file{entry.path(), std::ios::binary};
    std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    EXPECT_THAT(bytes, Not(HasSubstr("correct-horse"))) << entry.path();
  }
}

TEST_F(RegistriesTest, AnotherKeyOpensNothing) {
  ASSERT_TRUE(put("ghcr.io"));
  begin('l');
  EXPECT_THAT(registries_->list(), IsEmpty());
  EXPECT_EQ(password_for("ghcr.io"), "");
}

TEST_F(RegistriesTest, TheSameHostAgainReplacesWhatWas) {
  auto first = put("ghcr.io");
  auto second = put("ghcr.io", "bob", "other");
  begin();
  EXPECT_THAT(registries_->list(), SizeIs(1));
  EXPECT_EQ(registries_->list()[0].user, "bob");
  EXPECT_EQ(password_for("ghcr.io"), "other");
  EXPECT_EQ(loop_.run(registries_->remove(first->id)).error().code, "no_such_registry");
  EXPECT_TRUE(loop_.run(registries_->remove(second->id)));
  begin();
  EXPECT_THAT(registries_->list(), IsEmpty());
}

TEST_F(RegistriesTest, WhatIsNoHostIsRefused) {
  for (const auto* host : {"", "ghcr.io/team", "https://ghcr.io", "ghcr", "a b.c", "ghcr.io:x"}) {
    auto refused = put(host);
    ASSERT_FALSE(refused) << host;
    EXPECT_EQ(refused.error().code, "invalid_field");
    EXPECT_THAT(refused.error().message, HasSubstr("host"));
  }
  EXPECT_TRUE(put("localhost"));
  EXPECT_TRUE(put("docker.io"));
}

}  // namespace
}  // namespace gantry::executions
