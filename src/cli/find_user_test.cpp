#include "cli/find_user.hpp"

#include "cli/testing_fake.hpp"

#include <vector>

#include <gmock/gmock.h>

namespace gantry::cli {
namespace {

using net::http::Exchange;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view users =
    R"({"items":[{"id":"01aa","name":"bob"},{"id":"01bb","name":"eve"},)"
    R"({"id":"01cc","name":"01bb"}],"next":null})";

std::string found(const std::string& word) {
  auto user = choose_user(value_or_throw(json::parse(users, json::Keys::tolerant)), word);
  return user ? *user : user.error().code;
}

TEST(FindUser, ByIdOrByNameAsForSigningIn) {
  EXPECT_EQ(found("bob"), "01aa");
  EXPECT_EQ(found("Bob"), "01aa");
  EXPECT_EQ(found("01aa"), "01aa");
  EXPECT_EQ(found("01cc"), "01cc");
}

TEST(FindUser, NobodyElseIsTaken) {
  for (auto word : {"bo", "01", "01AA", "ada", ""}) EXPECT_EQ(found(word), "no_such_user") << word;
  EXPECT_EQ(found("01bb"), "ambiguous_user");
}

TEST(FindUser, AnAnswerThatIsNoListIsRefused) {
  EXPECT_EQ(choose_user(json::Value(json::Object{}), "bob").error().code, "not_gantry");
}

class UserCommands : public testing::Test {
 protected:
  Result<int> users_verb(std::string_view action, Given given) {
    return remote_.run("users", action, {.given = std::move(given)});
  }
  async::task<void> serve(Exchange& exchange) {
    const auto& request = exchange.request();
    asked_.push_back(fmt::format("{} {}", request.method, request.target));
    bool is_list = request.method == "GET" && request.target == "/api/v1/users";
    return exchange.respond({200, {{"Content-Type", "application/json"}}},
                            std::string{is_list ? users : R"({"items":[]})"});
  }

  std::vector<std::string> asked_;
  TestRemote remote_{[this](Exchange& exchange) { return serve(exchange); }};
};

TEST_F(UserCommands, TakeANameAndSayIt) {
  EXPECT_EQ(value_or_throw(users_verb("disable", {{"id", {"bob"}}})), 0);
  EXPECT_THAT(asked_, ElementsAre("GET /api/v1/users", "PATCH /api/v1/users/01aa"));
  EXPECT_THAT(remote_.err, HasSubstr("user 'bob' is kept out"));
}

TEST_F(UserCommands, OfGrantsTakeItToo) {
  EXPECT_EQ(value_or_throw(users_verb("grants", {{"id", {"eve"}}})), 0);
  EXPECT_THAT(asked_, ElementsAre("GET /api/v1/users", "GET /api/v1/users/01bb/grants"));
}

TEST_F(UserCommands, DoNothingToSomebodyWhoIsNotThere) {
  EXPECT_EQ(users_verb("remove", {{"id", {"ada"}}}).error().code, "no_such_user");
  EXPECT_EQ(users_verb("remove", {{"id", {"01bb"}}}).error().code, "ambiguous_user");
  EXPECT_THAT(asked_, ElementsAre("GET /api/v1/users", "GET /api/v1/users"));
}

}  // namespace
}  // namespace gantry::cli
