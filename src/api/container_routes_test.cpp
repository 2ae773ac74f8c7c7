#include "api/container_log_query.hpp"
#include "api/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using engine::FakeDaemon;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr const char* base = "/api/v1/hosts/local/containers";

class ContainerRoutes : public testing::Test {
 protected:
  /// What the engine says about the container `web`.
  void inspectable(json::Object labels = {}) {
    json::Object config{
        {"Env", json::Array{"MODE=fast", "DB_PASSWORD=hunter2", "URL=postgres://app:hunter2@db/x"}},
        {"Cmd", json::Array{"serve", "--api-token=hunter2"}},
        {"Labels", std::move(labels)},
        {"Tty", false}};
    json::Object container{{"Id", id_},
                           {"Name", "/web"},
                           {"Path", "serve"},
                           {"Args", json::Array{"--api-token=hunter2"}},
                           {"Config", std::move(config)},
                           {"State", json::Object{{"Status", "running"}, {"Running", true}}}};
    auto body = json::serialize(json::Value(container));
    for (const auto& reference : {std::string{"web"}, id_}) {
      daemon()
          .expect("GET", fmt::format("/containers/{}/json", reference))
          .reply(200, body)
          .always();
    }
  }
  FakeDaemon& daemon() { return server_.daemon(); }
  TestServer::Response ask(std::string method, std::string path, std::string body = {}) {
    return server_.ask(std::move(method), base + path, std::move(body));
  }
  TestServer::Response as(access::Role role, std::string method, std::string path,
                          std::string body = {}) {
    auto token = server_.add_token(server_.add_user(fmt::format("user{}", ++users_), role), role,
                                   {"containers"});
    return server_.send(std::move(method), base + path, std::move(body), TestServer::bearer(token));
  }
  /// Newest first.
  std::vector<std::string> audited() {
    server_.loop().run(server_.operations().close());
    auto page = object_of(server_.ask("GET", "/api/v1/audit?action=container"));
    std::vector<std::string> out;
    for (const auto& item : page.at("items").as_array()) {
      const auto& entry = item.as_object();
      out.push_back(fmt::format("{} {} {}", entry.at("action").as_string().c_str(),
                                entry.at("target").as_string().c_str(),
                                entry.at("outcome").as_string().c_str()));
    }
    return out;
  }

  std::string id_ = FakeDaemon::id("abab");
  int users_ = 0;
  TestServer server_;
};

TEST_F(ContainerRoutes, AnActionReachesTheEngineByIdAndLeavesTwoRows) {
  inspectable();
  daemon().expect("POST", fmt::format("/containers/{}/stop?t=3", id_)).reply(204);
  auto answer = ask("POST", "/web/stop", R"({"grace_seconds":3})");
  EXPECT_EQ(answer.head.status, 204U) << answer.body;
  EXPECT_THAT(audited(), testing::ElementsAre("container.stop local/web ok",
                                              "container.stop local/web begun"));
}

TEST_F(ContainerRoutes, EachActionHasItsCall) {
  inspectable();
  struct Case {
    const char* path;
    const char* body;
    const char* asked;
  };
  for (auto [path, body, asked] :
       {Case{"/web/start", "", "/start"}, Case{"/web/restart", "", "/restart?t=10"},
        Case{"/web/pause", "", "/pause"}, Case{"/web/unpause", "{}", "/unpause"},
        Case{"/web/kill", R"({"signal":"SIGHUP"})", "/kill?signal=SIGHUP"},
        Case{"/web/rename", R"({"name":"web-2"})", "/rename?name=web-2"}}) {
    daemon().expect("POST", fmt::format("/containers/{}{}", id_, asked)).reply(204);
    auto answer = ask("POST", path, body);
    EXPECT_EQ(answer.head.status, 204U) << path << answer.body;
  }
  daemon().expect("DELETE", fmt::format("/containers/{}?force=1&v=1", id_)).reply(204);
  EXPECT_EQ(ask("DELETE", "/web?force=true&volumes=true").head.status, 204U);
  daemon()
      .expect("POST", fmt::format("/containers/{}/update", id_))
      .reply(200, R"({"Warnings":[]})");
  EXPECT_EQ(ask("POST", "/web/update", R"({"cpus":1.5,"restart":{"policy":"always"}})").body,
            R"({"warnings":[]})");
  EXPECT_EQ(daemon().last_body(),
            R"({"NanoCpus":1500000000,"RestartPolicy":{"Name":"always","MaximumRetryCount":0}})");
}

