#include "api/routes.hpp"
#include "api/testing_fake.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <span>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Two people and two hosts: whatever there is on the one that somebody has no grant for must not be
// found by any route, verb, query or body. The routes are those of the table, whichever come.
namespace gantry::api {
namespace {

using access::Role;
using engine::FakeDaemon;

/// What is on the other's host and nowhere else.
constexpr std::array<std::string_view, 8> of_vault{"vaultbox",     "vaultimage",   "vaultvolume",
                                                   "vaultnetwork", "vaultproject", "badc0de0",
                                                   "vault.sock",   "vaultlabel"};
/// What is on the first host and not of the project `mineproject`.
constexpr std::array<std::string_view, 6> beside_project{"sidebox",  "sideimage",  "sideproject",
                                                         "5ec0de00", "minevolume", "minenetwork"};

/// What is put in the place of variables in a path: of the other's host, or of nothing.
struct Names {
  std::string host;
  std::vector<std::string> parts;
};

/// An answer, as far as it may differ from another.
struct Told {
  unsigned status = 0;
  std::string code;
  std::string body;
};

class CrawlTest : public testing::Test {
 protected:
  CrawlTest() {
    answer_for(server_.daemon(), "mine", "a11ce000",
               {container_of("mine", "a11ce000"), container_of("side", "5ec0de00")});
    answer_for(vault_, "vault", "badc0de0", {container_of("vault", "badc0de0")});
    auto added = server_.ask("POST", "/api/v1/hosts",
                             R"({"name":"vault","endpoint":"unix:///run/vault.sock",
                                 "labels":{"vaultlabel":"x"},"groups":["secret"]})");
    EXPECT_EQ(added.head.status, 201U) << added.body;
    server_.supervise_link();
    // The links have read everything that they keep: whatever comes later, somebody asked for.
    server_.loop().run(async::until([this] {
      return knows_all(vault_) && knows_all(server_.daemon()) && !server_.local_view().stale &&
             !server_.fleet().find("vault")->view().stale;
    }));
  }

  static json::Object container_of(std::string_view name, std::string_view id) {
    auto named = [&](std::string_view what) { return fmt::format("{}{}", name, what); };
    auto container = FakeDaemon::container(id, named("box"), "running");
    container["Image"] = named("image:latest");
    container["Labels"] = json::Object{{"com.docker.compose.project", named("project")},
                                       {"com.docker.compose.service", "web"}};
    return container;
  }

  static void answer_for(FakeDaemon& daemon, std::string_view name, std::string_view id,
                         json::Array containers) {
    auto named = [&](std::string_view what) { return fmt::format("{}{}", name, what); };
    daemon.expect("GET", "/info").reply(200, R"({"Name":"vm","NCPU":2})").always();
    daemon.expect("GET", "/events*").stream(200, {}).stay_open();
    daemon.expect("GET", "/_ping").reply(200, "OK").always();
    daemon.expect("GET", "/containers/json?all=1").reply(200, json::serialize(containers)).always();
    daemon.expect("GET", "/images/json*")
        .reply(200, json::serialize(json::Array{
                        json::Object{{"Id", "sha256:" + FakeDaemon::id(id)},
                                     {"RepoTags", json::Array{named("image:latest")}}}}))
        .always();
    daemon.expect("GET", "/volumes*")
        .reply(200, json::serialize(
                        json::Object{{"Volumes", json::Array{json::Object{{"Name", named("volume")},
                                                                          {"Driver", "local"}}}}}))
        .always();
    daemon.expect("GET", "/networks*")
        .reply(200, json::serialize(json::Array{
                        json::Object{{"Id", FakeDaemon::id(id)}, {"Name", named("network")}}}))
        .always();
  }

