// A far machine to whose engine there is no way at the moment.
#include "async/deadline.hpp"
#include "async/testing_fake.hpp"
#include "doctor/checks.hpp"
#include "doctor/far.hpp"
#include "engine/client.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::doctor {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* lacking_group =
    "machine: edge\nuid: 1000\nuser: deploy\nprocess_groups: 1000\naccount_groups: 1000\n"
    "docker_group: docker:x:998:\nsocket_path: /var/run/docker.sock\n"
    "socket: srw-rw---- 1 0 998 0 Nov 22 16:39 /var/run/docker.sock\nsocket_owner: root\n"
    "socket_group: docker:x:998:\nsocket_writable: no\nnetwork: yes\n";

async::task<Result<std::string>> answer(Result<std::string> said) { co_return said; }

async::task<std::unique_ptr<net::Stream>> refused() {
  throw Failure{{ErrorKind::unavailable, "ssh_refused", "port 22 is closed", "start sshd"}};
}
async::task<std::unique_ptr<net::Stream>> silence() {
  co_await async::pause(Milliseconds{3'600'000});
  co_return nullptr;
}

class FarAway : public testing::Test {
 protected:
  Facts gather(engine::Client& engine, const Result<std::string>& said, std::optional<Error> away) {
    Runner run = [said](std::string) { return answer(said); };
    return value_or_throw(loop_.run(gather_far(run, &engine, at_, Clock{}, std::move(away))));
  }
  engine::Client engine(net::Connect connect) {
    return {loop_.executor(), std::move(connect), at_};
  }

  async::TestLoop loop_;
  net::Endpoint at_ = value_or_throw(net::Endpoint::parse("ssh://deploy@edge-3"));
  Error denied_{ErrorKind::unavailable, "ssh_remote_socket_permission", "permission denied there",
                "add 'deploy' to the group"};
};

TEST_F(FarAway, TheEngineIsAskedLastAndBelieved) {
  engine::FakeDaemon daemon;
  daemon.expect("GET", "/info").reply(200, R"({"Name":"edge"})");
  daemon.expect("GET", "/version").reply(200, R"({"Version":"27.1","ApiVersion":"1.46"})");
  auto engine = daemon.client(loop_.executor());
  auto facts = gather(*engine, lacking_group, denied_);
  EXPECT_FALSE(facts.engine.error);
  EXPECT_EQ(facts.engine.version, "27.1");
}

TEST_F(FarAway, WhatTheWaySaysNowCounts) {
  auto there = engine(refused);
  auto facts =
      gather(there, fail(ErrorKind::unavailable, "ssh_refused", "port 22 is closed"), denied_);
  ASSERT_TRUE(facts.engine.error);
  EXPECT_THAT(facts.engine.error->message, HasSubstr("port 22 is closed"));
}

TEST_F(FarAway, AHealthyEngineIsNotToBeRestarted) {
  auto there = engine(silence);
  auto report = examine(gather(there, lacking_group, denied_));
  auto found = std::ranges::find_if(report.results,
                                    [](const Examined& one) { return one.check->id == "engine"; });
  ASSERT_NE(found, report.results.end());
  EXPECT_EQ(report.facts.engine.error, denied_);
  EXPECT_EQ(found->finding.state, State::failed);
  for (const auto& step : found->finding.remedy) {
    EXPECT_THAT(step.what + step.command, Not(HasSubstr("restart")));
  }
}

TEST_F(FarAway, AWayThatDropsIsNotTheEnginesSilence) {
  auto there = engine(silence);
  auto facts =
      gather(there, fail(ErrorKind::timed_out, "timed_out", "looking at 'edge-3' took longer"), {});
  ASSERT_TRUE(facts.engine.error);
  EXPECT_EQ(facts.engine.error->code, "ssh_timed_out");
}

TEST_F(FarAway, WhyNothingCouldBeRunThereSaysMoreThanThatTheWayIsMade) {
  auto there = engine(silence);
  Error made{ErrorKind::unavailable, std::string{way_is_made}, "the way is being made", {}};
  Error off{ErrorKind::unavailable, "ssh_unreachable", "no route to host", "check the network"};
  auto facts = gather(there, fail(off), made);
  EXPECT_EQ(facts.engine.error, off);
  EXPECT_EQ(facts.unseen, "this host is not reached: the row of its engine tells why");
}

}  // namespace
}  // namespace gantry::doctor
