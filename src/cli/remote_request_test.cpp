#include "cli/remote_request.hpp"

#include <set>

#include <gmock/gmock.h>

namespace gantry::cli {
namespace {

using ::testing::HasSubstr;

const Verb& verb(std::string_view command, std::string_view action) {
  for (const auto& one : verbs()) {
    if (one.command == command && one.action == action) return one;
  }
  throw std::runtime_error{"there is no such verb"};
}

Result<std::string> no_file(const std::string& path) {
  return fail(ErrorKind::not_found, "no_file", "no file " + path);
}

RemoteRequest request(const Verb& verb, const Given& given) {
  return value_or_throw(request_of(verb, given, no_file));
}

TEST(RemoteRequest, PutsWordsIntoThePathEncoded) {
  auto asked = request(verb("hosts", "remove"), {{"name", {"a/../b ?"}}});
  EXPECT_EQ(asked.method, "DELETE");
  EXPECT_EQ(asked.target, "/api/v1/hosts/a%2F..%2Fb%20%3F");
}

TEST(RemoteRequest, PutsFiltersIntoTheQueryOncePerText) {
  auto asked = request(verb("ps", ""), {{"label", {"a=1", "b&c"}}, {"state", {"running"}}});
  EXPECT_EQ(asked.target, "/api/v1/containers?state=running&label=a%3D1&label=b%26c");
}

TEST(RemoteRequest, ReadsSecondsWithAndWithoutTheirUnit) {
  auto grace = [](std::string text) {
    return json::serialize(request(verb("stop", ""), {{"grace_seconds", {std::move(text)}}}).body);
  };
  EXPECT_EQ(grace("2m"), R"({"grace_seconds":120})");
  EXPECT_EQ(grace("0"), R"({"grace_seconds":0})");
}

TEST(RemoteRequest, ReadsGrants) {
  auto asked =
      request(verb("tokens", "create"),
              {{"name", {"ci"}},
               {"scopes", {"containers"}},
               {"grants",
                {"host=web1,project=shop,role=operator,rights=unmask+recordings", "group=prod"}}});
  EXPECT_EQ(
      json::serialize(json::Value(asked.body)),
      R"({"name":"ci","role":"viewer","scopes":["containers"],"grants":[)"
      R"({"role":"operator","host":"web1","project":"shop","rights":["unmask","recordings"]},)"
      R"({"role":"viewer","group":"prod"}]})");
  for (auto wrong : {"web1", "host=", "user=ada", "host=web1,"}) {
    auto refused = request_of(verb("tokens", "create"), {{"grants", {wrong}}}, no_file);
    EXPECT_EQ(refused.error().code, "bad_usage") << wrong;
  }
  auto lifted = request(verb("users", "lift"), {{"id", {"01a"}}});
  EXPECT_EQ(json::serialize(json::Value(lifted.body)), R"({"items":[]})");
}

TEST(RemoteRequest, TellsOfFlagsAndWordsAndNotOfMembers) {
  Error error{ErrorKind::invalid, "invalid_field", "cannot make a token: field 'scopes' is missing",
              "send \"insecure_tcp\": true"};
  EXPECT_EQ(in_words_of(verb("tokens", "create"), error).message,
            "cannot make a token: --scope is missing");
  EXPECT_EQ(in_words_of(verb("hosts", "add"), error).remedy, "give --insecure-tcp");
  error.message = "cannot make a token: field 'grants[1].host' must be the name of a host";
  EXPECT_EQ(in_words_of(verb("tokens", "create"), error).message,
            "cannot make a token: --grant number 2: 'host' must be the name of a host");
  error.message = "cannot list containers: parameter 'q' is too long";
  EXPECT_EQ(in_words_of(verb("ps", ""), error).message,
            "cannot list containers: --search is too long");
  error = {
      ErrorKind::invalid, "invalid_field", "cannot add a user: field 'password' is missing", {}};
  EXPECT_EQ(in_words_of(verb("users", "add"), error).remedy,
            "name the file that holds it: --password FILE");
}

TEST(RemoteRequest, SendsAPasswordWithoutTheEndOfItsLine) {
  for (std::string_view text :
       {"correct horse", "correct horse\n", "correct horse\r\nnot this\n"}) {
    auto read = [&](const std::string&) { return Result<std::string>{std::string{text}}; };
    auto sent = value_or_throw(
        request_of(verb("users", "add"), {{"name", {"ada"}}, {"password", {"file"}}}, read));
    EXPECT_EQ(sent.body.at("password").as_string(), "correct horse");
  }
}

TEST(RemoteRequest, MakesObjectsOfDottedKeys) {
  auto read = [](const std::string& path) -> Result<std::string> { return "text of " + path; };
  auto asked = value_or_throw(request_of(verb("hosts", "add"),
                                         {{"name", {"web1"}},
                                          {"endpoint", {"tls://web1"}},
                                          {"labels", {"rack=7"}},
                                          {"tls.ca", {"ca.pem"}},
                                          {"ssh.jump", {"one", "two"}},
                                          {"default", {""}}},
                                         read));
  EXPECT_EQ(json::serialize(json::Value(asked.body)),
            R"({"name":"web1","endpoint":"tls://web1","default":true,"labels":{"rack":"7"},)"
            R"("tls":{"ca":"text of ca.pem"},"ssh":{"jump":["one","two"]}})");
}

TEST(RemoteRequest, SendsWhatAVerbImplies) {
  EXPECT_EQ(json::serialize(json::Value(request(verb("hosts", "disable"), {{"name", {"a"}}}).body)),
            R"({"enabled":false})");
}

TEST(RemoteRequest, RefusesValuesOfAnotherKind) {
  auto refused = request_of(verb("containers", "update"), {{"pids", {"many"}}}, no_file);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "bad_usage");
  EXPECT_THAT(refused.error().message, HasSubstr("'many' of --pids is not a whole number"));
  auto map = request_of(verb("hosts", "add"), {{"labels", {"rack"}}}, no_file);
  ASSERT_FALSE(map);
  EXPECT_THAT(map.error().message, HasSubstr("'rack' of --label is not NAME=VALUE"));
}

TEST(RemoteRequest, PassesOnWhyAFileCanNotBeRead) {
  auto refused = request_of(verb("hosts", "add"), {{"tls.key", {"key.pem"}}}, no_file);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "no file key.pem");
}

TEST(RemoteRequest, TellsWhatIsDoneInOneLine) {
  EXPECT_EQ(sentence_of("host '{name}' is added", {{"name", {"a\nb"}}}), R"(host 'a\nb' is added)");
}

TEST(Verbs, AreEachThereOnce) {
  std::set<std::pair<std::string_view, std::string_view>> names;
  for (const auto& one : verbs()) {
    EXPECT_TRUE(names.emplace(one.command, one.action).second) << one.command << ' ' << one.action;
    EXPECT_NE(one.help, "") << one.command << ' ' << one.action;
    EXPECT_TRUE(one.action.empty() || !command_help(one.command).empty()) << one.command;
  }
}

TEST(Verbs, FillTheirPathsFromTheirParameters) {
  for (const auto& one : verbs()) {
    Given given;
    for (const auto& parameter : one.parameters) {
      if (parameter.to == Parameter::To::path) given[std::string{parameter.key}] = {"x"};
    }
    auto path = path_of(one.path, given);
    EXPECT_EQ(path.find("//"), path.npos) << one.command << ' ' << one.action << ' ' << path;
  }
}

}  // namespace
}  // namespace gantry::cli
