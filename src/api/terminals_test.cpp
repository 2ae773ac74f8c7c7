#include "access/audit_store.hpp"
#include "api/testing_fake.hpp"
#include "async/attempt.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gantry::api {
namespace {

using engine::FakeDaemon;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* container_path = "/api/v1/hosts/local/containers/web-1";

/// A frame of the engine's multiplexed output.
std::string frame(int output, std::string_view text) {
  std::string bytes{static_cast<char>(output), 0, 0, 0};
  for (unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes += static_cast<char>((text.size() >> shift) & 0xFFU);
  }
  return bytes.append(text);
}

std::string inspected(std::string_view id_begin, std::string_view name) {
  json::Object labels{{"com.docker.compose.project", "shop"}};
  return json::serialize(json::Object{
      {"Id", FakeDaemon::id(id_begin)},
      {"Name", fmt::format("/{}", name)},
      {"Image", fmt::format("sha256:{}", FakeDaemon::id("1"))},
      {"Created", "2026-11-22T00:00:00Z"},
      {"State", json::Object{{"Status", "running"}, {"Running", true}, {"Pid", 7}}},
      {"Config", json::Object{{"Image", "gantry/sh"}, {"Labels", std::move(labels)}}},
      {"HostConfig", json::Object{}},
      {"NetworkSettings", json::Object{{"Networks", json::Object{}}, {"Ports", json::Object{}}}},
      {"Mounts", json::Array{}}});
}

class TerminalsApi : public testing::Test {
 protected:
  TerminalsApi() {
    auto& daemon = server_.daemon();
    daemon.expect("GET", "/containers/web-1/json").reply(200, inspected("c1", "web-1")).always();
    daemon.expect("GET", "/containers/none/json")
        .reply(404, R"({"message":"No such container"})")
        .always();
    created_ = &daemon.expect("POST", "/containers/" + FakeDaemon::id("c1") + "/exec")
                    .reply(201, json::serialize(json::Object{{"Id", exec_}}))
                    .always();
    daemon.expect("POST", "/exec/" + exec_ + "/resize").reply(200).always();
    daemon.expect("GET", "/exec/" + exec_ + "/json")
        .reply(200, R"({"Running":false,"ExitCode":3,"Pid":9})")
        .always();
    operator_ = who("olga", access::Role::operator_);
    other_ = who("oscar", access::Role::operator_);
    viewer_ = who("vera", access::Role::viewer);
  }

