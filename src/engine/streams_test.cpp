#include "engine/streams.hpp"

#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "engine/containers.hpp"
#include "engine/events.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::engine {
namespace {

using testing::HasSubstr;

std::string frame(char stream, std::string_view payload) {
  auto size = payload.size();
  std::string out{stream, 0, 0, 0};
  for (int shift : {24, 16, 8, 0}) out += static_cast<char>(size >> shift);
  return out.append(payload);
}

/// All frames so far, as `out:… err:…`.
std::string drain(StreamDemux& demux) {
  std::string out;
  for (;;) {
    auto next = demux.next();
    if (!next) return out + "broken";
    if (!*next) return out;
    out += ((*next)->output == Output::out ? "out:" : "err:") + (*next)->bytes + " ";
  }
}

TEST(StreamDemux, TellsTheTwoOutputsApart) {
  StreamDemux demux;
  demux.feed(frame(1, "hello") + frame(2, "oops") + frame(1, ""));
  EXPECT_EQ(drain(demux), "out:hello err:oops ");
  EXPECT_TRUE(demux.between_frames());
}

TEST(StreamDemux, TakesBytesAsTheyCome) {
  StreamDemux demux;
  std::string out;
  for (char byte : frame(1, "ab") + frame(2, "c")) {
    demux.feed({&byte, 1});
    out += drain(demux);
  }
  EXPECT_EQ(out, "out:a out:b err:c ");
  EXPECT_TRUE(demux.between_frames());
}

TEST(StreamDemux, HandsOutWhatHasArrivedOfALongFrame) {
  StreamDemux demux;
  auto bytes = frame(1, std::string(10, 'x'));
  demux.feed(std::string_view{bytes}.substr(0, 12));
  EXPECT_EQ(drain(demux), "out:xxxx ");
  EXPECT_FALSE(demux.between_frames());
}

TEST(StreamDemux, AnUnknownStreamIsNoFrame) {
  StreamDemux demux;
  demux.feed(frame(7, "x"));
  EXPECT_EQ(drain(demux), "broken");
  demux.feed(frame(1, "later"));
  EXPECT_EQ(drain(demux), "broken") << "there is no way back into step";
}

TEST(StreamDemux, AnImpossibleLengthIsNoFrame) {
  StreamDemux demux;
  demux.feed(std::string{"\1\0\0\0\xff\xff\xff\xff", 8});
  auto next = demux.next();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, "engine_stream_broken");
}

TEST(StreamDemux, AProgramsOwnTextIsNoHeader) {
  StreamDemux demux;
  demux.feed("plain output of a terminal");
  EXPECT_EQ(drain(demux), "broken");
}

class EngineStreams : public testing::Test {
 protected:
  template <class T>
  T run(async::task<T> work) {
    return loop_.run(std::move(work));
  }
  AttachedStream attach(Framing framing) {
    return value_or_throw(run(attach_container(*client_, "x", framing)));
  }
  FakeDaemon::Script& expect_attach() {
    return daemon_.expect("POST", "/containers/x/attach?stream=1&stdin=1&stdout=1&stderr=1");
  }

  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::unique_ptr<Client> client_ = daemon_.client(loop_.executor());
};

TEST_F(EngineStreams, AttachUpgradesTheConnection) {
  expect_attach().upgrade(101, {frame(1, "one"), frame(2, "two")});
  auto stream = attach(Framing::multiplexed);
  EXPECT_EQ(run(stream.read())->bytes, "one");
  EXPECT_EQ(run(stream.read())->output, Output::err);
  EXPECT_FALSE(run(stream.read()));
  EXPECT_EQ(daemon_.server().seen().back().headers.get("Upgrade"), "tcp");
}

TEST_F(EngineStreams, AnOldEnginesTwoHundredIsAnAttachmentToo) {
  expect_attach().upgrade(200, {"raw terminal"});
  auto stream = attach(Framing::raw);
  EXPECT_EQ(run(stream.read())->bytes, "raw terminal");
}

TEST_F(EngineStreams, WhatIsWrittenReachesTheProgram) {
  std::string heard;
  expect_attach()
      .upgrade(101, {})
      .stay_open()
      .on_bytes([&](std::string_view bytes) {
        heard += bytes;
        return std::string{};
      })
      .on_finish([&] { return frame(1, "heard " + heard); });
  auto stream = attach(Framing::multiplexed);
  loop_.run(stream.write("abc"));
  stream.finish_writing();
  EXPECT_EQ(run(stream.read())->bytes, "heard abc");
}

TEST_F(EngineStreams, AStreamThatEndsInsideAFrameIsBroken) {
  expect_attach().upgrade(101, {frame(1, "abcdef").substr(0, 11)});
  auto stream = attach(Framing::multiplexed);
  EXPECT_EQ(run(stream.read())->bytes, "abc");
  auto end = run(async::attempt(stream.read()));
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, "engine_stream_broken");
}

