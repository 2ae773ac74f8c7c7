#include "async/attempt.hpp"
#include "engine/events.hpp"
#include "engine/exec.hpp"
#include "integration/real_engine.hpp"

#include <gmock/gmock.h>

namespace gantry::engine {
namespace {

using ::testing::HasSubstr;

struct Outputs {
  std::string out;
  std::string err;
};

template <class Stream>
async::task<Outputs> collect(Stream& stream) {
  Outputs outputs;
  for (;;) {
    std::optional<Frame> frame;
    if constexpr (std::is_same_v<Stream, OutputStream>) {
      frame = co_await stream.read(Seconds{10});
    } else {
      frame = co_await stream.read();
    }
    if (!frame) co_return outputs;
    (frame->output == Output::out ? outputs.out : outputs.err) += frame->bytes;
  }
}

class EngineStreams : public RealEngine {};

async::task<void> send(AttachedStream& stream, std::string bytes) {
  co_await stream.write(bytes);
  stream.finish_writing();
}

TEST_F(EngineStreams, AnAttachedProgramIsSpokenWith) {
  auto id = create(shell("cat; echo done >&2"));
  auto stream = must(attach_container(engine(), id, Framing::multiplexed));
  EXPECT_TRUE(run(start_container(engine(), id)));
  run(send(stream, "over the wire"));
  auto outputs = run(collect(stream));
  EXPECT_EQ(outputs.out, "over the wire");
  EXPECT_EQ(outputs.err, "done\n");
}

TEST_F(EngineStreams, AMegabyteComesWholeAndInOrder) {
  auto id = create(shell("cat"));
  auto stream = must(attach_container(engine(), id, Framing::multiplexed));
  EXPECT_TRUE(run(start_container(engine(), id)));
  run(send(stream, "begin"));
  EXPECT_EQ(run(collect(stream)).out, "begin");

  auto flood = create(shell("head -c 1048576 /dev/zero | tr '\\0' x; echo end"));
  auto second = must(attach_container(engine(), flood, Framing::multiplexed));
  EXPECT_TRUE(run(start_container(engine(), flood)));
  EXPECT_EQ(run(collect(second)).out, std::string(1U << 20U, 'x') + "end\n");
}

TEST_F(EngineStreams, ATerminalSendsRawBytes) {
  auto spec = shell("echo terminal");
  spec.tty = true;
  auto id = create(spec);
  auto stream = must(attach_container(engine(), id, Framing::raw));
  EXPECT_TRUE(run(start_container(engine(), id)));
  EXPECT_EQ(run(collect(stream)).out, "terminal\r\n");
}

TEST_F(EngineStreams, LogsTellTheTwoOutputsApart) {
  auto id = started(shell("echo out; echo err >&2"));
  must(wait_container(engine(), id, WaitCondition::not_running));
  auto logs = must(container_logs(engine(), id, Framing::multiplexed, {}));
  auto outputs = run(collect(logs));
  EXPECT_EQ(outputs.out, "out\n");
  EXPECT_EQ(outputs.err, "err\n");
  auto last = must(container_logs(engine(), id, Framing::multiplexed, {.tail_lines = 0}));
  EXPECT_EQ(run(collect(last)).out, "");
}

TEST_F(EngineStreams, FollowedLogsComeAsTheyAreWritten) {
  auto id = started(shell("echo one; sleep 1; echo two"));
  auto logs = must(container_logs(engine(), id, Framing::multiplexed, {.follow = Follow::yes}));
  EXPECT_EQ(run(logs.read(Seconds{10}))->bytes, "one\n");
  EXPECT_EQ(run(collect(logs)).out, "two\n");
}

TEST_F(EngineStreams, AnExecRunsBesideTheProgram) {
  auto id = started(sleeper());
  ExecSpec spec;
  spec.command = {"sh", "-c", "cat; echo $NAME >&2; exit 5"};
  spec.env = {"NAME=value"};
  spec.attach_stdin = true;
  auto exec = must(create_exec(engine(), id, spec));
  auto stream = must(start_exec(engine(), exec, Framing::multiplexed));
  run(send(stream, "in"));
  auto outputs = run(collect(stream));
  EXPECT_EQ(outputs.out, "in");
  EXPECT_EQ(outputs.err, "value\n");
  EXPECT_EQ(must(inspect_exec(engine(), exec)).exit_code, 5);
}

TEST_F(EngineStreams, AnExecsTerminalCanBeResized) {
  auto id = started(sleeper());
  ExecSpec spec;
  spec.command = {"sh", "-c", "read line; stty size"};
  spec.attach_stdin = true;
  spec.tty = true;
  auto exec = must(create_exec(engine(), id, spec));
  auto stream = must(start_exec(engine(), exec, Framing::raw));
  EXPECT_TRUE(run(resize_exec(engine(), exec, {.columns = 100, .rows = 30})));
  run(stream.write("\n"));
  EXPECT_THAT(run(collect(stream)).out, HasSubstr("30 100"));
}

TEST_F(EngineStreams, EventsTellWhatHappens) {
  auto events = must(follow_events(engine(), {.types = {"container"}, .labels = {mark()}}));
  auto id = create(sleeper());
  auto created = run(events.next());
  ASSERT_TRUE(created);
  EXPECT_EQ(created->type, "container");
  EXPECT_EQ(created->action, "create");
  EXPECT_EQ(created->actor_id, id);
  EXPECT_EQ(created->attributes["image"], image);
  EXPECT_TRUE(run(remove_container(engine(), id, {})));
  EXPECT_EQ(run(events.next())->action, "destroy");
}

}  // namespace
}  // namespace gantry::engine