TEST_F(ContainerRoutes, ARunningContainerIsNotRemovedWithoutForce) {
  inspectable();
  daemon()
      .expect("DELETE", fmt::format("/containers/{}", id_))
      .reply(409, R"({"message":"You cannot remove a running container abab. Stop it first"})");
  auto answer = ask("DELETE", "/web");
  EXPECT_EQ(refusal_of(answer), "409 engine_conflict");
  EXPECT_THAT(answer.body, HasSubstr("remove it by force"));
}

TEST_F(ContainerRoutes, ViewersLookAndDoNotTouch) {
  inspectable();
  EXPECT_EQ(as(access::Role::viewer, "GET", "/web").head.status, 200U);
  EXPECT_EQ(refusal_of(as(access::Role::viewer, "POST", "/web/stop")), "403 role_missing");
  EXPECT_EQ(refusal_of(as(access::Role::executor, "GET", "/web")), "403 role_missing");
  EXPECT_THAT(daemon().requests(), Not(Contains(HasSubstr("/stop"))));
}

TEST_F(ContainerRoutes, WhoSeesOneProjectFindsNothingElse) {
  inspectable({{"com.docker.compose.project", "shop"}});
  auto user = server_.add_user("carol", access::Role::operator_);
  auto token = server_.add_token(user, access::Role::operator_, {"containers"});
  auto grant = [&](std::string project) {
    auto body = fmt::format(R"({{"items":[{{"host":"local","project":"{}","role":"operator"}}]}})",
                            project);
    auto path = fmt::format("/api/v1/users/{}/grants", user.user.text());
    EXPECT_EQ(server_.ask("PUT", path, body).head.status / 100, 2U);
  };
  auto get = [&] {
    return server_.send("GET", std::string{base} + "/web", {}, TestServer::bearer(token));
  };
  grant("shop");
  EXPECT_EQ(get().head.status, 200U);
  grant("other");
  auto hidden = get();
  EXPECT_EQ(refusal_of(hidden), "404 no_such_container");
  daemon().expect("GET", "/containers/none/json").reply(404, R"({"message":"No such container"})");
  auto absent = server_.send("GET", std::string{base} + "/none", {}, TestServer::bearer(token));
  EXPECT_EQ(refusal_of(absent), "404 no_such_container");
  auto made = server_.send("POST", base, R"({"image":"nginx"})", TestServer::bearer(token));
  EXPECT_EQ(refusal_of(made), "404 no_such_host");
}

TEST_F(ContainerRoutes, SandboxesAreNotFound) {
  daemon()
      .expect("GET", "/containers/gantry-sandbox-40000/json")
      .reply(200, R"({"Id":"abababababab","Name":"/gantry-sandbox-40000","Config":{"Labels":)"
                  R"({"io.gantry.kind":"sandbox"}}})")
      .always();
  EXPECT_EQ(refusal_of(ask("GET", "/gantry-sandbox-40000")), "404 no_such_container");
  EXPECT_EQ(refusal_of(ask("DELETE", "/gantry-sandbox-40000?force=true")), "404 no_such_container");
  EXPECT_EQ(refusal_of(ask("POST", "/gantry-sandbox-40000/kill")), "404 no_such_container");
}

TEST_F(ContainerRoutes, SecretsAreMaskedAndUnmaskingIsARightAndLeavesATrace) {
  inspectable({{"api_token", "hunter2"}});
  auto masked = ask("GET", "/web");
  EXPECT_THAT(masked.body,
              AllOf(HasSubstr("fast"), HasSubstr("DB_PASSWORD"), Not(HasSubstr("hunter2"))));
  EXPECT_EQ(refusal_of(as(access::Role::operator_, "GET", "/web?unmask=true")),
            "403 unmask_missing");
  auto shown = ask("GET", "/web?unmask=true");
  EXPECT_THAT(shown.body, HasSubstr("hunter2"));
  EXPECT_THAT(audited(), testing::ElementsAre("container.unmask local/web ok"));
}

