#include "cli/testing_fake.hpp"

#include <functional>

#include <fmt/format.h>
#include <gmock/gmock.h>

// Commands whose answer comes in pieces, of a server that does not always come to the end.
namespace gantry::cli {
namespace {

using net::http::Exchange;
using ::testing::HasSubstr;

class Streams : public testing::Test {
 protected:
  using Answer = std::function<async::task<void>(Exchange&)>;

  Result<int> run_verb(std::string_view command, std::string_view action, Given given,
                       Format format = Format::text) {
    return remote_.run(command, action, {.format = format, .given = std::move(given)});
  }

  Result<int> logs_that(std::string events) {
    answer_ = [events](Exchange& exchange) { return tell(exchange, events); };
    return run_verb("logs", "", {{"container", {"web"}}, {"follow", {""}}});
  }

  static async::task<void> respond(Exchange& exchange, unsigned status, json::Object body) {
    return exchange.respond({status, {{"Content-Type", "application/json"}}},
                            json::serialize(json::Value(std::move(body))));
  }
  static async::task<void> tell(Exchange& exchange, std::string events) {
    co_await exchange.begin_stream({200, {{"Content-Type", "text/event-stream"}}});
    if (!events.empty()) co_await exchange.send(std::move(events));
    co_await exchange.finish_stream();
  }

  async::task<void> serve(Exchange& exchange) {
    if (exchange.request().target.starts_with("/api/v1/containers?")) {
      json::Object web{{"host", "a"}, {"id", std::string(64, 'f')}, {"name", "web"}};
      return respond(exchange, 200, {{"items", json::Array{std::move(web)}}, {"next", nullptr}});
    }
    return answer_(exchange);
  }

  Answer answer_;
  TestRemote remote_{[this](Exchange& exchange) { return serve(exchange); },
                     Terminal::Kind::screen};
  std::string& out_ = remote_.out;
  std::string& err_ = remote_.err;
};

const std::string one = "event: stdout\ndata: {\"text\":\"one\\n\"}\n\n";

TEST_F(Streams, ALogThatIsFollowedToItsEndIsDone) {
  EXPECT_EQ(value_or_throw(logs_that(one + "event: end\ndata: {\"reason\":\"ended\"}\n\n")), 0);
  EXPECT_EQ(out_, "one\n");
}

TEST_F(Streams, ALogThatStopsWithoutAnEndIsBroken) {
  auto told = logs_that(one);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, "stream_broken");
  EXPECT_EQ(told.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(out_, "one\n");
}

TEST_F(Streams, ALogWhoseServerStopsOrWhoseRightHasGoneSaysSo) {
  auto stopped = logs_that("event: end\ndata: {\"reason\":\"server_stopping\"}\n\n");
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, "server_stopping");
  auto taken = logs_that("event: end\ndata: {\"reason\":\"not_allowed\"}\n\n");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, ErrorKind::denied);
}

TEST_F(Streams, ReadingsAndTheLogOfAProjectNeedAnEndToo) {
  answer_ = [](Exchange& exchange) { return tell(exchange, ""); };
  auto stats = run_verb("stats", "", {{"container", {"web"}}});
  ASSERT_FALSE(stats);
  EXPECT_EQ(stats.error().code, "stream_broken");
  auto project = run_verb("projects", "logs", {{"name", {"shop"}}, {"host", {"a"}}}, Format::json);
  ASSERT_FALSE(project);
  EXPECT_EQ(project.error().code, "stream_broken");
}

async::task<void> half_a_text(Exchange& exchange) {
  co_await exchange.begin_stream({200, {{"Content-Type", "text/plain"}}});
  co_await exchange.send("half");
  throw Failure{{ErrorKind::internal, "broken", "cannot go on", {}}};
}

TEST_F(Streams, TextThatBreaksOffIsBroken) {
  answer_ = half_a_text;
  auto told = run_verb("projects", "logs", {{"name", {"shop"}}, {"host", {"a"}}});
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, "stream_broken");
  EXPECT_EQ(out_, "half");
}

TEST_F(Streams, EventsOutliveARestartThatTakesTheTokenFileAway) {
  int asked = 0;
  answer_ = [&](Exchange& exchange) {
    if (++asked == 1) {
      remote_.remove_token();
      return tell(exchange, "event: end\ndata: {\"reason\":\"server_stopping\"}\n\n");
    }
    return respond(exchange, 403, {{"code", "seen"}, {"detail", "cannot go on: seen again"}});
  };
  int looks = 0;
  remote_.on_said = [&](std::string_view) {
    // The server is back when the command has once looked for the token in vain.
    if (++looks == 2) remote_.write_token();
  };
  auto followed = run_verb("events", "", {});
  ASSERT_FALSE(followed);
  EXPECT_EQ(followed.error().code, "seen");
  EXPECT_EQ(asked, 2);
}

TEST_F(Streams, ATokenFileThatWasNeverThereIsRefusedAtOnce) {
  remote_.remove_token();
  EXPECT_EQ(run_verb("events", "", {}).error().code, "no_token_file");
}

/// The plan has so many that they do not go with one request; the second fails.
async::task<void> half_a_prune(Exchange& exchange, int& asked) {
  ++asked;
  json::Object body;
  unsigned status = 200;
  if (asked == 1) {
    json::Array items;
    for (int i = 0; i < 501; ++i) items.push_back(json::Object{{"id", fmt::format("v{}", i)}});
    body["items"] = std::move(items);
  } else if (asked == 2) {
    body = {{"results", json::Array{json::Object{{"id", "v0"}, {"ok", true}}}},
            {"removed", 500},
            {"size_bytes", 1024}};
  } else {
    status = 503;
    body = {{"code", "host_unreachable"}, {"detail", "cannot reach host 'a'"}};
  }
  co_await exchange.respond({status, {{"Content-Type", "application/json"}}},
                            json::serialize(json::Value(std::move(body))));
}

TEST_F(Streams, WhatAPruneHasRemovedIsToldWhenTheRestFails) {
  int asked = 0;
  answer_ = [&](Exchange& exchange) { return half_a_prune(exchange, asked); };
  auto pruned = run_verb("volumes", "prune", {{"host", {"a"}}, {"force", {""}}});
  ASSERT_FALSE(pruned);
  EXPECT_EQ(pruned.error().code, "host_unreachable");
  EXPECT_THAT(err_, HasSubstr("500 removed, 1.0 KiB"));
  asked = 0;
  pruned = run_verb("volumes", "prune", {{"host", {"a"}}, {"force", {""}}}, Format::json);
  ASSERT_FALSE(pruned);
  EXPECT_THAT(out_, HasSubstr(R"("removed":500)"));
}

}  // namespace
}  // namespace gantry::cli
