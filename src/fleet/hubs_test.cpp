#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"
#include "fleet/log_hub.hpp"
#include "fleet/stats_hub.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using engine::FakeDaemon;
using testing::ElementsAre;
using testing::IsEmpty;
using Script = FakeDaemon::Script;

constexpr const char* id = "abababababababab";

/// One frame of the engine's: the line's number is its time.
std::string frame(int number, std::string_view text, char stream = 1) {
  auto entry = fmt::format("2026-11-22T09:00:00.{:09}Z {}\n", number, text);
  std::string head(8, '\0');
  head[0] = stream;
  head[6] = static_cast<char>(entry.size() >> 8U);
  head[7] = static_cast<char>(entry.size() & 0xffU);
  return head + entry;
}

std::string text_of(const LogNews& news) {
  std::string text;
  if (news.dropped_entries != 0) text = fmt::format("[{} dropped]", news.dropped_entries);
  for (const auto& batch : news.batches) {
    for (const auto& entry : batch->entries) text += batch->text(entry);
  }
  return text;
}

class Hubs : public testing::Test {
 protected:
  Hubs() {
    HostRecord record;
    record.config.name = "edge";
    record.config.endpoint = value_or_throw(net::Endpoint::parse("unix:///run/fake.sock"));
    // Of the test and of the streams that read from it.
    host_ = std::make_shared<Host>(loop_.executor(), std::move(record),
                                   HostWay{.connect = daemon_.server().connect()}, Clock{},
                                   LinkSettings{});
    daemon_.expect("GET", fmt::format("/containers/{}/json", id))
        .reply(200, R"({"Id":"abababababababab","Name":"/web","Config":{"Tty":false}})")
        .always();
  }
  ~Hubs() override {
    followers_.clear();
    loop_.run(logs_.close());
    loop_.run(stats_.close());
  }

