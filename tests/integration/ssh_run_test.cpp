// Texts that run on far machines, against real sshds on loopback.
#include "async/scope.hpp"
#include "base/random.hpp"
#include "integration/ssh_ways.hpp"

#include <filesystem>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace gantry {
namespace {

namespace fs = std::filesystem;

class SshRuns : public SshWays {
 protected:
  /// A tunnel to a server of these lines.
  void open_to(std::vector<std::string> lines) {
    server_.emplace(loop_, SshServer::Options{.lines = std::move(lines)});
    auto key = "key-" + random::word(6);
    auto settings = with_key(key);
    welcome(*server_, key);
    open(server_->endpoint(socket()), std::move(settings));
  }
  Error refused(std::string script) {
    auto ran = run(tunnel_->run(std::move(script)));
    return ran ? Error{} : ran.error();
  }
  std::optional<SshServer> server_;
};

TEST_F(SshRuns, PrintWhatShPrints) {
  open_to({});
  auto ran = run(tunnel_->run("echo \"$((6 * 7)) 'a  b'\"; echo lost >&2; cat; exit 3"));
  ASSERT_TRUE(ran) << ran.error().sentence();
  EXPECT_EQ(*ran, "42 'a  b'\n");
  EXPECT_FALSE(tunnel_->via()) << "the way for streams is not needed for it";
}

TEST_F(SshRuns, GoBesideStreams) {
  open_to({});
  ASSERT_TRUE(list());
  EXPECT_EQ(run(tunnel_->run("echo one")), "one\n");
  EXPECT_TRUE(list());
}

TEST_F(SshRuns, OfMoreThanTheyMayPrintAreRefused) {
  open_to({});
  auto why = refused("while :; do echo 0123456789012345678901234567890123456789; done");
  EXPECT_EQ(why.code, "ssh_output_too_large");
  EXPECT_EQ(run(tunnel_->run("echo one")), "one\n");
}

TEST_F(SshRuns, AreToldFromFixedCommands) {
  for (const std::string command : {"false", "cat", "echo gantry-begin-x", "internal-sftp",
                                    "docker --host unix:///nowhere system dial-stdio"}) {
    open_to({"ForceCommand " + command});
    EXPECT_EQ(refused("echo one").code, "ssh_commands_refused") << command;
    run(tunnel_->close());
  }
}

TEST_F(SshRuns, WhereNoSessionsAreAllowedAreRefused) {
  open_to({"MaxSessions 0"});
  auto why = refused("echo one");
  EXPECT_EQ(why.code, "ssh_commands_refused") << why.message;
  EXPECT_EQ(why.kind, ErrorKind::denied);
}

TEST_F(SshRuns, WhoseConnectionBreaksSaySo) {
  open_to({});
  auto why = refused("echo one; kill -9 $PPID; sleep 7302");
  EXPECT_EQ(why.code, "ssh_broke") << why.message;
}

TEST_F(SshRuns, AreNotTriedWhileALoginIsRefused) {
  open_to({});
  run(tunnel_->close());
  open(server_->endpoint(socket()), with_key("strange"));
  EXPECT_EQ(refused("echo one").code, "ssh_authentication_failed");
  EXPECT_EQ(refusal().code, "ssh_authentication_failed");
  auto before = server_->log();
  EXPECT_EQ(refused("echo one").code, "ssh_authentication_failed");
  EXPECT_EQ(server_->log(), before) << "nothing has connected";
}

TEST_F(SshRuns, OfAnUnknownMachineAreNotSent) {
  open_to({});
  run(tunnel_->close());
  auto settings = with_key("other");
  folder_.write("known_hosts", "");
  open(server_->endpoint(socket()), std::move(settings));
  EXPECT_EQ(refused("echo one").code, "ssh_host_key_unknown");
}

async::task<void> keep(async::task<Result<std::string>> running,
                       std::optional<Result<std::string>>& ended) {
  ended = co_await std::move(running);
}

TEST_F(SshRuns, EndWithTheirTunnel) {
  open_to({});
  auto begun = folder_.file("begun");
  std::optional<Result<std::string>> ended;
  async::TaskScope scope{executor()};
  scope.spawn("a text", keep(tunnel_->run(fmt::format("echo > {}; sleep 7303", begun)), ended));
  eventually([&] { return fs::exists(begun); });
  run(tunnel_->close());
  eventually([&] { return ended.has_value(); });
  EXPECT_EQ(ended->error().code, "ssh_closed");
  EXPECT_EQ(refused("echo one").code, "ssh_closed");
  run(scope.close());
}

}  // namespace
}  // namespace gantry
