#include "cli/find_container.hpp"

#include <gmock/gmock.h>

namespace gantry::cli {
namespace {

using ::testing::HasSubstr;

Result<FoundContainer> chosen(const std::string& word) {
  auto answer = value_or_throw(json::parse(R"({"items":[
      {"host":"a","id":"0123456789ab","name":"web"},
      {"host":"b","id":"fedcba987654","name":"web"},
      {"host":"a","id":"0123999999ab","name":"db"},
      {"host":"b","id":"db00000000ff","name":"cache"}]})",
                                           json::Keys::strict));
  return choose_container(answer, word);
}

TEST(ChooseContainer, GoesByNameBeforeIds) {
  auto found = value_or_throw(chosen("db"));
  EXPECT_EQ(found.name, "db");
  EXPECT_EQ(found.path(), "/api/v1/hosts/a/containers/0123999999ab");
}

TEST(ChooseContainer, TakesTheBeginningOfAnId) {
  EXPECT_EQ(value_or_throw(chosen("fed")).host, "b");
}

TEST(ChooseContainer, TellsTheHostsOfOneThatIsOnSeveral) {
  auto refused = chosen("web");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ambiguous_container");
  EXPECT_THAT(refused.error().message, HasSubstr("web on 'a', web on 'b'"));
}

TEST(ChooseContainer, SaysWhichHostIsNotKnown) {
  auto answer = value_or_throw(json::parse(
      R"({"items":[],"hosts":[{"name":"a","stale":true,"as_of":null,
          "error":{"code":"x","detail":"it is down","remedy":"start it"}}]})",
      json::Keys::strict));
  EXPECT_EQ(choose_container(answer, "web").error().remedy,
            "it may be on host 'a', which is away: 'gantry hosts doctor a' says why");
}

TEST(ChooseContainer, SaysWhichHostsAreNotKnownBesideWhatIsAlike) {
  auto answer = value_or_throw(json::parse(
      R"({"items":[{"host":"c","id":"0123","name":"webb"}],
          "hosts":[{"name":"a","stale":true,"as_of":"2026-11-22T12:00:00Z","error":null},
                   {"name":"b","stale":true,"as_of":null,"error":null},
                   {"name":"c","stale":false,"as_of":null,"error":null}]})",
      json::Keys::strict));
  EXPECT_EQ(choose_container(answer, "web").error().remedy,
            "there is webb on 'c'; it may be on hosts 'a', 'b', which are away: 'gantry hosts "
            "doctor a' says why");
}

TEST(ChooseContainer, RefusesAnIdThatTwoBeginWith) {
  EXPECT_EQ(chosen("0123").error().code, "ambiguous_container");
}

/// One on `a`, and one on `b` that is called `name`.
Result<FoundContainer> chosen_beside(const std::string& name, const std::string& word) {
  const std::string id(64, 'a');
  json::Array items{json::Object{{"host", "a"}, {"id", id}, {"name", "shop"}},
                    json::Object{{"host", "b"}, {"id", std::string(64, 'b')}, {"name", name}}};
  return choose_container(json::Value(json::Object{{"items", std::move(items)}}), word);
}

TEST(ChooseContainer, TakesAWholeIdForAnIdWhateverElseIsCalledSo) {
  const std::string id(64, 'a');
  EXPECT_EQ(value_or_throw(chosen_beside(id, id)).host, "a");
}

TEST(ChooseContainer, RefusesANameThatIsHowTheIdOfAnotherBegins) {
  const std::string begins(12, 'a');
  auto refused = chosen_beside(begins, begins);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "ambiguous_container");
  EXPECT_THAT(refused.error().message, HasSubstr("aaaaaaaaaaaa on 'b', shop on 'a'"));
  EXPECT_EQ(value_or_throw(chosen_beside("other", begins)).host, "a");
}

TEST(ChooseContainer, TakesOneThatIsCalledAsItsOwnIdBegins) {
  const std::string begins(12, 'b');
  EXPECT_EQ(value_or_throw(chosen_beside(begins, begins)).host, "b");
}

TEST(ChooseContainer, TellsWhatIsCalledAlike) {
  EXPECT_THAT(chosen("ach").error().remedy, HasSubstr("there is cache on 'b'"));
}

TEST(ByName, SaysTheNameWhereTheServerSaysTheId) {
  Error error{
      ErrorKind::conflict, "engine_conflict", "cannot stop container 'db00000000ff': no", {}};
  EXPECT_EQ(by_name(error, {"b", "db00000000ff", "cache"}).message,
            "cannot stop container 'cache': no");
}

TEST(ChooseContainer, RefusesWhatIsNotThere) {
  EXPECT_EQ(chosen("nginx").error().code, "no_such_container");
}

}  // namespace
}  // namespace gantry::cli
