#include "cli/table.hpp"

#include <gmock/gmock.h>

namespace gantry::cli {
namespace {

TEST(Table, AlignsColumnsAndLeavesNoSpaceAtTheEnd) {
  EXPECT_EQ(
      table({"NAME", "IMAGE", "PORTS"}, {{"web", "nginx:1.27", "80/tcp"}, {"database", "pg", ""}}),
      "NAME      IMAGE       PORTS\n"
      "web       nginx:1.27  80/tcp\n"
      "database  pg\n");
}

TEST(Table, IsOnlyItsHeadWithoutRows) { EXPECT_EQ(table({"A", "B"}, {}), "A  B\n"); }

TEST(Table, CountsWideCharactersAsTwoColumns) {
  EXPECT_EQ(width("容器"), 4U);
  EXPECT_EQ(table({"A", "B"}, {{"容器", "x"}, {"abcd", "y"}}), "A     B\n容器  x\nabcd  y\n");
}

TEST(Table, ShowsControlCharactersInsteadOfObeyingThem) {
  EXPECT_EQ(table({"A"}, {{"x\x1b[31my"}}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace gantry::cli
