#include "base/toml.hpp"

#include <gtest/gtest.h>

namespace gantry::json {
namespace {

std::string converted(std::string_view text) {
  auto parsed = toml::parse(text);
  return parsed ? json::serialize(from_toml(parsed.table())) : "bad";
}

TEST(Toml, BecomesJsonInTheOrderOfItsText) {
  EXPECT_EQ(converted("z = 1\na = [\"x\", true, 1.5]\n[c.b]\nk = 'v'\n[c.a]\n"),
            R"({"z":1,"a":["x",true,1.5E0],"c":{"b":{"k":"v"},"a":{}}})");
}

TEST(Toml, DatesAreNothingThatASettingTakes) {
  EXPECT_EQ(converted("d = 2026-11-22\n"), R"({"d":[]})");
}

}  // namespace
}  // namespace gantry::json