  TestServer::Headers who(std::string name, access::Role role) {
    auto identity = server_.add_user(std::move(name), role);
    return TestServer::bearer(server_.add_token(identity, role, {"containers"}));
  }
  /// The next two execs: a shell that writes back what it gets, and what looks for its process.
  void expect_shell() {
    auto start = "/exec/" + exec_ + "/start";
    shell_ = &server_.daemon()
                  .expect("POST", start)
                  .upgrade(101, {"$ "})
                  .stay_open()
                  .on_bytes([](std::string_view bytes) { return std::string{bytes}; });
    server_.daemon().expect("POST", start).upgrade(101, {frame(1, "7 1\n")});
  }
  json::Object open(const TestServer::Headers& as, std::string body = R"({"shell":"bash"})") {
    expect_shell();
    auto answer =
        server_.send("POST", std::string{container_path} + "/terminals", std::move(body), as);
    EXPECT_EQ(answer.head.status, 201U) << answer.body;
    return object_of(answer);
  }
  static std::string text(const json::Object& object, const char* key) {
    return std::string{object.at(key).as_string()};
  }
  net::WebSocket socket(const json::Object& terminal, TestServer::Headers as) {
    return server_.loop().run(
        server_.open_socket("/api/v1/terminals/" + text(terminal, "id"), std::move(as)));
  }
  void say(net::WebSocket& socket, const json::Object& message) {
    server_.loop().run(socket.send(net::WebSocket::Kind::text, json::serialize(message)));
  }
  net::WebSocket attached(const json::Object& terminal, TestServer::Headers as,
                          const std::string& ticket) {
    auto made = socket(terminal, std::move(as));
    say(made, {{"type", "attach"}, {"ticket", ticket}});
    return made;
  }
  std::string ticket(const json::Object& terminal, const TestServer::Headers& as) {
    auto answer = server_.send(
        "POST", fmt::format("/api/v1/terminals/{}/tickets", text(terminal, "id")), {}, as);
    return text(object_of(answer), "ticket");
  }
  /// Text messages until one has this type; bytes are gathered in `bytes_`.
  json::Object told(net::WebSocket& socket, std::string_view type) {
    for (;;) {
      auto message = server_.loop().run(socket.receive());
      if (!message) throw std::runtime_error{fmt::format("closed before '{}'", type)};
      if (message->kind == net::WebSocket::Kind::binary) {
        bytes_ += message->data;
        continue;
      }
      auto object = value_or_throw(json::parse(message->data, json::Keys::strict)).as_object();
      if (object.at("type").as_string() == type) return object;
    }
  }
  void until_bytes(net::WebSocket& socket, std::string_view wanted) {
    while (!bytes_.contains(wanted)) {
      auto message = server_.loop().run(socket.receive());
      if (!message) throw std::runtime_error{"closed"};
      if (message->kind == net::WebSocket::Kind::binary) bytes_ += message->data;
    }
  }
  std::string refused(const TestServer::Headers& as, std::string body,
                      std::string route = "/terminals") {
    return refusal_of(server_.send("POST", container_path + route, std::move(body), as));
  }
  std::vector<std::string> audited() {
    auto page = value_or_throw(server_.loop().run(server_.access().audit_page(100, {})));
    std::vector<std::string> lines;
    for (const auto& record : page.items) {
      const auto& entry = record.entry;
      lines.push_back(fmt::format("{} {} {}", entry.actor, entry.action, entry.target));
    }
    return lines;
  }

  TestServer server_;
  std::string exec_ = FakeDaemon::id("e1");
  net::ScriptedServer::Script* created_ = nullptr;
  net::ScriptedServer::Script* shell_ = nullptr;
  TestServer::Headers operator_;
  TestServer::Headers other_;
  TestServer::Headers viewer_;
  std::string bytes_;
};

TEST_F(TerminalsApi, ATicketOpensAScreenAtAShell) {
  auto terminal = open(operator_);
  EXPECT_EQ(text(terminal, "shell"), "bash");
  EXPECT_EQ(text(terminal, "owner"), "olga");
  auto screen = attached(terminal, operator_, text(terminal, "ticket"));
  auto first = told(screen, "attached");
  EXPECT_TRUE(first.at("may_type").as_bool());
  server_.loop().run(screen.send(net::WebSocket::Kind::binary, "typed"));
  until_bytes(screen, "typed");
  EXPECT_THAT(bytes_, StartsWith("$ "));
}

TEST_F(TerminalsApi, ATicketIsUsedOnce) {
  auto terminal = open(operator_);
  auto first = attached(terminal, operator_, text(terminal, "ticket"));
  told(first, "attached");
  auto second = attached(terminal, operator_, text(terminal, "ticket"));
  EXPECT_EQ(text(told(second, "error"), "code"), "bad_ticket");
}

TEST_F(TerminalsApi, SomebodyElsesTicketOpensNothing) {
  auto terminal = open(operator_);
  auto thief = attached(terminal, other_, text(terminal, "ticket"));
  EXPECT_EQ(text(told(thief, "error"), "code"), "bad_ticket");
  auto owner = attached(terminal, operator_, text(terminal, "ticket"));
  EXPECT_EQ(text(told(owner, "error"), "code"), "bad_ticket");
}

TEST_F(TerminalsApi, TheFirstMessageIsTheTicket) {
  auto terminal = open(operator_);
  auto typing = socket(terminal, operator_);
  server_.loop().run(typing.send(net::WebSocket::Kind::binary, "ls\n"));
  EXPECT_EQ(text(told(typing, "error"), "code"), "ticket_required");
  auto odd = socket(terminal, operator_);
  say(odd, {{"type", "attach"}, {"ticket", text(terminal, "ticket")}, {"rows", 0}, {"columns", 1}});
  EXPECT_EQ(text(told(odd, "error"), "code"), "invalid_field");
}

TEST_F(TerminalsApi, APageOfAnotherOriginIsRefused) {
  auto terminal = open(operator_);
  auto headers = operator_;
  headers.set("Origin", "https://evil.example");
  auto opened = server_.loop().run(
      async::attempt(server_.open_socket("/api/v1/terminals/" + text(terminal, "id"), headers)));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("cross_site_request"));
}

