#include "main/key_bundle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::main {
namespace {

const Secret passphrase{"correct horse battery"};

KeyFiles files() {
  KeyFiles all;
  all.emplace("secret.key", Secret{std::string{"\0\xff key", 6}});
  all.emplace("server.id", Secret{"abc\n"});
  return all;
}

TEST(KeyBundle, KeysComeBackAsTheyWere) {
  auto opened = open_keys(value_or_throw(seal_keys(files(), passphrase)), passphrase);
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->size(), 2U);
  EXPECT_EQ(opened->at("secret.key").reveal(), files().at("secret.key").reveal());
  EXPECT_EQ(opened->at("server.id").reveal(), "abc\n");
}

TEST(KeyBundle, NothingOfThemIsReadable) {
  EXPECT_THAT(value_or_throw(seal_keys(files(), passphrase)),
              testing::Not(testing::HasSubstr("server.id")));
}

TEST(KeyBundle, AnotherPassphraseOpensNothing) {
  auto sealed = value_or_throw(seal_keys(files(), passphrase));
  EXPECT_EQ(open_keys(sealed, Secret{"correct horse batterx"}).error().code, "bad_passphrase");
  sealed.back() = static_cast<char>(sealed.back() ^ 1);
  EXPECT_EQ(open_keys(sealed, passphrase).error().code, "bad_passphrase");
  EXPECT_EQ(open_keys("short", passphrase).error().code, "bad_passphrase");
}

TEST(KeyBundle, AShortPassphraseIsRefused) {
  EXPECT_EQ(seal_keys(files(), Secret{"hunter2"}).error().code, "bad_passphrase");
}

}  // namespace
}  // namespace gantry::main