TEST_F(EngineStreams, ARefusedAttachmentIsTheDaemonsError) {
  expect_attach().reply(409, R"({"message":"container x is paused, unpause first"})");
  auto stream = run(attach_container(*client_, "x", Framing::multiplexed));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().kind, ErrorKind::conflict);
  EXPECT_THAT(stream.error().message, HasSubstr("cannot attach to container 'x'"));
}

TEST_F(EngineStreams, LogsAskForWhatTheOptionsSay) {
  daemon_
      .expect("GET",
              "/containers/x/logs?follow=1&stdout=1&stderr=1&timestamps=1&tail=5&since=1.500")
      .stream(200, {frame(1, "line\n")});
  LogOptions options;
  options.follow = Follow::yes;
  options.timestamps = true;
  options.tail_lines = 5;
  options.since = WallTime{Milliseconds{1500}};
  auto logs = value_or_throw(run(container_logs(*client_, "x", Framing::multiplexed, options)));
  EXPECT_EQ(run(logs.read(Seconds{1}))->bytes, "line\n");
  EXPECT_FALSE(run(logs.read(Seconds{1})));
}

TEST_F(EngineStreams, EventsAreReadAcrossPieces) {
  auto line = FakeDaemon::event("start", "ab");
  daemon_.expect("GET", "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D")
      .stream(200, {line.substr(0, 20), line.substr(20) + FakeDaemon::event("die", "ab")});
  auto events = value_or_throw(run(follow_events(*client_, {.types = {"container"}})));
  EXPECT_EQ(run(events.next())->action, "start");
  auto second = run(events.next());
  EXPECT_EQ(second->action, "die");
  EXPECT_EQ(second->actor_id, FakeDaemon::id("ab"));
  EXPECT_FALSE(run(events.next()));
}

TEST_F(EngineStreams, AnEventOutOfTimeIsPutIntoTime) {
  daemon_.expect("GET", "/events")
      .stream(200, {"{\"Type\":\"container\",\"time\":-5}\n",
                    "{\"Type\":\"container\",\"time\":9223372036854775807}\n", "not json\n"});
  auto events = value_or_throw(run(follow_events(*client_, {})));
  EXPECT_EQ(rfc3339(run(events.next())->time), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(run(events.next())->time), "2200-01-01T00:00:00.000Z");
  EXPECT_EQ(run(async::attempt(events.next())).error().code, "engine_answer_malformed");
}

TEST_F(EngineStreams, AnEndlessLineIsRefused) {
  daemon_.expect("GET", "/events").stream(200, std::vector(300, std::string(64U << 10U, 'x')));
  auto events = value_or_throw(run(follow_events(*client_, {})));
  auto next = run(async::attempt(events.next()));
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, "engine_answer_too_large");
}

TEST_F(EngineStreams, StatsThatCanNotBeAreZero) {
  daemon_.expect("GET", "/containers/x/stats?stream=1")
      .stream(200, {R"({"cpu_stats":{"cpu_usage":{"total_usage":-1},"system_cpu_usage":0.5})"
                    R"(,"memory_stats":{"usage":18446744073709551615,"stats":)"
                    R"({"inactive_file":18446744073709551615}},"networks":{"a":7}})"
                    "\n"});
  auto stats = value_or_throw(run(container_stats(*client_, "x")));
  auto reading = run(stats.next());
  EXPECT_EQ(reading->cpu_total_ns, 0U);
  EXPECT_EQ(reading->system_cpu_ns, 0U);
  EXPECT_EQ(reading->memory_bytes, 18446744073709551615U);
  EXPECT_EQ(reading->received_bytes, 0U);
}

TEST_F(EngineStreams, CompressedArchivesAreNotSent) {
  for (auto* magic : {"\x1f\x8b\x08", "BZh9", "\x28\xb5\x2f\xfd"}) {
    auto put = run(put_archive(*client_, "x", "/", source_of(std::string{magic} + "rest")));
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, "archive_compressed");
  }
  EXPECT_EQ(daemon_.server().connections(), 0U);
}

TEST_F(EngineStreams, ATarIsSentAsItIs) {
  daemon_.expect("PUT", "/containers/x/archive").reply(200);
  std::string tar(2000, 'a');
  EXPECT_TRUE(run(put_archive(*client_, "x", "/box", source_of(tar))));
  EXPECT_EQ(daemon_.last_body(), tar);
}

TEST_F(EngineStreams, AnArchiveOverTheCapIsRefused) {
  daemon_.expect("GET", "/containers/x/archive?path=%2Fbox").stream(200, {"12345", "67890"});
  auto tar = run(get_archive(*client_, "x", "/box", Bytes{8}));
  ASSERT_FALSE(tar);
  EXPECT_EQ(tar.error().kind, ErrorKind::too_large);
}

TEST_F(EngineStreams, AWaitAnswersTheExitCode) {
  daemon_.expect("POST", "/containers/x/wait?condition=next-exit")
      .stream(200, {R"({"StatusCode":137,"Error":{"Message":"gone"}})"});
  auto exit = value_or_throw(run(wait_container(*client_, "x", WaitCondition::next_exit)));
  EXPECT_EQ(exit.code, 137);
  EXPECT_EQ(exit.error, "gone");
}

}  // namespace
}  // namespace gantry::engine
