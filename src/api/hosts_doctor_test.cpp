#include "api/console.hpp"
#include "api/testing_fake.hpp"
#include "doctor/report.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace gantry::api {
namespace {

using testing::IsEmpty;
using testing::Not;

/// What a schema of openapi.yaml has to say against a value; empty: nothing.
class Schema {
 public:
  explicit Schema(std::string name) : contract_{YAML::Load(std::string{openapi_document()})} {
    check_ = contract_["components"]["schemas"][name];
  }
  std::vector<std::string> complaints(const json::Value& value) {
    judge(check_, value, "");
    return complaints_;
  }

 private:
  YAML::Node resolved(const YAML::Node& node) {
    if (!node["$ref"]) return node;
    auto path = node["$ref"].as<std::string>();
    return contract_["components"]["schemas"][path.substr(path.rfind('/') + 1)];
  }
  static std::string type_of(const json::Value& value) {
    if (value.is_string()) return "string";
    if (value.is_int64() || value.is_uint64()) return "integer";
    if (value.is_bool()) return "boolean";
    if (value.is_array()) return "array";
    return value.is_object() ? "object" : "null";
  }
  static bool fits(const YAML::Node& type, const json::Value& value) {
    if (!type) return true;
    if (type.IsScalar()) return type.as<std::string>() == type_of(value);
    auto types = type.as<std::vector<std::string>>();
    return std::ranges::find(types, type_of(value)) != types.end();
  }
  void judge(const YAML::Node& given, const json::Value& value, const std::string& where) {
    auto schema = resolved(given);
    if (!fits(schema["type"], value)) return complain(where, "is of another type");
    if (schema["oneOf"]) {
      if (!value.is_null()) judge(schema["oneOf"][0], value, where);
    } else if (schema["properties"]) {
      judge_members(schema, value, where);
    } else if (schema["items"]) {
      if (!value.is_array()) return complain(where, "is no array");
      for (const auto& item : value.as_array()) judge(schema["items"], item, where + "[]");
    } else if (schema["enum"]) {
      auto words = schema["enum"].as<std::vector<std::string>>();
      auto word = value.is_string() ? std::string{value.as_string()} : std::string{};
      if (std::ranges::find(words, word) == words.end()) complain(where, "is none of the words");
    }
  }
  void judge_members(const YAML::Node& schema, const json::Value& value, const std::string& where) {
    if (!value.is_object()) return complain(where, "is no object");
    for (const auto& name : schema["required"]) {
      if (!value.as_object().contains(name.as<std::string>())) {
        complain(where + "." + name.as<std::string>(), "is missing");
      }
    }
    for (const auto& [name, member] : value.as_object()) {
      auto path = fmt::format("{}.{}", where, std::string_view{name});
      auto property = schema["properties"][std::string{name}];
      if (!property) {
        complain(path, "is not in the contract");
      } else {
        judge(property, member, path);
      }
    }
  }
  void complain(const std::string& where, std::string_view what) {
    complaints_.push_back(fmt::format("{} {}", where, what));
  }

