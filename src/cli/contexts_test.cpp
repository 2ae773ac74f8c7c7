#include "cli/contexts.hpp"

#include "base/random.hpp"

#include <gmock/gmock.h>

namespace gantry::cli {
namespace {

using ::testing::HasSubstr;

TEST(Contexts, AreReadAsTheyWereWritten) {
  Contexts contexts{.current = "a \"b\"",
                    .all = {{"a \"b\"", {"https://a.example", "/x/y\\z"}},
                            {"local", {"http://127.0.0.1:5920", ""}}}};
  auto read = value_or_throw(parse_contexts(contexts_text(contexts), "contexts.toml"));
  EXPECT_EQ(read.current, contexts.current);
  EXPECT_EQ(read.all, contexts.all);
}

TEST(Contexts, OfAFileThatIsNotThereAreNone) {
  auto folder = std::filesystem::temp_directory_path() / random::word(12);
  EXPECT_TRUE(value_or_throw(read_contexts(folder)).all.empty());
}

TEST(Contexts, AreKeptInAFileForTheirOwnerAlone) {
  auto folder = std::filesystem::temp_directory_path() / random::word(12) / "gantry";
  Contexts contexts{.current = "a", .all = {{"a", {"https://a.example", ""}}}};
  ASSERT_TRUE(write_contexts(folder, contexts));
  EXPECT_EQ(value_or_throw(read_contexts(folder)).all, contexts.all);
  using enum std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(folder / Contexts::file_name).permissions(),
            owner_read | owner_write);
  std::filesystem::remove_all(folder.parent_path());
}

TEST(Contexts, AreRefusedWithTheLineOrTheField) {
  EXPECT_THAT(parse_contexts("current = \n", "c.toml").error().message,
              HasSubstr("'c.toml': line 1"));
  EXPECT_THAT(parse_contexts("[contexts.a]\nurl = \"x\"\n", "c.toml").error().message,
              HasSubstr("contexts.a.server"));
}

}  // namespace
}  // namespace gantry::cli
