#include "async/scope.hpp"
#include "executions/testing_fake.hpp"

namespace gantry::executions {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

/// What a follower was told: the happenings as lines, and the bytes of each stream.
struct Heard {
  std::vector<std::string> lines;
  std::string out;
  std::string err;
};

void note(const Happening& happening, Heard& heard) {
  bool is_out = happening.stream == sandbox::OutputStream::standard_output;
  switch (happening.kind) {
    case Happening::Kind::progress:
      heard.lines.push_back("progress:" + happening.text);
      break;
    case Happening::Kind::state:
      heard.lines.emplace_back(word(happening.state));
      break;
    case Happening::Kind::verdict:
      heard.lines.emplace_back("verdict");
      break;
    case Happening::Kind::output:
      heard.lines.push_back((is_out ? "out:" : "err:") + happening.bytes);
      (is_out ? heard.out : heard.err) += happening.bytes;
      break;
  }
}

async::task<void> listen(Executions& executions, ExecutionId id, Heard& heard) {
  auto follower = value_or_throw(co_await executions.follow(std::move(id), everybodys));
  while (auto happening = co_await follower.next()) note(*happening, heard);
}

class FollowerTest : public ExecutionsFixture {
 protected:
  void TearDown() override {
    loop_.run(followers_.close());
    ExecutionsFixture::TearDown();
  }
  /// Follows beside the test.
  void follow(const ExecutionId& id, Heard& heard) {
    followers_.spawn("follower", listen(*executions_, id, heard));
  }
  Heard all(const ExecutionId& id) {
    Heard heard;
    loop_.run(listen(*executions_, id, heard));
    return heard;
  }
  void settle() {
    loop_.run(async::until([turns = 0]() mutable { return ++turns > 3; }));
  }

  async::TaskScope followers_{loop_.executor()};
};

TEST_F(FollowerTest, FromTheStartEverythingIsToldInItsOrder) {
  auto [id, run] = running();
  Heard heard;
  follow(id, heard);
  run->observer.progress("pulling alpine");
  run->observer.started(sandbox::Stage::run);
  run->out("one");
  settle();
  run->out("two");
  run->err("three");
  run->end(success());
  loop_.run(followers_.join());
  EXPECT_THAT(heard.lines, ElementsAre("preparing", "progress:pulling alpine", "running", "out:one",
                                       "out:two", "err:three", "verdict"));
}

TEST_F(FollowerTest, WhoComesLateHearsTheSame) {
  auto [id, run] = running();
  run->observer.started(sandbox::Stage::run);
  run->out("one");
  run->err("two");
  run->out("three");
  Heard heard;
  follow(id, heard);
  settle();
  EXPECT_THAT(heard.lines, ElementsAre("preparing", "running", "out:one", "err:two", "out:three"));
  run->end(success());
  loop_.run(followers_.join());
  EXPECT_EQ(heard.lines.back(), "verdict");
}

TEST_F(FollowerTest, ManySmallPiecesBecomeOneForWhoComesLate) {
  auto [id, run] = running();
  run->out("a");
  run->out("b");
  run->out("c");
  run->end(success());
  Heard heard;
  follow(id, heard);
  loop_.run(followers_.join());
  EXPECT_THAT(heard.lines, ElementsAre("preparing", "out:abc", "verdict"));
}

void write_alternately(ScriptedSandbox::Run& run, int count) {
  for (int i = 0; i < count; ++i) {
    run.out(std::string(1, static_cast<char>('a' + i % 26)));
    run.err(std::string(1, static_cast<char>('A' + i % 26)));
  }
}

TEST_F(FollowerTest, AlternatingBytesAreReplayedExactlyAndCostABoundedNumberOfEntries) {
  auto [id, run] = running();
  Heard live;
  follow(id, live);
  settle();
  write_alternately(*run, 3'000);
  settle();
  write_alternately(*run, 20'000);
  Heard late;
  follow(id, late);
  run->end(success());
  loop_.run(followers_.join());

  auto record = found(id);
  EXPECT_EQ(record.output.size(), 23'000U);
  EXPECT_TRUE(late.out == record.output && late.err == record.errors);
  EXPECT_TRUE(live.out == record.output && live.err == record.errors);
  EXPECT_THAT(late.lines, SizeIs(Le(4'200U)));
}

TEST_F(FollowerTest, WhatComesAfterTheBoundIsToldAsItComes) {
  auto [id, run] = running();
  write_alternately(*run, 5'000);
  Heard heard;
  follow(id, heard);
  settle();
  auto before = heard.lines.size();
  run->err("x");
  settle();
  run->out("y");
  settle();
  EXPECT_EQ(heard.lines.size(), before + 2);
  EXPECT_EQ(heard.lines.back(), "out:y");
}

TEST_F(FollowerTest, ProgressIsKeptUpToABound) {
  auto [id, run] = running();
  for (int i = 0; i < 1'000; ++i) run->observer.progress("layer");
  run->end(success());
  EXPECT_THAT(all(id).lines, SizeIs(Le(260U)));
}

TEST_F(FollowerTest, AFinishedOneIsToldFromItsRecord) {
  auto [id, run] = running();
  run->observer.started(sandbox::Stage::run);
  run->out(std::string{"a\0b", 3});
  run->err("e");
  run->out("c");
  run->end(success());
  ended(id);
  EXPECT_THAT(all(id).lines, ElementsAre((std::string{"out:a\0bc", 8}), "err:e", "verdict"));
}

TEST_F(FollowerTest, AFinishedOneWithoutOutputHasItsVerdict) {
  auto [id, run] = running();
  run->end(success());
  ended(id);
  EXPECT_THAT(all(id).lines, ElementsAre("verdict"));
}

TEST_F(FollowerTest, SeveralFollowersDoNotDisturbEachOther) {
  auto [id, run] = running();
  Heard first;
  Heard second;
  follow(id, first);
  run->out("one");
  settle();
  follow(id, second);
  run->out("two");
  run->end(success());
  loop_.run(followers_.join());
  EXPECT_EQ(first.out, "onetwo");
  EXPECT_EQ(second.out, "onetwo");
}

TEST_F(FollowerTest, WhatIsCancelledInTheQueueIsToldToItsFollower) {
  start({.running_max = 1});
  running();
  auto waiting = submit().value().id;
  Heard heard;
  follow(waiting, heard);
  settle();
  EXPECT_THAT(heard.lines, IsEmpty());
  EXPECT_TRUE(loop_.run(executions_->cancel(waiting, everybodys)));
  loop_.run(followers_.join());
  EXPECT_THAT(heard.lines, ElementsAre("verdict"));
}

}  // namespace
}  // namespace gantry::executions