  /// The engine of `local` knows the container that `theirs` begins with, and nothing else of both.
  void inspectable(const Names& theirs, const Names& nobodys) {
    auto known = json::serialize(json::Object{
        {"Id", theirs.parts[1]},
        {"Name", "/" + theirs.parts[0]},
        {"Config",
         json::Object{{"Labels", json::Object{{"com.docker.compose.project", theirs.parts[2]}}}}},
        {"State", json::Object{{"Status", "running"}, {"Running", true}}}});
    for (const auto* names : {&theirs, &nobodys}) {
      for (const auto& part : names->parts) {
        bool is_there = part == theirs.parts[0] || part == theirs.parts[1];
        server_.daemon()
            .expect("GET", fmt::format("/containers/{}/json", part))
            .reply(is_there ? 200 : 404, is_there ? known : R"({"message":"No such container"})")
            .always();
      }
    }
  }

  TestServer::Options options() {
    TestServer::Options options;
    options.dial = [this](const fleet::HostReach& reach) -> std::optional<net::Connect> {
      if (reach.endpoint.text().find("vault") == std::string::npos) return std::nullopt;
      return vault_.server().connect();
    };
    return options;
  }

  /// Somebody with a grant for the host `local` and nothing else.
  net::http::Headers granted(Role role) {
    auto who = server_.add_user(fmt::format("only-{}", access::word(role)), role);
    auto path = fmt::format("/api/v1/users/{}/grants", who.user.text());
    auto body = fmt::format(R"({{"items":[{{"host":"local","role":"{}"}}]}})", access::word(role));
    EXPECT_EQ(server_.ask("PUT", path, body).head.status, 200U);
    return token_of(who);
  }
  net::http::Headers token_of(const access::Identity& who) {
    return TestServer::bearer(
        server_.add_token(who, who.role, {"executions", "containers", "system", "access"}));
  }