TEST_F(ContainerRoutes, ManyAreDoneAtOnceWithAResultForEach) {
  inspectable();
  daemon().expect("POST", fmt::format("/containers/{}/start", id_)).reply(304);
  daemon().expect("GET", "/containers/none/json").reply(404, R"({"message":"No such container"})");
  auto answer = server_.ask("POST", "/api/v1/containers/actions",
                            R"({"action":"start","containers":[{"host":"local","id":"web"},)"
                            R"({"host":"local","id":"none"},{"host":"moon","id":"web"}]})");
  auto results = object_of(answer).at("results").as_array();
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(json::serialize(results[0]), R"({"host":"local","id":"web","ok":true})");
  EXPECT_THAT(json::serialize(results[1]), HasSubstr(R"("code":"no_such_container")"));
  EXPECT_THAT(json::serialize(results[2]), HasSubstr(R"("code":"no_such_host")"));
}

TEST_F(ContainerRoutes, ABodyThatIsWrongReachesNoEngine) {
  auto refusal = [&](const char* path, const char* body) {
    return refusal_of(ask("POST", path, body));
  };
  EXPECT_EQ(refusal("/web/stop", R"({"grace_seconds":-1})"), "400 invalid_field");
  EXPECT_EQ(refusal("/web/stop", R"({"signal":"x"})"), "400 unknown_field");
  EXPECT_EQ(refusal("/web/kill", R"({"signal":"KILL&all=1"})"), "400 invalid_field");
  EXPECT_EQ(refusal("/web/rename", R"({"name":"../x"})"), "400 invalid_field");
  EXPECT_EQ(refusal("/web/rename", R"({"name":"gantry-sandbox-40000"})"), "400 invalid_field");
  EXPECT_EQ(refusal("/web/update", "{}"), "400 invalid_field");
  EXPECT_EQ(refusal("/web/update", R"({"cpus":1e300})"), "400 invalid_field");
  EXPECT_THAT(daemon().requests(), testing::IsEmpty());
}

TEST_F(ContainerRoutes, AContainerIsMadeFromItsFormAndNothingElse) {
  daemon()
      .expect("POST", "/containers/create?name=shop")
      .reply(201, fmt::format(R"({{"Id":"{}","Warnings":[]}})", id_));
  inspectable();
  daemon().expect("GET", "/volumes/data").reply(404, R"({"message":"no such volume"})");
  daemon().expect("POST", fmt::format("/containers/{}/start", id_)).reply(204);
  auto answer = ask("POST", "", R"({"name":"shop","image":"nginx:1.27","command":["serve"],
    "env":{"A":"b"},"ports":[{"container_port":80,"host_port":8080}],
    "mounts":[{"type":"volume","source":"data","target":"/data"},
              {"type":"tmpfs","target":"/tmp","size_bytes":65536}],
    "restart":{"policy":"unless-stopped"},"limits":{"memory_bytes":67108864,"cpus":0.5},
    "healthcheck":{"shell":"true","interval_ms":500}})");
  EXPECT_EQ(answer.head.status, 201U) << answer.body;
  EXPECT_EQ(object_of(answer).at("id").as_string(), id_);
  auto body = daemon().last_body();
  constexpr std::string_view label = R"("Labels":{"io.gantry.creation":")";
  auto at = body.find(label);
  ASSERT_NE(at, body.npos) << body;
  body.erase(at, body.find("},", at) + 2 - at);
  EXPECT_EQ(
      body,
      R"({"Image":"nginx:1.27","OpenStdin":false,"Tty":false,"HostConfig":{"Privileged":false,)"
      R"("PublishAllPorts":false,"ReadonlyRootfs":false,"RestartPolicy":{"Name":)"
      R"("unless-stopped","MaximumRetryCount":0},"PortBindings":{"80/tcp":[{"HostIp":"",)"
      R"("HostPort":"8080"}]},"Mounts":[{"Type":"volume","Source":"data","Target":"/data",)"
      R"("ReadOnly":false,"VolumeOptions":{"NoCopy":false}}],"Tmpfs":{"/tmp":)"
      R"("rw,nosuid,nodev,size=65536"},"Memory":67108864,"NanoCpus":500000000},)"
      R"("Cmd":["serve"],"Env":["A=b"],"Healthcheck":{"Test":["CMD-SHELL","true"],)"
      R"("Interval":500000000},"ExposedPorts":{"80/tcp":{}}})");
  EXPECT_THAT(audited(), testing::UnorderedElementsAre("container.start local/shop ok",
                                                       "container.start local/shop begun",
                                                       "container.create local/shop ok",
                                                       "container.create local/shop begun"));
}