TEST_F(TerminalsApi, ItIsForOperatorsOfWhatIsThere) {
  EXPECT_EQ(refused(viewer_, "{}"), "403 role_missing");
  EXPECT_EQ(refusal_of(server_.send("POST", "/api/v1/hosts/local/containers/none/terminals", "{}",
                                    operator_)),
            "404 no_such_container");
  EXPECT_EQ(refusal_of(server_.send("POST", "/api/v1/hosts/none/containers/web-1/terminals", "{}",
                                    operator_)),
            "404 no_such_host");
  EXPECT_EQ(refusal_of(server_.send("POST", "/api/v1/terminals/none/tickets", {}, operator_)),
            "404 no_such_terminal");
  EXPECT_EQ(created_->used(), 0U);
}

TEST_F(TerminalsApi, OthersWatchUnlessItIsShared) {
  auto terminal = open(operator_);
  auto watcher = attached(terminal, other_, ticket(terminal, other_));
  EXPECT_FALSE(told(watcher, "attached").at("may_type").as_bool());
  server_.loop().run(watcher.send(net::WebSocket::Kind::binary, "rm"));
  EXPECT_EQ(text(told(watcher, "error"), "code"), "watching_only");
  EXPECT_THAT(audited(), Contains("oscar terminal.join local/web-1"));
  auto path = "/api/v1/terminals/" + text(terminal, "id");
  EXPECT_EQ(refusal_of(server_.send("DELETE", path, {}, other_)), "403 not_yours");
}

TEST_F(TerminalsApi, WhoeverSeesASharedOneTypes) {
  auto terminal = open(operator_, R"({"shell":"bash","shared":true})");
  auto guest = attached(terminal, other_, ticket(terminal, other_));
  EXPECT_TRUE(told(guest, "attached").at("may_type").as_bool());
  server_.loop().run(guest.send(net::WebSocket::Kind::binary, "guest"));
  until_bytes(guest, "guest");
}

TEST_F(TerminalsApi, ItsEndIsTold) {
  auto terminal = open(operator_);
  auto screen = attached(terminal, operator_, text(terminal, "ticket"));
  told(screen, "attached");
  shell_->finish();
  auto end = told(screen, "ended");
  EXPECT_EQ(text(end, "reason"), "exited");
  EXPECT_EQ(end.at("exit_code").as_int64(), 3);
  EXPECT_EQ(text(end, "process"), "ended");
  EXPECT_FALSE(server_.loop().run(screen.receive()));
}

TEST_F(TerminalsApi, TheyAreListedAndEnded) {
  auto terminal = open(operator_);
  auto listed = object_of(server_.send("GET", "/api/v1/terminals", {}, other_));
  ASSERT_EQ(listed.at("items").as_array().size(), 1U);
  EXPECT_EQ(listed.at("items").as_array()[0].as_object().at("id"), terminal.at("id"));
  EXPECT_FALSE(listed.at("items").as_array()[0].as_object().contains("ticket"));
  auto ended = server_.ask("DELETE", "/api/v1/terminals/" + text(terminal, "id"));
  EXPECT_EQ(ended.head.status, 200U) << ended.body;
  EXPECT_EQ(text(object_of(ended), "reason"), "closed");
}