  /// One request; of an answer that never ends only its head.
  Told ask(std::string method, std::string target, std::string body,
           const net::http::Headers& headers) {
    return server_.loop().run(
        ask_beside(std::move(method), std::move(target), std::move(body), headers));
  }
  async::task<Told> ask_beside(std::string method, std::string target, std::string body,
                               net::http::Headers headers) {
    net::http::RequestHead request{std::move(method), std::move(target), std::move(headers)};
    if (!body.empty()) request.headers.set("Content-Type", "application/json");
    // Prometheus's form tells of hosts.
    if (request.target.starts_with("/metrics")) request.headers.set("Accept", "text/plain");
    auto client = server_.client();
    auto response = co_await client->stream(std::move(request), std::move(body));
    Told told{.status = response.head().status, .code = {}, .body = {}};
    if (response.head().headers.get("Content-Type").starts_with("text/event-stream"))
      co_return told;
    while (true) {
      auto piece = co_await response.read(Milliseconds{60'000});
      if (piece.empty()) break;
      told.body += piece;
    }
    auto value = json::parse(told.body, json::Keys::tolerant);
    if (told.status >= 400 && value && value->is_object()) {
      json::Fields fields{*value, "", json::Keys::tolerant};
      told.code = fields.text("code").value_or("");
    }
    co_return told;
  }

  /// Every path of the route with these names in its places, and with what lists can be asked.
  static std::vector<std::string> targets_of(const Route& route, const Names& names) {
    std::vector<std::string> targets;
    bool below_hosts = route.path.starts_with("/api/v1/hosts/");
    for (const auto& part : names.parts) {
      std::string path;
      for (auto segment : text::split(route.path.substr(1), '/')) {
        path += '/';
        if (segment == "{id}") {
          path += below_hosts ? names.host : part;
        } else {
          path += segment.starts_with('{') ? (segment == "{index}" ? "0" : part) : segment;
        }
      }
      targets.push_back(path);
      if (route.path.find('{') == std::string_view::npos) break;
    }
    if (route.method == "GET" && !below_hosts && route.path.find('{') == std::string_view::npos) {
      for (auto name : {"host", "q", "project", "group", "label"}) {
        targets.push_back(fmt::format("{}?{}={}", targets.front(), name, names.host));
        targets.push_back(fmt::format("{}?{}={}", targets.front(), name, names.parts.front()));
      }
    }
    return targets;
  }

  /// What might be sent to a route that changes something.
  static std::vector<std::string> bodies_of(const Route& route, const Names& names) {
    if (route.body == Body::none) return {""};
    const auto& part = names.parts.front();
    return {
        "{}",
        R"({"name":"x"})",
        R"({"image":"debian:12"})",
        R"({"signal":"SIGKILL"})",
        R"({"command":["id"]})",
        R"({"columns":80,"rows":24})",
        R"({"preview":true})",
        R"({"cpus":1})",
        R"({"reference":"a:b"})",
        fmt::format(R"({{"container":"{}"}})", part),
        fmt::format(R"({{"action":"stop","containers":[{{"host":"{}","id":"{}"}}]}})", names.host,
                    part),
        fmt::format(
            R"({{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"read_logs",)"
            R"("arguments":{{"container":"{}"}}}}}})",
            part),
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_containers",)"
        R"("arguments":{}}})",
    };
  }

  /// The other's names said back to who asked are no news: what remains must not have them.
  static std::string without(std::string text, const Names& names) {
    auto remove = [&](std::string_view name) {
      for (auto at = text.find(name); at != std::string::npos; at = text.find(name)) {
        text.replace(at, name.size(), "_");
      }
    };
    for (const auto& part : names.parts) remove(part);
    remove(names.host);
    return text;
  }

  void crawl_vault(const net::http::Headers& headers) {
    crawl(
        headers, of_vault,
        {"vault",
         {"vaultbox", FakeDaemon::id("badc0de0"), "vaultproject", "vaultvolume", "vaultnetwork"}},
        {"fault",
         {"faultbox", FakeDaemon::id("0fabcde0"), "faultproject", "faultvolume", "faultnetwork"}});
  }

  void crawl(const net::http::Headers& headers, std::span<const std::string_view> secrets,
             const Names& theirs, const Names& nobodys) {
    for (const auto& route : routes()) {
      // Nobody's sessions and tokens are under test here, and this one ends none of them.
      if (route.path == "/api/v1/sessions/current") continue;
      auto mine = targets_of(route, theirs);
      auto control = targets_of(route, nobodys);
      auto bodies = bodies_of(route, theirs);
      auto control_bodies = bodies_of(route, nobodys);
      for (std::size_t i = 0; i < mine.size(); ++i) {
        for (std::size_t j = 0; j < bodies.size(); ++j) {
          auto told = compare(route, {mine[i], bodies[j], &theirs},
                              {control[i], control_bodies[j], &nobodys}, headers);
          for (auto secret : secrets) {
            EXPECT_THAT(told, testing::Not(testing::HasSubstr(secret)))
                << route.method << ' ' << mine[i] << ' ' << bodies[j];
          }
        }
      }
    }
  }

  struct Question {
    std::string target;
    std::string body;
    const Names* names;
  };
  /// What was told that the question did not say.
  std::string compare(const Route& route, const Question& asked, const Question& control,
                      const net::http::Headers& headers) {
    auto what = fmt::format("{} {} {}", route.method, asked.target, asked.body);
    auto told = ask(std::string{route.method}, asked.target, asked.body, headers);
    auto nothing = ask(std::string{route.method}, control.target, control.body, headers);
    EXPECT_EQ(told.status, nothing.status) << what << '\n' << told.body << '\n' << nothing.body;
    EXPECT_EQ(told.code, nothing.code) << what;
    if (told.status >= 400) {
      EXPECT_EQ(without(told.body, *asked.names), without(nothing.body, *control.names)) << what;
      return {};
    }
    if (route.path == "/api/openapi.yaml") return {};
    bool echoes = asked.target.find('?') != std::string::npos || !asked.body.empty();
    return echoes ? without(told.body, *asked.names) : told.body;
  }

  /// What an engine was asked, each thing once: its link asks the same again and again, and where
  /// the crawl takes long whether it lives still.
  static std::set<std::string> asked_of(FakeDaemon& daemon) {
    std::set<std::string> asked;
    for (const auto& request : daemon.requests())
      asked.insert(request.substr(0, request.find('?')));
    asked.erase("GET /v1.41/_ping");
    return asked;
  }

  static bool knows_all(FakeDaemon& daemon) {
    auto asked = asked_of(daemon);
    return std::ranges::all_of(
        std::array{"info", "events", "containers/json", "images/json", "volumes", "networks"},
        [&](std::string_view what) { return asked.contains(fmt::format("GET /v1.41/{}", what)); });
  }

  FakeDaemon vault_;
  TestServer server_{options()};
};

TEST_F(CrawlTest, WhoSeesEveryHostFindsWhatIsThere) {
  // Without this the crawls below would be content with a server that shows nothing to anybody.
  auto admin = server_.local();
  EXPECT_THAT(ask("GET", "/api/v1/hosts", "", admin).body, testing::HasSubstr("vault.sock"));
  EXPECT_THAT(ask("GET", "/api/v1/containers", "", admin).body, testing::HasSubstr("vaultbox"));
  EXPECT_THAT(ask("GET", "/api/v1/projects", "", admin).body, testing::HasSubstr("vaultproject"));
  EXPECT_THAT(ask("GET", "/metrics", "", admin).body, testing::HasSubstr("host=\"vault\""));
  auto mine = granted(Role::viewer);
  EXPECT_THAT(ask("GET", "/api/v1/containers", "", mine).body, testing::HasSubstr("minebox"));
  EXPECT_EQ(ask("GET", "/api/v1/hosts/local", "", mine).status, 200U);
}

TEST_F(CrawlTest, AViewerOfAnotherHostFindsNothing) {
  auto before = asked_of(vault_);
  crawl_vault(granted(Role::viewer));
  EXPECT_EQ(asked_of(vault_), before) << "something was asked of the other's engine";
}

TEST_F(CrawlTest, AnOperatorOfAnotherHostFindsNothing) {
  auto before = asked_of(vault_);
  crawl_vault(granted(Role::operator_));
  EXPECT_EQ(asked_of(vault_), before) << "something was asked of the other's engine";
}

TEST_F(CrawlTest, ATokenForAProjectFindsNothingElseThatItsUserSees) {
  auto before = asked_of(vault_);
  auto token = TestServer::bearer(
      server_.add_token(server_.owner(), Role::operator_, {"executions", "containers", "system"},
                        {{.host = "local", .project = "mineproject", .role = Role::operator_}}));
  EXPECT_THAT(ask("GET", "/api/v1/containers", "", token).body, testing::HasSubstr("minebox"));
  EXPECT_THAT(ask("GET", "/api/v1/projects", "", token).body, testing::HasSubstr("mineproject"));
  crawl_vault(token);
  EXPECT_EQ(asked_of(vault_), before) << "something was asked of the other's engine";
  Names theirs{"local",
               {"sidebox", FakeDaemon::id("5ec0de00"), "sideproject", "minevolume", "minenetwork",
                "sideimage:latest"}};
  Names nobodys{"local",
                {"voidbox", FakeDaemon::id("0fabcde0"), "voidproject", "voidvolume", "voidnetwork",
                 "voidimage:latest"}};
  inspectable(theirs, nobodys);
  crawl(token, beside_project, theirs, nobodys);
  for (const auto& asked : asked_of(server_.daemon())) {
    EXPECT_TRUE(asked.starts_with("GET ")) << asked;
  }
}

TEST_F(CrawlTest, AnExecutorFindsNoHostAtAll) {
  auto before = asked_of(vault_);
  auto before_local = asked_of(server_.daemon());
  auto headers = token_of(server_.add_user("runner", Role::executor));
  crawl_vault(headers);
  EXPECT_EQ(asked_of(vault_), before);
  EXPECT_EQ(asked_of(server_.daemon()), before_local);
  for (const auto& route : routes()) {
    bool of_hosts = route.scope == access::Scope::containers;
    if (of_hosts) EXPECT_FALSE(allows(route.least, Role::executor)) << route.path;
  }
}

TEST_F(CrawlTest, NobodyFindsNothing) {
  auto before = asked_of(vault_);
  crawl_vault({});
  EXPECT_EQ(asked_of(vault_), before);
}

}  // namespace
}  // namespace gantry::api
