// What breaks off on the way over OpenSSH, and how much may go over it at once.
#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "engine/exec_run.hpp"
#include "integration/ssh_ways.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry {
namespace {

async::task<void> keep(async::task<Result<engine::ExecResult>> command,
                       std::optional<Result<engine::ExecResult>>& ended) {
  ended = co_await async::attempt(std::move(command));
}

/// Waits until a process of the container is called so.
async::task<void> until_it_runs(engine::Client& engine, std::string container, std::string what) {
  for (;;) {
    auto table = value_or_throw(co_await engine::container_top(engine, container));
    for (const auto& row : table.rows) {
      if (!row.empty() && row.back().contains(what)) co_return;
    }
    co_await async::pause(Milliseconds{20});
  }
}

TEST_F(SshWays, ACommandThatIsCutOffIsLostAndNotRunAgain) {
  SshServer server{loop_};
  auto settings = with_key("mine");
  welcome(server, "mine");
  open(server.endpoint(socket()), std::move(settings), {.first_retry = Milliseconds{10}});
  auto id = started(sleeper());
  std::optional<Result<engine::ExecResult>> ended;
  async::TaskScope scope{executor()};
  engine::ExecSpec command;
  command.command = {"sh", "-c", "echo ran >> /tmp/ran; sleep 7301"};
  scope.spawn("command", keep(engine::run_exec(*far_, id, std::move(command), {}, {}), ended));
  run(until_it_runs(engine(), id, "sleep 7301"));
  server.stop();
  eventually([&] { return ended.has_value(); });
  ASSERT_FALSE(*ended) << "it can not be known how it ended";
  EXPECT_EQ(ended->error().kind, ErrorKind::unavailable);
  server.start();
  eventually([&] { return tunnel_->via().has_value(); });
  EXPECT_TRUE(list());
  engine::ExecSpec look;
  look.command = {"cat", "/tmp/ran"};
  EXPECT_EQ(must(engine::run_exec(engine(), id, std::move(look), {}, {})).out.bytes, "ran\n");
  run(scope.close());
}

async::task<bool> answers(net::Stream& stream) {
  co_await stream.write("GET /_ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  char bytes[64];
  auto count = co_await stream.read_some(bytes);
  co_return std::string_view(bytes, count).starts_with("HTTP/1.1 200");
}

TEST_F(SshWays, ManyStreamsAreOneSessionAndBounded) {
  constexpr std::size_t many = 40;
  SshServer server{loop_, {.lines = {"MaxSessions 1"}}};
  auto settings = with_key("mine");
  welcome(server, "mine");
  open(server.endpoint(socket()), std::move(settings), {.forward_streams_max = many});
  std::vector<std::unique_ptr<net::Stream>> streams;
  while (streams.size() < many) streams.push_back(run(tunnel_->connect()));
  for (auto& stream : streams) EXPECT_TRUE(run(answers(*stream)));
  EXPECT_EQ(refusal().code, "ssh_too_many_streams");
  streams.pop_back();
  EXPECT_EQ(refusal(), Error{});
  auto log = server.log();
  auto first = log.find("Accepted publickey");
  ASSERT_NE(first, log.npos);
  EXPECT_EQ(log.find("Accepted publickey", first + 1), log.npos);
}

}  // namespace
}  // namespace gantry
