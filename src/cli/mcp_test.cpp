#include "cli/mcp.hpp"

#include <gtest/gtest.h>

namespace gantry::cli {
namespace {

TEST(McpMessage, OfARequestTheIdIsKnown) {
  EXPECT_EQ(about_message(R"({"jsonrpc":"2.0","id":3,"method":"ping"})").id, json::Value(3));
  EXPECT_EQ(about_message(R"({"jsonrpc":"2.0","id":"a","method":"ping"})").id, json::Value("a"));
}

TEST(McpMessage, NotificationsAndWhatIsNoMessageHaveNone) {
  EXPECT_FALSE(about_message(R"({"jsonrpc":"2.0","method":"notifications/initialized"})").id);
  EXPECT_FALSE(about_message(R"({"jsonrpc":"2.0","id":null,"method":"ping"})").id);
  EXPECT_FALSE(about_message("[1]").id);
  EXPECT_FALSE(about_message("{").id);
}

TEST(McpMessage, BlankLinesAreEmpty) {
  EXPECT_TRUE(about_message("").empty);
  EXPECT_TRUE(about_message(" \t\r").empty);
  EXPECT_FALSE(about_message("{").empty);
}

TEST(McpMessage, ACancellationNamesItsRequestAsJson) {
  EXPECT_EQ(
      about_message(
          R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a"}})")
          .cancels,
      "\"a\"");
  EXPECT_FALSE(about_message(R"({"jsonrpc":"2.0","method":"x","params":{"requestId":1}})").cancels);
}

}  // namespace
}  // namespace gantry::cli
