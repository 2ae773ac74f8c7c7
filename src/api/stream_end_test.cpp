#include "api/testing_fake.hpp"
#include "async/attempt.hpp"
#include "net/http_client.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What is followed says why it ends: whoever reads it knows whether that was all.
namespace gantry::api {
namespace {

using engine::FakeDaemon;
using testing::EndsWith;

constexpr Milliseconds patience{10'000};
const std::string container_path = "/api/v1/hosts/local/containers/web";

class StreamEnds : public testing::Test {
 protected:
  StreamEnds() {
    json::Object labels{{"com.docker.compose.project", "shop"},
                        {"com.docker.compose.service", "web"}};
    auto web = FakeDaemon::container("aaaa", "web", "running");
    web["Labels"] = labels;
    auto& daemon = server_.daemon();
    daemon.expect("GET", "/info").reply(200, R"({"Name":"vm"})").always();
    daemon.expect("GET", "/events*").stream(200, {}).stay_open();
    daemon.expect("GET", "/containers/json?all=1")
        .reply(200, json::serialize(json::Array{std::move(web)}))
        .always();
    inspectable(std::move(labels));
    daemon.expect("GET", fmt::format("/containers/{}/logs?follow=1*", id_))
        .stream(200, {})
        .stay_open()
        .always();
    daemon.expect("GET", fmt::format("/containers/{}/logs?stdout=1*", id_))
        .stream(200, {"2026-11-22T09:00:00.000000001Z one\r\n"})
        .always();
    daemon.expect("GET", fmt::format("/containers/{}/stats*", id_))
        .stream(200, {R"({"read":"now","precpu_stats":{"cpu_usage":{"total_usage":1},)"
                      R"("system_cpu_usage":10},"cpu_stats":{"cpu_usage":{"total_usage":2},)"
                      R"("system_cpu_usage":20,"online_cpus":2},"pids_stats":{"current":3}})"
                      "\n"})
        .stay_open();
    server_.supervise_link();
    server_.loop().run(async::until([this] { return !server_.local_view().stale; }));
  }

  void inspectable(json::Object labels) {
    json::Object container{{"Id", id_},
                           {"Name", "/web"},
                           {"Config", json::Object{{"Labels", std::move(labels)}, {"Tty", true}}},
                           {"State", json::Object{{"Status", "running"}, {"Running", true}}}};
    auto body = json::serialize(json::Value(container));
    for (const auto& reference : {id_, std::string{"web"}}) {
      server_.daemon()
          .expect("GET", fmt::format("/containers/{}/json", reference))
          .reply(200, body)
          .always();
    }
  }

  /// Begins to follow it, and reads until `awaited` has come.
  net::http::StreamedResponse begun(std::string path, net::http::Headers headers,
                                    std::string_view awaited) {
    auto answer = server_.loop().run(client_->stream({"GET", std::move(path), std::move(headers)}));
    while (!told_.contains(awaited)) {
      auto piece = server_.loop().run(answer.read(patience));
      if (piece.empty()) throw Failure{{ErrorKind::internal, "too_short", told_, {}}};
      told_ += piece;
    }
    return answer;
  }
  net::http::Headers for_events() {
    auto headers = server_.local();
    headers.set("Accept", "text/event-stream");
    return headers;
  }
  void stop() { server_.tasks().spawn("close", server_.server().close(Milliseconds{5'000})); }
  /// All that is still told, to an end in order.
  std::string rest_of(net::http::StreamedResponse& answer) {
    for (;;) {
      auto piece = server_.loop().run(answer.read(patience));
      if (piece.empty()) return told_;
      told_ += piece;
    }
  }
  void expect_to_say_that_the_server_stops(const std::string& path, std::string_view awaited) {
    auto answer = begun(path, for_events(), awaited);
    stop();
    EXPECT_THAT(rest_of(answer),
                EndsWith("event: end\ndata: {\"reason\":\"server_stopping\"}\n\n"));
  }

  std::string id_ = FakeDaemon::id("aaaa");
  std::string told_;
  TestServer server_;
  std::unique_ptr<net::http::Client> client_ = server_.client();
};

TEST_F(StreamEnds, ALogSaysThatTheServerStops) {
  expect_to_say_that_the_server_stops(container_path + "/logs?follow=true", "one");
}

TEST_F(StreamEnds, ReadingsSayThatTheServerStops) {
  expect_to_say_that_the_server_stops(container_path + "/stats", "event: stats");
}

TEST_F(StreamEnds, TheLogOfAProjectSaysThatTheServerStops) {
  expect_to_say_that_the_server_stops("/api/v1/hosts/local/projects/shop/logs?follow=true", "one");
}

TEST_F(StreamEnds, EventsSayThatTheServerStops) {
  expect_to_say_that_the_server_stops("/api/v1/events", ":\n\n");
}

TEST_F(StreamEnds, EventsSayThatTheyEndWithTheToken) {
  auto who = server_.add_user("ben", access::Role::viewer);
  auto token = server_.add_token(who, access::Role::viewer, {"containers"});
  auto answer = begun("/api/v1/events", TestServer::bearer(token), ":\n\n");
  auto id = server_.access().tokens(who.user).front().id;
  ASSERT_TRUE(server_.loop().run(server_.access().revoke_token(who, id)));
  EXPECT_THAT(rest_of(answer), EndsWith("event: end\ndata: {\"reason\":\"not_allowed\"}\n\n"));
}

TEST_F(StreamEnds, FollowedTextIsNotWholeWhenTheServerStops) {
  std::vector<net::http::StreamedResponse> answers;
  for (const auto* path : {"/containers/web/logs", "/projects/shop/logs"}) {
    told_.clear();
    auto target = fmt::format("/api/v1/hosts/local{}?follow=true", path);
    answers.push_back(begun(std::move(target), server_.local(), "one"));
  }
  stop();
  for (auto& answer : answers) {
    auto more = server_.loop().run(async::attempt(answer.read(patience)));
    EXPECT_FALSE(more) << *more;
  }
}

}  // namespace
}  // namespace gantry::api
