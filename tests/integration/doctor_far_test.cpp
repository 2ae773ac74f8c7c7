// The doctor on far machines: what a real sshd lets an account see that lacks the socket's group.
#include "doctor/checks.hpp"
#include "doctor/far.hpp"
#include "integration/relay.hpp"
#include "integration/ssh_ways.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry {
namespace {

namespace fs = std::filesystem;
using doctor::State;
using testing::HasSubstr;

constexpr gid_t sockets_group = 61'235;

class DoctorsFar : public SshWays {
 protected:
  void SetUp() override {
    SshWays::SetUp();
    if (!usable() || IsSkipped()) return;
    if (::geteuid() != 0) GTEST_SKIP() << "only root can make an account for one sshd";
    fs::permissions(folder_.file("."), fs::perms{0711});
    socket_ = folder_.file("engine.sock");
    auto to = net::dialer(executor(), client_->endpoint());
    engines_ = std::make_unique<Relay>(loop_, to, fs::path{socket_});
    ASSERT_EQ(::chown(socket_.c_str(), 0, sockets_group), 0);
    ASSERT_EQ(::chmod(socket_.c_str(), 0660), 0);
  }
  void TearDown() override {
    if (tunnel_) run(tunnel_->close());
    far_.reset();
    engines_.reset();
    SshWays::TearDown();
  }

  /// A way to the socket as `deploy`, who is in no group but his own.
  void open_as_deploy(std::vector<std::string> lines = {}) {
    server_.emplace(loop_, SshServer::Options{.lines = std::move(lines), .account = "deploy"});
    server_->run_there({"groupadd", "--gid", std::to_string(sockets_group), "engines"});
    auto settings = with_key("mine");
    welcome(*server_, "mine");
    // Long pauses: what is tried again is tried because somebody asked.
    open(server_->endpoint(socket_), std::move(settings),
         {.first_retry = Milliseconds{600'000}, .longest_retry = Milliseconds{600'000}});
  }
  /// Runs what a remedy says, as root, where it says so.
  void follow(const doctor::Step& step) {
    EXPECT_THAT(step.what, HasSubstr("on '127.0.0.1': "));
    auto words = text_words(step.command);
    ASSERT_EQ(words.front(), "sudo");
    words.erase(words.begin());
    server_->run_there(words);
  }
  static std::vector<std::string> text_words(const std::string& command) {
    std::istringstream words{command};
    return {std::istream_iterator<std::string>{words}, {}};
  }
  doctor::Report examined() {
    auto facts = run(
        doctor::gather_far([this](std::string script) { return tunnel_->run(std::move(script)); },
                           far_.get(), tunnel_endpoint(), Clock{}));
    return doctor::examine(value_or_throw(std::move(facts)));
  }
  net::Endpoint tunnel_endpoint() const { return server_->endpoint(socket_); }
  static const doctor::Finding& finding(const doctor::Report& report, std::string_view id) {
    auto found = std::ranges::find_if(
        report.results, [&](const doctor::Examined& one) { return one.check->id == id; });
    CHECK(found != report.results.end());
    return found->finding;
  }
  static std::string cause(const doctor::Report& report) {
    const auto* cause = report.cause();
    return cause == nullptr ? "nothing" : std::string{cause->check->id};
  }

  std::string socket_;
  std::unique_ptr<Relay> engines_;
  std::optional<SshServer> server_;
};

TEST_F(DoctorsFar, NameTheGroupThatIsMissingThereAndItsRemedyHelps) {
  open_as_deploy();
  EXPECT_EQ(refusal().code, "ssh_remote_socket_permission");
  auto before = examined();
  EXPECT_EQ(before.facts.sight, doctor::Sight::far);
  EXPECT_EQ(before.facts.subject.user, "deploy");
  ASSERT_EQ(cause(before), "membership") << finding(before, "socket").summary;
  EXPECT_THAT(before.cause()->finding.summary, HasSubstr("'engines' (61235)"));
  const auto& remedy = before.cause()->finding.remedy;
  ASSERT_FALSE(remedy.empty());
  EXPECT_EQ(remedy.front().command, "sudo usermod -aG engines deploy");
  follow(remedy.front());
  EXPECT_EQ(refusal().code, "ssh_remote_socket_permission") << "it rests";
  tunnel_->wake();
  auto listed = list();
  ASSERT_TRUE(listed) << listed.error().sentence();
  auto after = examined();
  EXPECT_EQ(finding(after, "membership").state, State::ok);
  EXPECT_EQ(finding(after, "access").state, State::ok);
  EXPECT_LE(finding(after, "engine").state, State::note) << finding(after, "engine").summary;
}

TEST_F(DoctorsFar, DoSoWhereNothingIsForwarded) {
  open_as_deploy({"AllowStreamLocalForwarding no"});
  auto report = examined();
  EXPECT_EQ(cause(report), "membership");
  EXPECT_EQ(finding(report, "socket").state, State::ok);
}

TEST_F(DoctorsFar, TellASocketThatIsNotThere) {
  open_as_deploy();
  engines_.reset();
  auto report = examined();
  EXPECT_EQ(cause(report), "socket");
}

TEST_F(DoctorsFar, TellEverybodysSocket) {
  open_as_deploy();
  ::chmod(socket_.c_str(), 0666);
  auto report = examined();
  EXPECT_EQ(cause(report), "socket_mode");
  EXPECT_EQ(finding(report, "access").state, State::ok);
}

TEST_F(DoctorsFar, TakeTheEnginesWordWhereACommandIsFixed) {
  open_as_deploy({"ForceCommand docker --host unix://" + socket_ + " system dial-stdio"});
  server_->run_there({"usermod", "-aG", "engines", "deploy"});
  auto report = examined();
  EXPECT_EQ(report.facts.sight, doctor::Sight::engine);
  EXPECT_THAT(finding(report, "access").summary, HasSubstr("a fixed one"));
  EXPECT_EQ(finding(report, "access").state, State::unseen);
  EXPECT_LE(finding(report, "engine").state, State::note) << finding(report, "engine").summary;
}

}  // namespace
}  // namespace gantry