  YAML::Node contract_;
  YAML::Node check_;
  std::vector<std::string> complaints_;
};

class HostsDoctorTest : public testing::Test {
 protected:
  TestServer::Options options() {
    TestServer::Options options;
    options.look = [this](const std::shared_ptr<fleet::Host>&) { return look(); };
    return options;
  }
  async::task<Result<doctor::Facts>> look() {
    ++looks_;
    facts_.at = WallTime{Milliseconds{1'000 * looks_}};
    co_return facts_;
  }
  static doctor::Facts missing() {
    doctor::Facts facts;
    facts.machine = "nas";
    facts.subject = {.what = "this process",
                     .user = "ann",
                     .uid = 1000,
                     .account_groups = {1000},
                     .process_groups = std::vector<doctor::Id>{1000},
                     .pid = 812};
    facts.endpoint = {.source = "host 'local'", .text = "unix:///run/fake.sock"};
    facts.socket = doctor::SocketFile{.path = "/run/fake.sock"};
    facts.engine.error =
        Error{ErrorKind::unavailable, "engine_socket_missing", "nothing is there", {}};
    return facts;
  }
  net::http::Headers granted(access::Role role, std::string grant) {
    auto user = server_.add_user(fmt::format("bob{}", ++users_), role);
    auto target = fmt::format("/api/v1/users/{}/grants", user.user.text());
    auto body = fmt::format(R"({{"items":[{}]}})", grant);
    EXPECT_EQ(server_.ask("PUT", target, body).head.status, 200U);
    return TestServer::bearer(server_.add_token(user, role, {"containers"}));
  }
  std::string refused(const net::http::Headers& headers, std::string_view host = "local") {
    return refusal_of(
        server_.send("GET", fmt::format("/api/v1/hosts/{}/doctor", host), {}, headers));
  }
  json::Object doctor() { return object_of(server_.ask("GET", "/api/v1/hosts/local/doctor")); }

  doctor::Facts facts_ = missing();
  int looks_ = 0;
  int users_ = 0;
  TestServer server_{options()};
};

TEST_F(HostsDoctorTest, TheReportIsTheOneOfTheDoctor) {
  auto answer = doctor();
  EXPECT_EQ(answer["host"], "local");
  EXPECT_EQ(answer["report"].at("cause"), "socket");
  EXPECT_EQ(answer["report"].at("state"), "failed");
  EXPECT_TRUE(answer["since"].is_null());
  EXPECT_THAT(answer["changes"].as_array(), IsEmpty());
  EXPECT_EQ(answer["report"], json::Value(doctor::json_of(doctor::examine(facts_))));
}

TEST_F(HostsDoctorTest, TheNextOneTellsWhatHasChanged) {
  doctor();
  facts_.socket->kind = doctor::SocketFile::Kind::socket;
  facts_.socket->mode = 0666;
  facts_.engine.error.reset();
  auto answer = doctor();
  EXPECT_EQ(answer["since"], "1970-01-01T00:00:01.000Z");
  const auto& first = answer["changes"].at(0);
  EXPECT_EQ(first.at("id"), "socket");
  EXPECT_EQ(first.at("before").at("state"), "failed");
  EXPECT_EQ(first.at("before").at("at"), "1970-01-01T00:00:01.000Z");
  EXPECT_EQ(first.at("after").at("state"), "ok");
  EXPECT_EQ(first.at("after").at("at"), "1970-01-01T00:00:02.000Z");
}

TEST_F(HostsDoctorTest, EveryMemberIsInTheContract) {
  EXPECT_THAT(Schema{"HostDoctor"}.complaints(json::Value(doctor())), IsEmpty());
  facts_.sight = doctor::Sight::engine;
  facts_.socket.reset();
  auto changed = doctor();
  EXPECT_THAT(changed["changes"].as_array(), Not(IsEmpty()));
  EXPECT_THAT(Schema{"HostDoctor"}.complaints(json::Value(changed)), IsEmpty());
  changed["report"].as_object()["surprise"] = true;
  changed["report"].as_object()["checks"].at(0).as_object().erase("summary");
  changed["report"].as_object()["version"] = "1";
  changed["report"].as_object()["checks"].at(1).as_object()["title"] = nullptr;
  EXPECT_THAT(Schema{"HostDoctor"}.complaints(json::Value(changed)), testing::SizeIs(4));
}

TEST_F(HostsDoctorTest, OperatorsOfTheWholeHostMayAsk) {
  using access::Role;
  auto everywhere = server_.add_user("olga", Role::operator_);
  auto olga = TestServer::bearer(server_.add_token(everywhere, Role::operator_, {"containers"}));
  EXPECT_EQ(server_.send("GET", "/api/v1/hosts/local/doctor", {}, olga).head.status, 200U);
  auto here = granted(Role::operator_, R"({"host":"local","role":"operator"})");
  EXPECT_EQ(server_.send("GET", "/api/v1/hosts/local/doctor", {}, here).head.status, 200U);
  auto asked = looks_;
  EXPECT_EQ(refused(granted(Role::operator_, R"({"host":"local","role":"viewer"})")),
            "403 role_missing");
  EXPECT_EQ(refused(granted(Role::viewer, R"({"host":"local","role":"viewer"})")),
            "403 role_missing");
  EXPECT_EQ(looks_, asked);
}

TEST_F(HostsDoctorTest, ForOthersThereIsNoSuchHost) {
  using access::Role;
  auto project = granted(Role::operator_, R"({"host":"local","project":"shop","role":"operator"})");
  EXPECT_EQ(refused(project), "404 no_such_host");
  EXPECT_EQ(refused(granted(Role::operator_, R"({"group":"far","role":"operator"})")),
            "404 no_such_host");
  EXPECT_EQ(refused(server_.local(), "absent"), "404 no_such_host");
  EXPECT_EQ(looks_, 0);
}

TEST_F(HostsDoctorTest, ADisabledHostIsLeftAlone) {
  server_.ask("PATCH", "/api/v1/hosts/local", R"({"enabled":false})");
  EXPECT_EQ(refused(server_.local()), "409 host_disabled");
  EXPECT_EQ(looks_, 0);
}

TEST_F(HostsDoctorTest, WhatIsNotAskedForIsRefused) {
  EXPECT_EQ(server_.ask("GET", "/api/v1/hosts/local/doctor?deep=1").head.status, 400U);
}

}  // namespace
}  // namespace gantry::api