TEST_F(ContainerRoutes, WhatReachesOutOfAContainerTakesAnAdminWhoNamesIt) {
  auto socket =
      R"({"image":"x","mounts":[{"type":"bind","source":"/var/run/docker.sock","target":"/s"}]})";
  EXPECT_EQ(refusal_of(as(access::Role::operator_, "POST", "", socket)), "403 danger_needs_admin");
  EXPECT_EQ(refusal_of(ask("POST", "", socket)), "400 danger_not_named");
  EXPECT_EQ(refusal_of(ask("POST", "", R"({"image":"x","labels":{"io.gantry.kind":"x"}})")),
            "400 invalid_container");
  for (const auto* body :
       {R"({"image":"x","Privileged":true})", R"({"image":"x","HostConfig":{"Privileged":true}})",
        R"({"image":"x","privileged":false,"privileged":true})",
        R"({"image":"x","pid_namespace":"container:web"})",
        R"({"image":"x","Ho\u017ftConfig":{}})"}) {
    EXPECT_EQ(ask("POST", "", body).head.status, 400U) << body;
  }
  EXPECT_THAT(daemon().requests(), testing::IsEmpty());
}

TEST_F(ContainerRoutes, WhoOperatesAProjectBringsInNothingOfOthers) {
  auto user = server_.add_user("carol", access::Role::operator_);
  auto as = TestServer::bearer(server_.add_token(user, access::Role::operator_, {"containers"}));
  value_or_throw(server_.loop().run(server_.access().set_grants(
      server_.owner(), user.user,
      {{.host = "local", .project = "shop", .role = access::Role::operator_}})));
  auto exists = [this](std::string_view path, std::string_view name, std::string_view project) {
    daemon()
        .expect("GET", path)
        .reply(200,
               fmt::format(
                   R"({{"Id":"n1","Name":"{}","Labels":{{"com.docker.compose.project":"{}"}}}})",
                   name, project))
        .always();
  };
  exists("/volumes/shop_data", "shop_data", "shop");
  exists("/volumes/erp_data", "erp_data", "erp");
  exists("/networks/shop_net", "shop_net", "shop");
  exists("/networks/erp_net", "erp_net", "erp");
  daemon().expect("GET", "/volumes/none").reply(404, R"({"message":"no"})").always();
  daemon().expect("GET", "/networks/none_net").reply(404, R"({"message":"no"})").always();
  auto of_project = [](std::string_view project) {
    return fmt::format(
        R"({{"Id":"sha256:{}","Config":{{"Labels":{{"com.docker.compose.project":"{}"}}}}}})",
        FakeDaemon::id("1a"), project);
  };
  daemon().expect("GET", "/images/nginx/json").reply(200, of_project("")).always();
  daemon().expect("GET", "/images/shop_web/json").reply(200, of_project("shop")).always();
  daemon().expect("GET", "/images/erp_web/json").reply(200, of_project("erp")).always();
  daemon().expect("GET", "/images/none/json").reply(404, R"({"message":"no"})").always();
  auto create = [&](std::string_view network, std::string_view volume,
                    std::string_view image = "nginx") {
    auto mounts = volume.empty() ? std::string{}
                                 : fmt::format(R"({{"type":"volume","source":"{}",)"
                                               R"("target":"/data"}})",
                                               volume);
    return server_.send("POST", base,
                        fmt::format(R"({{"image":"{}","labels":{{"com.docker.compose.project":)"
                                    R"("shop"}},{}"mounts":[{}],"start":false}})",
                                    image, network, mounts),
                        as);
  };
  for (auto image : {"erp_web", "none"}) {
    auto refused = create(R"("network":"none",)", "", image);
    EXPECT_EQ(refusal_of(refused), "404 no_such_image");
    EXPECT_THAT(refused.body, HasSubstr("there is none of that name or id that you may use"));
  }
  EXPECT_EQ(refusal_of(create(R"("network":"none",)", "erp_data")), "404 no_such_volume");
  EXPECT_EQ(refusal_of(create(R"("network":"none",)", "none")), "404 no_such_volume");
  EXPECT_EQ(refusal_of(create(R"("network":"erp_net",)", "")), "404 no_such_network");
  EXPECT_EQ(refusal_of(create(R"("network":"none_net",)", "")), "404 no_such_network");
  EXPECT_EQ(refusal_of(create(R"("network":"bridge",)", "")), "403 network_of_the_host");
  EXPECT_EQ(refusal_of(create("", "")), "403 network_of_the_host");
  EXPECT_THAT(daemon().requests(), Not(Contains(HasSubstr("/create"))));
  daemon().expect("POST", "/containers/create").reply(201, fmt::format(R"({{"Id":"{}"}})", id_));
  inspectable({{"com.docker.compose.project", "shop"}});
  EXPECT_EQ(create(R"("network":"shop_net",)", "shop_data", "shop_web").head.status, 201U);
}

