#include "main/remote_options.hpp"

#include <gtest/gtest.h>

namespace gantry::main {
namespace {

Words spelled_out(Words words) {
  spell_out(words);
  return words;
}

TEST(SpellOut, ACommandAloneLists) {
  EXPECT_EQ(spelled_out({"hosts"}), (Words{"hosts", "list"}));
  EXPECT_EQ(spelled_out({"hosts", "--json"}), (Words{"hosts", "list", "--json"}));
  EXPECT_EQ(spelled_out({"images"}), (Words{"images", "ls"}));
  EXPECT_EQ(spelled_out({"hosts", "--help"}), (Words{"hosts", "--help"}));
  EXPECT_EQ(spelled_out({"hosts", "--json", "show"}), (Words{"hosts", "--json", "show"}));
  EXPECT_EQ(spelled_out({"ps"}), (Words{"ps"}));
  EXPECT_EQ(spelled_out({"serve"}), (Words{"serve"}));
}

TEST(SpellOut, DockersWordsAreKnown) {
  EXPECT_EQ(spelled_out({"hosts", "ls"}), (Words{"hosts", "list"}));
  EXPECT_EQ(spelled_out({"hosts", "rm", "web1"}), (Words{"hosts", "remove", "web1"}));
  EXPECT_EQ(spelled_out({"volumes", "list"}), (Words{"volumes", "ls"}));
  EXPECT_EQ(spelled_out({"images", "list"}), (Words{"images", "list"}));
  EXPECT_EQ(spelled_out({"images", "remove", "x"}), (Words{"images", "rm", "x"}));
  EXPECT_EQ(spelled_out({"hosts", "frob"}), (Words{"hosts", "frob"}));
  EXPECT_EQ(spelled_out({}), Words{});
}

}  // namespace
}  // namespace gantry::main