  /// The stream all followers share.
  Script& live(std::vector<std::string> pieces = {}) {
    return daemon_
        .expect("GET", fmt::format("/containers/{}/logs?follow=1&stdout=1&stderr=1&timestamps=1&"
                                   "tail=64",
                                   id))
        .stream(200, std::move(pieces))
        .stay_open();
  }
  /// What a follower reads of the past.
  void past(std::string_view query, std::vector<std::string> pieces) {
    daemon_
        .expect("GET",
                fmt::format("/containers/{}/logs?stdout=1&stderr=1&timestamps=1{}", id, query))
        .stream(200, std::move(pieces));
  }
  LogHub::Follower& follow(LogWish wish = {}) {
    followers_.push_back(value_or_throw(loop_.run(logs_.follow(host_, id, std::move(wish)))));
    return *followers_.back();
  }
  /// What it is told next; `ended` at the end.
  std::string hear(LogHub::Follower& follower) {
    auto news = loop_.run(follower.next());
    return news ? text_of(*news) : "ended";
  }
  /// Reads until it has heard something that ends with `end`.
  std::string hear_until(LogHub::Follower& follower, std::string_view end) {
    std::string all;
    while (!all.ends_with(end)) all += hear(follower);
    return all;
  }
  std::size_t log_streams() {
    std::size_t count = 0;
    for (const auto& request : daemon_.requests()) {
      if (request.find("/logs?follow=1") != std::string::npos) ++count;
    }
    return count;
  }

  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::shared_ptr<Host> host_;
  LogHub logs_{loop_.executor(), {.kept = Bytes{8'192}, .gather = Milliseconds{1}}};
  StatsHub stats_{loop_.executor()};
  std::vector<std::unique_ptr<LogHub::Follower>> followers_;
};

TEST_F(Hubs, ThePastAndThePresentMeetWithoutAGapOrARepetition) {
  // The shared stream repeats the last entries, and has one that the past had not.
  auto& stream = live({frame(2, "two"), frame(3, "three", 2), frame(4, "four")});
  past("", {frame(1, "one"), frame(2, "two"), frame(3, "three", 2)});
  auto& follower = follow();
  EXPECT_EQ(hear(follower) + hear_until(follower, "four\n"), "one\ntwo\nthree\nfour\n");
  stream.push(frame(5, "five"));
  EXPECT_EQ(hear(follower), "five\n");
  stream.finish();
  EXPECT_EQ(hear(follower), "ended");
}

TEST_F(Hubs, WhoWantsNothingOfThePastIsToldOnlyWhatComes) {
  auto& stream = live({frame(1, "one", 2), frame(2, "two")});
  past("&tail=1", {frame(2, "two")});
  auto& follower = follow({.tail = 0U});
  stream.push(frame(3, "three", 2));
  EXPECT_EQ(hear(follower), "three\n");
}

TEST_F(Hubs, WhoGoesOnWhereTheyWereHearsNothingTwice) {
  auto& stream = live({frame(1, "one"), frame(2, "two"), frame(3, "three")});
  past("", {frame(1, "one"), frame(2, "two"), frame(3, "three")});
  auto after = leading_time(std::string_view{"2026-11-22T09:00:00.000000002Z x"})->first;
  auto& follower = follow({.after_ns = after});
  EXPECT_EQ(hear(follower), "three\n");
  stream.push(frame(4, "four"));
  EXPECT_EQ(hear(follower), "four\n");
}

TEST_F(Hubs, TwoHundredFollowersCostOneStreamThatEndsAfterTheLast) {
  auto& stream = live({frame(1, "one")});
  daemon_
      .expect("GET", fmt::format("/containers/{}/logs?stdout=1&stderr=1&timestamps=1&tail=1", id))
      .reply_with([](const auto&) {
        return net::ScriptedServer::Reply{.status = 200, .body = frame(1, "one"), .headers = {}};
      })
      .always();
  for (int i = 0; i < 200; ++i) follow({.tail = 0U});
  EXPECT_EQ(log_streams(), 1U);
  EXPECT_EQ(logs_.streams(), 1U);
  EXPECT_EQ(logs_.followers(), 200U);
  stream.push(frame(2, "two"));
  for (auto& follower : followers_) EXPECT_EQ(hear(*follower), "two\n");

  followers_.erase(followers_.begin(), followers_.begin() + 199);
  EXPECT_EQ(logs_.streams(), 1U);
  followers_.clear();
  EXPECT_EQ(logs_.streams(), 0U);
  loop_.run(async::until([&] { return stats_.streams() == 0 && logs_.followers() == 0; }));
  // Who comes later gets a stream of their own time.
  live({frame(2, "two")});
  follow({.tail = 0U});
  EXPECT_EQ(log_streams(), 2U);
}

TEST_F(Hubs, WhoIsSlowerThanOthersIsToldWhatWasDropped) {
  auto& stream = live();
  past("&tail=1", {});
  past("&tail=1", {});
  auto& fast = follow({.tail = 0U});
  auto& slow = follow({.tail = 0U});
  std::string long_line(900, 'x');
  std::string heard;
  for (int i = 1; i <= 40; ++i) {
    stream.push(frame(i, long_line));
    heard += hear(fast);
  }
  EXPECT_EQ(heard.size(), 40 * (long_line.size() + 1));
  auto late = hear(slow);
  EXPECT_TRUE(late.starts_with("[")) << late.substr(0, 40);
  EXPECT_LT(late.size(), std::size_t{10'000});
  stream.push(frame(41, "last"));
  EXPECT_EQ(hear(slow), "last\n");
}

TEST_F(Hubs, ASingleSlowFollowerLosesNothing) {
  auto& stream = live();
  past("&tail=1", {});
  auto& follower = follow({.tail = 0U});
  std::string line(900, 'x');
  for (int i = 1; i <= 40; ++i) stream.push(frame(i, line));
  stream.finish();
  std::string heard;
  for (auto part = hear(follower); part != "ended"; part = hear(follower)) heard += part;
  EXPECT_EQ(heard.size(), 40 * (line.size() + 1));
}

TEST_F(Hubs, AnEngineThatBreaksOffIsAFailureAndNotAnEnd) {
  live({frame(1, "one")});
  past("&tail=1", {frame(1, "one")});
  auto& follower = follow({.tail = 0U});
  daemon_.server().drop_connections();
  auto heard = loop_.run(async::attempt(follower.next()));
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error().kind, ErrorKind::unavailable);
}

TEST_F(Hubs, ALogThatCanNotBeReadIsRefused) {
  daemon_.expect("GET", fmt::format("/containers/{}/logs*", id))
      .reply(501, R"({"message":"configured logging driver does not support reading"})");
  auto followed = loop_.run(logs_.follow(host_, id, {}));
  ASSERT_FALSE(followed);
  EXPECT_EQ(logs_.streams(), 0U);
}

std::string reading(int cpu, int system, bool before) {
  auto previous = before ? fmt::format(R"("precpu_stats":{{"cpu_usage":{{"total_usage":{}}},)"
                                       R"("system_cpu_usage":{}}},)",
                                       cpu - 100, system - 1000)
                         : std::string{};
  return fmt::format(R"({{{}"cpu_stats":{{"cpu_usage":{{"total_usage":{}}},"system_cpu_usage":{},)"
                     R"("online_cpus":2}},"memory_stats":{{"usage":7,"limit":100}}}})",
                     previous, cpu, system) +
         "\n";
}

TEST_F(Hubs, AllWatchersShareOneStreamOfReadings) {
  auto& stream = daemon_.expect("GET", fmt::format("/containers/{}/stats?stream=1", id))
                     .stream(200, {reading(100, 1000, false), reading(200, 2000, true)})
                     .stay_open();
  std::vector<std::unique_ptr<StatsHub::Watcher>> watchers;
  for (int i = 0; i < 50; ++i) {
    watchers.push_back(value_or_throw(loop_.run(stats_.watch(host_, id))));
  }
  EXPECT_EQ(stats_.streams(), 1U);
  for (auto& watcher : watchers) {
    auto stats = loop_.run(watcher->next());
    ASSERT_TRUE(stats);
    EXPECT_DOUBLE_EQ(*stats->cpu_percent(), 20.0);
  }
  // It has stopped.
  stream.push("{}\n");
  EXPECT_FALSE(loop_.run(watchers[0]->next()));
  watchers.clear();
  EXPECT_EQ(stats_.streams(), 0U);
  EXPECT_EQ(stats_.watchers(), 0U);
}

}  // namespace
}  // namespace gantry::fleet