TEST_F(ContainerRoutes, WhoOperatesAProjectHearsThatAnotherIsNotTheirs) {
  auto user = server_.add_user("carol", access::Role::operator_);
  auto as = TestServer::bearer(server_.add_token(user, access::Role::operator_, {"containers"}));
  value_or_throw(server_.loop().run(server_.access().set_grants(
      server_.owner(), user.user,
      {{.host = "local", .project = "shop", .role = access::Role::operator_}})));
  auto refused = server_.send(
      "POST", base, R"({"image":"nginx","labels":{"com.docker.compose.project":"erp"}})", as);
  EXPECT_EQ(refusal_of(refused), "404 no_such_host");
  EXPECT_THAT(refused.body, HasSubstr("cannot find host 'local' for project 'erp': you have no "
                                      "project of that name there"));
  auto whole = server_.send("POST", base, R"({"image":"nginx"})", as);
  EXPECT_THAT(whole.body, HasSubstr("as a whole: you see only projects on it"));
}

TEST_F(ContainerRoutes, WhoOperatesAProjectDoesNotLearnHowTheEngineIsReached) {
  auto user = server_.add_user("carol", access::Role::operator_);
  auto as = TestServer::bearer(server_.add_token(user, access::Role::operator_, {"containers"}));
  value_or_throw(server_.loop().run(server_.access().set_grants(
      server_.owner(), user.user,
      {{.host = "local", .project = "shop", .role = access::Role::operator_}})));
  auto error = Error{ErrorKind::unavailable, "engine_socket_missing",
                     "cannot connect to 'unix:///run/secret.sock'", "look at /run/secret.sock"};
  daemon().server().refuse_connections(error);
  auto bulk = std::string{R"({"action":"stop","containers":[{"host":"local","id":"web"}]})"};
  auto answers = [&](const net::http::Headers& headers) {
    return std::vector{server_.send("POST", std::string{base} + "/web/stop", {}, headers).body,
                       server_.send("GET", std::string{base} + "/web/logs", {}, headers).body,
                       server_.send("GET", "/api/v1/hosts/local/networks/x", {}, headers).body,
                       server_.send("POST", "/api/v1/containers/actions", bulk, headers).body};
  };
  for (const auto& body : answers(as)) {
    EXPECT_THAT(body, HasSubstr(R"("code":"engine_)"));
    EXPECT_THAT(body, HasSubstr("cannot reach host 'local'"));
    EXPECT_THAT(body, Not(HasSubstr("secret")));
  }
  auto whole = TestServer::bearer(
      server_.add_token(server_.owner(), access::Role::operator_, {"containers"}));
  for (const auto& body : answers(whole)) EXPECT_THAT(body, HasSubstr("/run/secret.sock"));
}

TEST_F(ContainerRoutes, AContainerThatTheEngineHasWidenedIsRemovedAgain) {
  daemon().expect("POST", "/containers/create").reply(201, fmt::format(R"({{"Id":"{}"}})", id_));
  daemon()
      .expect("GET", fmt::format("/containers/{}/json", id_))
      .reply(200,
             fmt::format(R"({{"Id":"{}","Name":"/x","HostConfig":{{"Privileged":true}}}})", id_));
  daemon().expect("DELETE", fmt::format("/containers/{}?force=1&v=1", id_)).reply(204);
  EXPECT_EQ(refusal_of(ask("POST", "", R"({"image":"x"})")), "503 engine_widened");
  EXPECT_THAT(daemon().requests(), Not(Contains(HasSubstr("/start"))));
}

std::string frame(char stream, std::string text) {
  std::string head(8, '\0');
  head[0] = stream;
  head[7] = static_cast<char>(text.size());
  return head + text;
}

TEST_F(ContainerRoutes, LogsAreTheBytesTheProgramWroteWithoutAnyHeader) {
  inspectable();
  daemon()
      .expect("GET", fmt::format("/containers/{}/logs?stdout=1&stderr=1&tail=2", id_))
      .stream(200, {frame(1, "one\n").substr(0, 5), frame(1, "one\n").substr(5) + frame(2, "two")});
  auto answer = ask("GET", "/web/logs?tail=2");
  EXPECT_EQ(answer.head.headers.get("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answer.body, "one\ntwo");
}

TEST_F(ContainerRoutes, LogsCanBeDownloaded) {
  inspectable();
  daemon()
      .expect("GET", fmt::format("/containers/{}/logs?stdout=1&timestamps=1", id_))
      .stream(200, {frame(1, "2026-11-22T09:00:00.1Z one\n")});
  auto answer = ask("GET", "/web/logs?download=true&stream=stdout&timestamps=true");
  EXPECT_EQ(answer.head.headers.get("Content-Disposition"),
            "attachment; filename=\"local-web.log\"");
  EXPECT_EQ(answer.body, "2026-11-22T09:00:00.1Z one\n");
}

TEST_F(ContainerRoutes, NoNameOfAnEngineGetsIntoTheHeadOfADownload) {
  json::Object container{{"Id", id_},
                         {"Name", "/w\r\nSet-Cookie: a=b\"; x=\x1b"},
                         {"Config", json::Object{{"Tty", true}}}};
  daemon().expect("GET", "/containers/*").reply(200, json::serialize(json::Value(container)));
  daemon().expect("GET", "/containers/*").reply(200, json::serialize(json::Value(container)));
  daemon().expect("GET", fmt::format("/containers/{}/logs*", id_)).stream(200, {"one\n"});
  auto answer = ask("GET", "/web/logs?download=true");
  EXPECT_EQ(answer.head.status, 200U) << answer.body;
  EXPECT_EQ(answer.head.headers.get("Set-Cookie"), "");
  EXPECT_EQ(answer.head.headers.get("Content-Disposition"),
            "attachment; filename=\"local-w__Set-Cookie__a_b___x__.log\"");
}

TEST_F(ContainerRoutes, FollowedLogsAreEvents) {
  inspectable();
  auto one = frame(1, "2026-11-22T09:00:00.000000001Z one\n");
  auto two = frame(2, "2026-11-22T09:00:00.000000002Z two\n");
  daemon().expect("GET", fmt::format("/containers/{}/logs?follow=1*", id_)).stream(200, {one, two});
  daemon().expect("GET", fmt::format("/containers/{}/logs?stdout=1*", id_)).stream(200, {one});
  auto headers = server_.local();
  headers.set("Accept", "text/event-stream");
  auto events =
      server_.read_stream(std::string{base} + "/web/logs?follow=true&timestamps=true", headers);
  EXPECT_EQ(events,
            "id: 1795338000000000001\nevent: stdout\n"
            "data: {\"text\":\"2026-11-22T09:00:00.000000001Z one\\n\"}\n\n"
            "id: 1795338000000000002\nevent: stderr\n"
            "data: {\"text\":\"2026-11-22T09:00:00.000000002Z two\\n\"}\n\n"
            "event: end\ndata: {\"reason\":\"ended\"}\n\n");
}

TEST_F(ContainerRoutes, AWishForALogThatMakesNoSenseIsRefused) {
  for (const auto* query : {"tail=-1", "tail=some", "since=yesterday", "stream=stdin",
                            "follow=true&until=10m", "follow=true&download=true", "x=1"}) {
    EXPECT_EQ(ask("GET", std::string{"/web/logs?"} + query).head.status, 400U) << query;
  }
}

TEST(LogMoments, AreTimesOrHowLongAgo) {
  WallTime now{Milliseconds{1'790'000'000'000}};
  EXPECT_EQ(parse_moment("90s", now), now - Seconds{90});
  EXPECT_EQ(parse_moment("2h", now), now - Seconds{7'200});
  EXPECT_EQ(parse_moment("1d", now), now - Seconds{86'400});
  EXPECT_EQ(parse_moment("2026-09-21T14:13:20Z", now), now);
  EXPECT_FALSE(parse_moment("10", now));
  EXPECT_FALSE(parse_moment("-5m", now));
  EXPECT_FALSE(parse_moment("99999999d", now));
  EXPECT_FALSE(parse_moment("", now));
}

TEST_F(ContainerRoutes, StatsAreOneReadingOrAStream) {
  inspectable();
  auto reading =
      std::string{
          R"({"read":"now","precpu_stats":{"cpu_usage":{"total_usage":100},)"
          R"("system_cpu_usage":1000},"cpu_stats":{"cpu_usage":{"total_usage":200},)"
          R"("system_cpu_usage":2000,"online_cpus":2},"memory_stats":{"usage":7,"limit":9},)"
          R"("pids_stats":{"current":3}})"} +
      "\n";
  daemon()
      .expect("GET", fmt::format("/containers/{}/stats?stream=1", id_))
      .stream(200, {reading, "{}\n"})
      .always();
  EXPECT_EQ(ask("GET", "/web/stats").body,
            R"({"read_at":"now","cpu_percent":20,"cpus":2,"memory_bytes":7,"memory_limit_bytes":9,)"
            R"("pids":3,"received_bytes":0,"sent_bytes":0,"disk_read_bytes":0,)"
            R"("disk_written_bytes":0})");
  auto headers = server_.local();
  headers.set("Accept", "text/event-stream");
  auto events = server_.read_stream(std::string{base} + "/web/stats", headers);
  EXPECT_THAT(events,
              AllOf(HasSubstr("event: stats\ndata: {\"read_at\":\"now\",\"cpu_percent\":20"),
                    HasSubstr("event: end\ndata: {\"reason\":\"not_running\"}")));
}

TEST_F(ContainerRoutes, WhatDoesNotRunHasNoStats) {
  inspectable();
  daemon().expect("GET", fmt::format("/containers/{}/stats?stream=1", id_)).stream(200, {"{}\n"});
  EXPECT_EQ(refusal_of(ask("GET", "/web/stats")), "409 container_not_running");
}

TEST_F(ContainerRoutes, ProcessesAndChangedFilesAreShown) {
  inspectable();
  daemon()
      .expect("GET", fmt::format("/containers/{}/top", id_))
      .reply(200, R"({"Titles":["PID"],"Processes":[["1"]]})");
  EXPECT_EQ(ask("GET", "/web/top").body, R"({"titles":["PID"],"rows":[["1"]]})");
  daemon()
      .expect("GET", fmt::format("/containers/{}/changes", id_))
      .reply(200, R"([{"Path":"/x","Kind":1}])");
  EXPECT_EQ(ask("GET", "/web/changes").body,
            R"({"items":[{"path":"/x","change":"added"}],"truncated":false,"total":1})");
}

TEST_F(ContainerRoutes, AnEngineThatIsAwayIsAnError) {
  daemon().server().refuse_connections({ErrorKind::unavailable, "not_listening", "gone", {}});
  EXPECT_EQ(refusal_of(ask("POST", "/web/stop")), "503 engine_not_running");
  EXPECT_EQ(refusal_of(ask("GET", "/web/logs")), "503 engine_not_running");
}

}  // namespace
}  // namespace gantry::api
