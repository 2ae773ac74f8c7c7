#include "sandbox/canary.hpp"

#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::sandbox {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* held =
    "uid=200000\ncapabilities=0000000000000000\nno_new_privs=1\nseccomp=2\ninterface=lo\n"
    "looked=1\n";

CanaryReport read(std::string printed) {
  CanaryReport report;
  read_canary(printed, report);
  return report;
}

TEST(ReadCanary, FindsAllOfItHeld) {
  EXPECT_THAT(read(held).open, IsEmpty());
  EXPECT_THAT(read(held).held, SizeIs(7));
}

TEST(ReadCanary, NamesWhatDidNotHold) {
  EXPECT_THAT(read(std::string{held} + "processes=64\n").open,
              ElementsAre(HasSubstr("the limit of processes (processes: 64)")));
  EXPECT_THAT(read(std::string{held} + "interface=eth0\n").open,
              ElementsAre(HasSubstr("no network (interface: lo eth0)")));
  EXPECT_THAT(read(std::string{held} + "root=writable\n").open, SizeIs(1));
  EXPECT_THAT(read("uid=0\ncapabilities=00000000a80425fb\nno_new_privs=0\nseccomp=0\n"
                   "interface=lo\nlooked=1\n")
                  .open,
              SizeIs(4));
}

TEST(ReadCanary, TakesSilenceForNoPromise) {
  EXPECT_THAT(read("interface=lo\nlooked=1\n").open, Contains(HasSubstr("seccomp: nothing")));
  EXPECT_THAT(read("").open, ElementsAre("it could not look around"));
  EXPECT_THAT(read("").held, IsEmpty());
}

TEST(ReadCanary, MovesNoTerminalsCursor) {
  EXPECT_THAT(read("seccomp=\x1b[2J\nlooked=1\n").open,
              testing::Each(testing::Not(HasSubstr("\x1b"))));
}

TEST(TheCanary, NeedsAnImageThatIsThere) {
  async::TestLoop loop;
  engine::FakeDaemon daemon;
  daemon.expect("GET", "/images/json").reply(200, "[]");
  auto client = daemon.client(loop.executor());
  auto report = loop.run(run_canary(loop.executor(), *client));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, "no_canary_image");
  // Nothing is pulled and nothing made.
  EXPECT_THAT(daemon.requests(), SizeIs(1));
}

TEST(TheCanary, IsNoUseWhereNothingCanBeRun) {
  async::TestLoop loop;
  engine::FakeDaemon daemon;
  daemon.expect("GET", "/images/json")
      .reply(200, R"([{"Id":"sha256:1","RepoTags":["gantry/sh:latest"]}])");
  auto client = daemon.client(loop.executor());
  auto report = loop.run(async::attempt(run_canary(loop.executor(), *client)));
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().code, "no_canary_image");
}

}  // namespace
}  // namespace gantry::sandbox