TEST_F(TerminalsApi, AMessageThatMeansNothingEndsTheConnectionAndNotTheTerminal) {
  auto terminal = open(operator_);
  auto screen = attached(terminal, operator_, text(terminal, "ticket"));
  told(screen, "attached");
  say(screen, {{"type", "resize"}, {"columns", 2'147'483'648}, {"rows", -1}});
  EXPECT_EQ(text(told(screen, "error"), "code"), "invalid_field");
  EXPECT_FALSE(server_.loop().run(screen.receive()));
  auto again = attached(terminal, operator_, ticket(terminal, operator_));
  told(again, "attached");
}

TEST_F(TerminalsApi, WhoMayNotComeInAnyMoreIsShownNothingMore) {
  auto identity = server_.add_user("temp", access::Role::operator_);
  auto token =
      TestServer::bearer(server_.add_token(identity, access::Role::operator_, {"containers"}));
  auto terminal = open(token);
  auto screen = attached(terminal, token, text(terminal, "ticket"));
  told(screen, "attached");
  auto id = identity.user.text();
  EXPECT_EQ(server_.ask("DELETE", "/api/v1/users/" + id).head.status, 204U);
  while (server_.loop().run(screen.receive())) continue;
}

TEST_F(TerminalsApi, WhatNoShellCanHaveIsRefused) {
  EXPECT_EQ(refused(operator_, R"({"shell":"-c"})"), "400 invalid_field");
  EXPECT_EQ(refused(operator_, R"({"shell":"sh;id"})"), "400 invalid_field");
  EXPECT_EQ(refused(operator_, R"({"user":"-0"})"), "400 invalid_field");
  EXPECT_EQ(refused(operator_, R"({"user":"4294967296"})"), "400 invalid_field");
  EXPECT_EQ(refused(operator_, R"({"working_dir":"/proc/self/fd/8"})"), "400 invalid_field");
  EXPECT_EQ(refused(operator_, R"({"working_dir":"/tmp/../proc/1"})"), "400 invalid_field");
  EXPECT_EQ(refused(operator_, R"({"working_dir":"tmp"})"), "400 invalid_field");
  EXPECT_EQ(refused(operator_, R"({"env":{"A=B":"x"}})"), "400 invalid_field");
  EXPECT_EQ(refused(operator_, R"({"columns":0,"rows":24})"), "400 invalid_field");
  EXPECT_EQ(refused(operator_, R"({"columns":80})"), "400 invalid_field");
  EXPECT_EQ(refused(operator_, R"({"privileged":true})"), "400 unknown_field");
  EXPECT_EQ(created_->used(), 0U);
}

TEST_F(TerminalsApi, ACommandIsRunToItsEnd) {
  server_.daemon()
      .expect("POST", "/exec/" + exec_ + "/start")
      .upgrade(101, {frame(1, "out\n"), frame(2, "err \xff\n")});
  auto answer = server_.send("POST", std::string{container_path} + "/exec",
                             R"({"command":["ls","-l"],"env":{"A":"b"}})", operator_);
  ASSERT_EQ(answer.head.status, 200U) << answer.body;
  auto result = object_of(answer);
  EXPECT_EQ(result.at("exit_code").as_int64(), 3);
  EXPECT_EQ(text(result, "stdout"), "out\n");
  EXPECT_EQ(text(result, "stderr"), "err \xef\xbf\xbd\n");
  EXPECT_EQ(text(result, "stderr_base64"), "ZXJyIP8K");
  EXPECT_FALSE(result.contains("stdout_base64"));
  EXPECT_FALSE(result.at("truncated").as_bool());
  EXPECT_THAT(audited(), Contains("olga container.exec local/web-1"));
}

TEST_F(TerminalsApi, WhatNoCommandCanHaveIsRefused) {
  EXPECT_EQ(refused(viewer_, R"({"command":["ls"]})", "/exec"), "403 role_missing");
  EXPECT_EQ(refused(operator_, R"({"command":"ls -l"})", "/exec"), "400 invalid_field");
  EXPECT_EQ(refused(operator_, R"({"command":[]})", "/exec"), "400 invalid_field");
  EXPECT_EQ(refused(operator_, R"({"command":["a\u0000b"]})", "/exec"), "400 invalid_field");
  EXPECT_EQ(refused(operator_, R"({"command":["ls"],"timeout_ms":0})", "/exec"),
            "400 invalid_field");
  EXPECT_EQ(refused(operator_, R"({"command":["ls"],"stdin":"a","stdin_base64":"YQ=="})", "/exec"),
            "400 invalid_field");
  EXPECT_EQ(created_->used(), 0U);
}

TEST_F(TerminalsApi, RecordingsAreForWhoHasTheRightAndEveryReadingIsSeen) {
  auto& recordings = server_.recordings();
  auto recorder = value_or_throw(server_.loop().run(
      recordings.begin({.terminal = "t1", .host = "local", .container = "web-1", .user = "ada"})));
  EXPECT_TRUE(server_.loop().run(recorder.output("shown")));
  server_.loop().run(recorder.finish("exited"));
  auto path = "/api/v1/recordings/" + recorder.recording().id.text();

  auto listed = object_of(server_.ask("GET", "/api/v1/recordings?host=local"));
  ASSERT_EQ(listed.at("items").as_array().size(), 1U);
  EXPECT_TRUE(listed.at("next").is_null());
  auto read = server_.ask("GET", path);
  EXPECT_EQ(read.head.status, 200U);
  EXPECT_EQ(read.head.headers.get("Content-Type"), "application/x-asciicast");
  EXPECT_THAT(read.body, HasSubstr("\"o\", \"shown\"]"));
  EXPECT_THAT(audited(), Contains(StartsWith("local recording.read ")));

  EXPECT_TRUE(object_of(server_.send("GET", "/api/v1/recordings", {}, operator_))
                  .at("items")
                  .as_array()
                  .empty());
  EXPECT_EQ(refusal_of(server_.send("GET", path, {}, operator_)), "404 no_such_recording");
  EXPECT_EQ(refusal_of(server_.send("DELETE", path, {}, operator_)), "404 no_such_recording");
  EXPECT_EQ(server_.ask("DELETE", path).head.status, 204U);
  EXPECT_EQ(refusal_of(server_.ask("GET", path)), "404 no_such_recording");
}

TEST_F(TerminalsApi, RecordingsAreOfTheHostThatWasAndNotOfItsName) {
  auto recorded = [this](std::string host_id) {
    auto recorder = value_or_throw(server_.loop().run(server_.recordings().begin(
        {.terminal = "t1", .host_id = std::move(host_id), .host = "local", .user = "ada"})));
    server_.loop().run(recorder.finish("exited"));
    return "/api/v1/recordings/" + recorder.recording().id.text();
  };
  auto of_local = recorded(server_.fleet().local()->config().id.text());
  auto of_another = recorded("01another");
  auto carol = server_.add_user("carol", access::Role::operator_);
  value_or_throw(server_.loop().run(server_.access().set_grants(
      server_.owner(), carol.user, {{.host = "local", .extras = {access::Extra::recordings}}})));
  auto as = TestServer::bearer(server_.add_token(carol, access::Role::operator_, {"containers"}));
  EXPECT_EQ(server_.send("GET", of_local, {}, as).head.status, 200U);
  EXPECT_EQ(refusal_of(server_.send("GET", of_another, {}, as)), "404 no_such_recording");
  EXPECT_EQ(refusal_of(server_.send("DELETE", of_another, {}, as)), "404 no_such_recording");
  auto listed = [&] {
    return object_of(server_.send("GET", "/api/v1/recordings", {}, as))
        .at("items")
        .as_array()
        .size();
  };
  EXPECT_EQ(listed(), 1U);
  auto labelled =
      server_.ask("PATCH", "/api/v1/hosts/local", R"({"labels":{"gantry.recording":"on"}})");
  EXPECT_EQ(labelled.head.status, 200U);
  open(operator_);
  EXPECT_EQ(listed(), 2U);
  EXPECT_EQ(server_.ask("GET", of_another).head.status, 200U);

  EXPECT_EQ(server_.ask("PATCH", "/api/v1/hosts/local", R"({"name":"old"})").head.status, 200U);
  EXPECT_EQ(server_.send("GET", of_local, {}, as).head.status, 200U);
}

}  // namespace
}  // namespace gantry::api
