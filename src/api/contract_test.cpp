#include "api/console.hpp"
#include "sandbox/policy_bounds.hpp"
#include "sandbox/program.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace gantry::api {
namespace {

/// The numbers of openapi.yaml are those of the code.
class ContractBoundsTest : public testing::Test {
 protected:
  YAML::Node schema(const std::string& name) {
    return contract_["components"]["schemas"][name]["properties"];
  }
  static std::size_t number(const YAML::Node& field, const std::string& key) {
    return field[key].as<std::size_t>();
  }

  YAML::Node contract_ = YAML::Load(std::string{openapi_document()});
  const sandbox::ProgramLimits& limits_ = sandbox::program_limits;
};

TEST_F(ContractBoundsTest, AProgramMayBringWhatTheContractSays) {
  auto request = schema("ExecutionRequest");
  EXPECT_EQ(number(request["source"], "maxLength"), limits_.source_max);
  EXPECT_EQ(number(request["stdin"], "maxLength"), limits_.input_max);
  EXPECT_EQ(number(request["files"], "maxItems"), limits_.files_max);
  EXPECT_EQ(number(request["files"], "x-bytes-max"), limits_.files_bytes_max);
  for (auto field : {"command", "args"}) {
    EXPECT_EQ(number(request[field], "maxItems"), limits_.args_max) << field;
    EXPECT_EQ(number(request[field]["items"], "maxLength"), limits_.text_max) << field;
  }
  EXPECT_EQ(number(request["env"], "maxProperties"), limits_.env_max);
  EXPECT_EQ(number(request["env"]["additionalProperties"], "maxLength"), limits_.text_max);
  EXPECT_EQ(number(request["args"], "x-bytes-max"), limits_.exec_max);
  EXPECT_EQ(number(request["env"], "x-bytes-max"), limits_.exec_max);
}

TEST_F(ContractBoundsTest, AScriptToo) {
  auto script = schema("ExecuteRequest");
  EXPECT_EQ(number(script["script"], "maxLength"), limits_.source_max);
  EXPECT_EQ(number(script["stdin"], "maxLength"), limits_.input_max);
}

TEST_F(ContractBoundsTest, APathMayBeAsLong) {
  auto longest = number(schema("InputFile")["path"], "maxLength");
  std::string path = std::string(255, 'a') + "/" + std::string(longest - 258, 'b') + "/c";
  ASSERT_EQ(path.size(), longest);
  EXPECT_TRUE(sandbox::check_file_path(path));
  EXPECT_FALSE(sandbox::check_file_path(path + "c"));
}

TEST_F(ContractBoundsTest, EveryLimitHasItsBounds) {
  auto limits = schema("Limits");
  auto widest = sandbox::PolicyBounds::widest();
  constexpr std::size_t workspace = 1;
  EXPECT_EQ(limits.size(), widest.numbers().size() + widest.modes().size() + workspace);
  for (const auto& mode : widest.modes()) {
    auto words = limits[std::string{mode.field}]["enum"].as<std::vector<std::string>>();
    EXPECT_TRUE(std::ranges::equal(words, mode.allowed)) << mode.field;
  }
  for (const auto& bound : sandbox::bounds()) {
    auto limit = limits[std::string{bound.field}];
    EXPECT_EQ(limit["minimum"].as<double>(), bound.min) << bound.field;
    EXPECT_EQ(limit["maximum"].as<double>(), bound.max) << bound.field;
    if (limit["default"]) EXPECT_EQ(limit["default"].as<double>(), bound.usual) << bound.field;
  }
}

}  // namespace
}  // namespace gantry::api
