#include "api/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class HostsTest : public testing::Test {
 protected:
  net::http::Response add(std::string name, std::string rest = {}) {
    return server_.ask(
        "POST", "/api/v1/hosts",
        fmt::format(R"({{"name":"{}","endpoint":"unix:///run/{}.sock"{}}})", name, name, rest));
  }
  /// What each item of a list says of itself.
  std::vector<std::string> listed(std::string target, const char* member,
                                  const net::http::Headers& headers) {
    std::vector<std::string> out;
    auto body = object_of(server_.send("GET", std::move(target), {}, headers));
    for (const auto& item : body["items"].as_array()) {
      out.emplace_back(item.at(member).as_string());
    }
    return out;
  }
  static json::Object in_project(std::string id, std::string name, std::string project) {
    auto container = engine::FakeDaemon::container(id, name, "running");
    container["Labels"] =
        json::Object{{"com.docker.compose.project", project}, {"com.docker.compose.service", name}};
    return container;
  }
  /// The token of a viewer who has these grants.
  net::http::Headers granted(std::string grants) {
    auto user = server_.add_user("bob", access::Role::viewer);
    auto target = fmt::format("/api/v1/users/{}/grants", user.user.text());
    EXPECT_EQ(server_.ask("PUT", target, fmt::format(R"({{"items":[{}]}})", grants)).head.status,
              200U);
    return TestServer::bearer(server_.add_token(user, access::Role::viewer, {"containers"}));
  }

  TestServer server_;
};

TEST_F(HostsTest, TheLocalEngineIsThereFromTheBeginning) {
  auto local = object_of(server_.ask("GET", "/api/v1/hosts/local"));
  EXPECT_EQ(local["name"], "local");
  EXPECT_EQ(local["default"], true);
  EXPECT_EQ(local["follows_engine_option"], true);
  EXPECT_EQ(local["state"], "connecting");
  EXPECT_EQ(local["via"], "direct");
}

TEST_F(HostsTest, AHostIsAddedChangedAndRemoved) {
  auto added = add("edge", R"(,"labels":{"site":"berlin"},"groups":["far"],"note":"by the gate")");
  EXPECT_EQ(added.head.status, 201U);
  EXPECT_EQ(object_of(added)["groups"].at(0), "far");
  auto changed = server_.ask("PATCH", "/api/v1/hosts/edge", R"({"name":"rim","enabled":false})");
  EXPECT_EQ(object_of(changed)["state"], "disabled");
  EXPECT_EQ(server_.ask("GET", "/api/v1/hosts/edge").head.status, 404U);
  EXPECT_EQ(server_.ask("DELETE", "/api/v1/hosts/rim").head.status, 204U);
  EXPECT_EQ(refusal_of(server_.ask("DELETE", "/api/v1/hosts/rim")), "404 no_such_host");
}

TEST_F(HostsTest, MistakesAreToldByTheirField) {
  for (auto [body, field] : std::vector<std::pair<std::string, std::string>>{
           {R"({"endpoint":"unix:///x"})", "name"},
           {R"({"name":"a"})", "endpoint"},
           {R"({"name":"A","endpoint":"unix:///x"})", "name"},
           {R"({"name":"a","endpoint":"tcp://10.0.0.1:2375"})", "endpoint"},
           {R"({"name":"a","endpoint":"ssh://-oProxyCommand=x"})", "endpoint"},
           {R"({"name":"a","endpoint":"unix:///x","labels":{"a":1}})", "labels"},
           {R"({"name":"a","endpoint":"tls://x","tls":{"ca":"x"}})", "tls.ca"},
           {R"({"name":"a","endpoint":"ssh://x","ssh":{"jump":["-oX"]}})", "ssh.jump"},
           {R"({"name":"a","endpoint":"ssh://x","ssh":{"sudo":true}})", "ssh.sudo"}}) {
    auto refused = server_.ask("POST", "/api/v1/hosts", body);
    EXPECT_EQ(refused.head.status, 400U) << body;
    EXPECT_THAT(refused.body, HasSubstr("'" + field + "'")) << body;
  }
  EXPECT_EQ(refusal_of(add("local")), "409 already_exists");
}

TEST_F(HostsTest, SecretsAreTakenAndNeverTold) {
  auto added = server_.ask(
      "POST", "/api/v1/hosts",
      R"({"name":"far","endpoint":"ssh://ann@far","ssh":{"password":"hunter2","jump":["gate"]}})");
  EXPECT_EQ(added.head.status, 201U);
  auto ssh = object_of(added)["ssh"];
  EXPECT_EQ(ssh.at("password"), true);
  EXPECT_EQ(ssh.at("identity"), false);
  EXPECT_EQ(ssh.at("jump").at(0), "gate");
  for (auto target : {"/api/v1/hosts/far", "/api/v1/hosts", "/api/v1/audit"}) {
    EXPECT_THAT(server_.ask("GET", target).body, Not(HasSubstr("hunter2"))) << target;
  }
}

TEST_F(HostsTest, ATestTellsItsSteps) {
  server_.daemon().expect("GET", "/version").reply(200, R"({"Version":"27.1"})");
  auto tested = object_of(server_.ask("POST", "/api/v1/hosts/local/test"));
  EXPECT_EQ(tested["ok"], true);
  EXPECT_EQ(tested["steps"].as_array().size(), 7U);
  EXPECT_EQ(refusal_of(server_.ask("POST", "/api/v1/hosts/nowhere/test")), "404 no_such_host");
}

TEST_F(HostsTest, WhoMayNotSeeAHostFindsItNowhere) {
  add("edge", R"(,"groups":["far"])");
  auto bob = granted(R"({"group":"far","role":"viewer"})");
  EXPECT_THAT(listed("/api/v1/hosts", "name", bob), ElementsAre("edge"));
  auto hidden = server_.send("GET", "/api/v1/hosts/local", {}, bob);
  auto absent = server_.send("GET", "/api/v1/hosts/absent", {}, bob);
  EXPECT_EQ(refusal_of(hidden), "404 no_such_host");
  EXPECT_EQ(refusal_of(absent), "404 no_such_host");
  EXPECT_EQ(server_.send("GET", "/api/v1/hosts/local/volumes", {}, bob).head.status, 404U);
  EXPECT_THAT(object_of(server_.send("GET", "/api/v1/containers", {}, bob))["hosts"].as_array(),
              testing::SizeIs(1));
}

TEST_F(HostsTest, AGroupIsOneOfThoseThatSomebodySees) {
  add("edge", R"(,"groups":["far"])");
  add("core", R"(,"groups":["far","near"])");
  auto bob = granted(R"({"host":"edge","role":"viewer"},)"
                     R"({"host":"core","project":"shop","role":"viewer"})");
  EXPECT_THAT(listed("/api/v1/hosts", "name", bob), ElementsAre("core", "edge"));
  EXPECT_THAT(listed("/api/v1/hosts?group=far", "name", bob), ElementsAre("edge"));
  EXPECT_THAT(listed("/api/v1/hosts?group=near", "name", bob), IsEmpty());
  auto near = object_of(server_.send("GET", "/api/v1/containers?group=near", {}, bob));
  EXPECT_THAT(near["hosts"].as_array(), IsEmpty());
}

TEST_F(HostsTest, WhoSeesAProjectSeesItsContainersAndCountsNoOthers) {
  server_.follow(
      {in_project("aa", "web", "shop"), engine::FakeDaemon::container("bb", "db", "running")});
  auto bob = granted(R"({"host":"local","project":"shop","role":"viewer"})");
  EXPECT_THAT(listed("/api/v1/containers", "name", bob), ElementsAre("web"));
  EXPECT_EQ(object_of(server_.send("GET", "/api/v1/containers", {}, bob))["total"], 1);
  auto host = object_of(server_.send("GET", "/api/v1/hosts/local", {}, bob));
  EXPECT_EQ(host["containers"].at("total"), 1);
  EXPECT_THAT(listed("/api/v1/projects", "name", bob), ElementsAre("shop"));
  EXPECT_EQ(server_.send("GET", "/api/v1/hosts/local/images", {}, bob).head.status, 404U);
}

TEST_F(HostsTest, WhoSeesAProjectIsToldNothingOfTheHostButHowItIs) {
  auto changed = server_.ask("PATCH", "/api/v1/hosts/local",
                             R"({"note":"hunter2","labels":{"a":"hunter2"},"groups":["hunter2"]})");
  EXPECT_EQ(changed.head.status, 200U);
  server_.daemon().server().refuse_connections(
      {ErrorKind::unavailable, "not_listening", "nobody listens at hunter2", {}});
  server_.supervise_link();
  server_.loop().run(async::until([this] { return server_.local_view().error.has_value(); }));
  auto bob = granted(R"({"host":"local","project":"shop","role":"viewer"})");
  for (auto target : {"/api/v1/hosts/local", "/api/v1/hosts", "/api/v1/containers"}) {
    auto told = server_.send("GET", target, {}, bob).body;
    EXPECT_THAT(told, HasSubstr(R"("detail":"cannot reach host 'local'")")) << target;
    EXPECT_THAT(told, Not(HasSubstr("hunter2"))) << target;
    EXPECT_THAT(told, Not(HasSubstr("fake.sock"))) << target;
  }
  auto whole = object_of(server_.ask("GET", "/api/v1/hosts/local"));
  EXPECT_EQ(whole["note"], "hunter2");
  EXPECT_EQ(whole["endpoint"], "unix:///run/fake.sock");
}

TEST_F(HostsTest, AContainerThatIsHiddenTakesTheWayOfOneThatIsNotThere) {
  server_.follow(
      {in_project("aa", "web", "shop"), engine::FakeDaemon::container("bb", "db", "running")});
  for (auto name : {"db", "nothing"}) {
    server_.daemon()
        .expect("GET", fmt::format("/containers/{}/json", name))
        .reply(500, R"({"message":"the engine is ill"})")
        .always();
  }
  auto bob = granted(R"({"host":"local","project":"shop","role":"viewer"})");
  auto hidden = server_.send("GET", "/api/v1/hosts/local/containers/db", {}, bob);
  auto absent = server_.send("GET", "/api/v1/hosts/local/containers/nothing", {}, bob);
  EXPECT_GE(absent.head.status, 500U);
  EXPECT_EQ(refusal_of(hidden), refusal_of(absent));
}

TEST_F(HostsTest, ProjectsAreListedWithTheirServices) {
  server_.follow({in_project("aa", "web", "shop")});
  auto body = object_of(server_.ask("GET", "/api/v1/projects?host=local"));
  const auto& project = body["items"].at(0);
  EXPECT_EQ(project.at("host"), "local");
  EXPECT_EQ(project.at("state"), "running");
  EXPECT_EQ(std::string_view{project.at("services").at(0).at("containers").at(0).as_string()},
            engine::FakeDaemon::id("aa"));
  EXPECT_THAT(object_of(server_.ask("GET", "/api/v1/projects?host=x"))["items"].as_array(),
              IsEmpty());
}

TEST_F(HostsTest, VolumesComeInPages) {
  server_.daemon()
      .expect("GET", "/volumes*")
      .reply(200, R"({"Volumes":[{"Name":"c"},{"Name":"a"},{"Name":"b"}]})");
  server_.follow({});
  server_.loop().run(async::until([this] { return !server_.local_view().volumes.empty(); }));
  auto first = object_of(server_.ask("GET", "/api/v1/hosts/local/volumes?limit=2"));
  EXPECT_EQ(first["items"].as_array().size(), 2U);
  EXPECT_EQ(first["next"], "b");
  EXPECT_THAT(listed("/api/v1/hosts/local/volumes?cursor=b", "name", server_.local()),
              ElementsAre("c"));
  EXPECT_THAT(listed("/api/v1/hosts/local/volumes?q=A", "name", server_.local()), ElementsAre("a"));
  EXPECT_EQ(refusal_of(server_.ask("GET", "/api/v1/hosts/local/volumes?cursor=x")),
            "400 invalid_cursor");
}

TEST_F(HostsTest, OnlyAdminsChangeHosts) {
  auto user = server_.add_user("olga", access::Role::operator_);
  auto olga = TestServer::bearer(server_.add_token(user, access::Role::operator_, {"containers"}));
  EXPECT_EQ(server_.send("POST", "/api/v1/hosts", R"({"name":"a","endpoint":"unix:///x"})", olga)
                .head.status,
            403U);
  EXPECT_EQ(server_.send("POST", "/api/v1/hosts/local/test", {}, olga).head.status, 403U);
  auto seen = object_of(server_.send("GET", "/api/v1/hosts/local", {}, olga));
  EXPECT_FALSE(seen.contains("ssh"));
}

}  // namespace
}  // namespace gantry::api
