// What the engine says, and what is made of it.
#include "doctor/healthy_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::doctor {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

Facts silent_engine(std::string code) {
  auto facts = healthy_facts();
  facts.engine = {};
  facts.engine.error = Error{ErrorKind::unavailable, std::move(code), "cannot ask it", "look"};
  return facts;
}

TEST(EngineRow, TellsWhatBecomesOfContainersAtARestart) {
  auto facts = healthy_facts();
  EXPECT_THAT(judged("engine", facts).summary, HasSubstr("no live-restore"));
  facts.engine.live_restore = true;
  facts.engine.security_options.emplace_back("name=rootless");
  EXPECT_THAT(judged("engine", facts).summary,
              AllOf(HasSubstr("outlive a restart"), HasSubstr(", rootless;")));
}

TEST(EngineRow, PassesOnWarningsThatNoOtherRowJudges) {
  auto facts = healthy_facts();
  facts.engine.warnings = {"WARNING: No swap limit support",
                           "WARNING: bridge-nf-call-iptables is disabled",
                           "WARNING: API is accessible on http://0.0.0.0:2375\n  more"};
  auto finding = judged("engine", facts);
  EXPECT_EQ(finding.state, State::note);
  EXPECT_THAT(finding.summary, HasSubstr("it warns: bridge-nf-call-iptables is disabled"));
  EXPECT_THAT(finding.summary, Not(HasSubstr("swap")));
}

TEST(EngineRow, HasARemedyForEachWayNotToAnswer) {
  for (const auto* code : {"engine_not_running", "engine_permission_denied", "timed_out",
                           "engine_not_an_engine", "engine_too_old", "tls_expired"}) {
    auto finding = judged("engine", silent_engine(code));
    EXPECT_EQ(finding.state, State::failed) << code;
    EXPECT_FALSE(finding.remedy.empty()) << code;
  }
}

TEST(EngineRow, TellsASocketThatAnEngineHasLeftBehind) {
  auto facts = silent_engine("engine_not_running");
  EXPECT_THAT(advice(judged("engine", facts)), HasSubstr("start docker"));
  facts.engine_installed = false;
  EXPECT_THAT(advice(judged("engine", facts)), HasSubstr("apt install docker.io"));
}

/// In a container that was given the machine's socket.
Facts in_container(Facts facts) {
  facts.in_container = true;
  facts.engine_installed = false;
  facts.socket->mounted = true;
  return facts;
}

TEST(EngineRow, StartsNoDaemonInAContainer) {
  for (auto starter : {Starter::systemd, Starter::scripts, Starter::snap, Starter::nobody}) {
    for (const auto* code : {"engine_not_running", "engine_timed_out", "timed_out"}) {
      auto facts = in_container(silent_engine(code));
      facts.starter = starter;
      auto said = advice(judged("engine", facts));
      EXPECT_THAT(said, HasSubstr("on the machine itself")) << code;
      EXPECT_THAT(said, Not(AnyOf(HasSubstr("dockerd"), HasSubstr("sudo")))) << code;
    }
  }
  auto left = judged("engine", in_container(silent_engine("engine_not_running")));
  EXPECT_THAT(advice(left), HasSubstr("up -d --force-recreate"));
  EXPECT_THAT(advice(left), HasSubstr("start the engine on that machine"));
}

TEST(EngineRow, SaysWhatARestartEnds) {
  auto facts = silent_engine("engine_timed_out");
  EXPECT_THAT(advice(judged("engine", facts)),
              HasSubstr("then restart it, which ends running containers unless live-restore is on\n"
                        "sudo systemctl restart"));
}

TEST(EngineRow, StartsASnapByItsOwnCommand) {
  auto facts = silent_engine("engine_not_running");
  facts.starter = Starter::snap;
  EXPECT_THAT(advice(judged("engine", facts)), HasSubstr("sudo snap start docker"));
  // A rootless one is its user's all the same.
  facts.socket->path = "/run/user/1000/docker.sock";
  EXPECT_THAT(advice(judged("engine", facts)), HasSubstr("systemctl --user start docker"));
}

TEST(RowsOfTheEngine, AreUnseenWhereItDoesNotAnswer) {
  auto facts = silent_engine("engine_not_running");
  for (const auto* id : {"api", "versions", "isolation", "cgroups", "storage", "logs"}) {
    EXPECT_EQ(judged(id, facts).state, State::unseen) << id;
  }
}

TEST(Versions, NameTheNextThatHasTheFixes) {
  auto facts = healthy_facts();
  EXPECT_EQ(judged("versions", facts).state, State::ok);
  facts.engine.components = {{"containerd", "v1.6.20"}, {"runc", "1.1.5"}};
  auto finding = judged("versions", facts);
  EXPECT_EQ(finding.state, State::warning);
  EXPECT_THAT(finding.summary, HasSubstr("containerd v1.6.20 (fixed in 1.7.33)"));
  EXPECT_THAT(finding.summary, HasSubstr("runc 1.1.5 (fixed in 1.3.6)"));
  facts.engine.components = {{"Engine", "20.10.24+dfsg1"}};
  EXPECT_EQ(judged("versions", facts).state, State::note);
}

TEST(Versions, SayWhatWasComparedAndWhatIsNotKnown) {
  auto facts = healthy_facts();
  EXPECT_EQ(judged("versions", facts).summary,
            "the known fixes are in Engine 29.5.1; nothing is known of containerd, runc");
  facts.engine.components = {{"Podman Engine", "5.4.0"}, {"Engine", "dev"}};
  auto unknown = judged("versions", facts);
  EXPECT_EQ(unknown.state, State::unseen);
  EXPECT_EQ(unknown.summary, "nothing is known of Engine dev, containerd, runc");
}

TEST(Versions, AreJudgedEachByItself) {
  auto facts = healthy_facts();
  facts.engine.components = {{"Engine", "20.10.24+dfsg1"}, {"containerd", "v1.6.20"}};
  auto finding = judged("versions", facts);
  EXPECT_EQ(finding.state, State::warning);
  EXPECT_THAT(finding.summary, HasSubstr("open in containerd v1.6.20 (fixed in 1.7.33);"));
  EXPECT_THAT(finding.summary,
              HasSubstr("open in Engine 20.10.24+dfsg1 (fixed in 29.5.1), unless"));
}

TEST(Isolation, IsBetterWithUserNamespaces) {
  auto facts = healthy_facts();
  EXPECT_EQ(judged("isolation", facts).state, State::note);
  EXPECT_THAT(judged("isolation", facts).summary, HasSubstr("without userns-remap"));
  facts.engine.security_options.emplace_back("name=userns");
  EXPECT_EQ(judged("isolation", facts).state, State::ok);
  facts.engine.security_options = {"name=seccomp,profile=builtin", "name=rootless"};
  EXPECT_EQ(judged("isolation", facts).state, State::ok);
}

TEST(Isolation, NeedsSeccompAndTheAppArmorThatTheKernelHas) {
  auto facts = healthy_facts();
  facts.apparmor_in_kernel = true;
  auto finding = judged("isolation", facts);
  EXPECT_EQ(finding.state, State::warning);
  EXPECT_THAT(advice(finding), HasSubstr("apt install apparmor"));
  facts.engine.security_options.emplace_back("name=apparmor");
  EXPECT_EQ(judged("isolation", facts).state, State::note);
  facts.engine.security_options = {"name=userns"};
  EXPECT_THAT(judged("isolation", facts).summary, HasSubstr("no seccomp"));
}

TEST(Isolation, TakesNoUnconfinedProfileForSeccomp) {
  auto facts = healthy_facts();
  facts.engine.security_options = {"name=seccomp,profile=unconfined", "name=userns"};
  auto finding = judged("isolation", facts);
  EXPECT_EQ(finding.state, State::warning);
  EXPECT_THAT(advice(finding), HasSubstr("\"seccomp-profile\" out of /etc/docker/daemon.json"));
  facts.engine.data_root = "/var/snap/docker/common/var-lib-docker";
  EXPECT_THAT(advice(judged("isolation", facts)),
              HasSubstr("out of /var/snap/docker/current/config/daemon.json"));
}

TEST(Cgroups, AreAWarningWhereALimitIsMissing) {
  auto facts = healthy_facts();
  EXPECT_EQ(judged("cgroups", facts).state, State::ok);
  facts.engine.cgroup_version = "1";
  EXPECT_EQ(judged("cgroups", facts).state, State::note);
  facts.engine.warnings = {"WARNING: No swap limit support"};
  auto finding = judged("cgroups", facts);
  EXPECT_EQ(finding.state, State::warning);
  EXPECT_THAT(finding.summary, HasSubstr("; No swap limit support"));
  EXPECT_THAT(advice(finding), HasSubstr("swapaccount=1"));
  facts.engine.security_options.emplace_back("name=rootless");
  facts.engine.warnings = {"WARNING: No cpuset support"};
  EXPECT_THAT(advice(judged("cgroups", facts)), HasSubstr("Delegate=cpu cpuset io memory pids"));
}

TEST(Storage, WarnsOfDriversThatCopy) {
  auto facts = healthy_facts();
  EXPECT_EQ(judged("storage", facts).state, State::ok);
  facts.engine.storage_driver = "vfs";
  EXPECT_EQ(judged("storage", facts).state, State::warning);
}

TEST(Logs, AreBoundedByTheDriverOrByTheSettings) {
  auto facts = healthy_facts();
  EXPECT_EQ(judged("logs", facts).state, State::ok);
  facts.engine.log_driver = "json-file";
  EXPECT_EQ(judged("logs", facts).state, State::unseen);
  facts.logs_bounded = true;
  EXPECT_EQ(judged("logs", facts).state, State::ok);
  facts.logs_bounded = false;
  auto finding = judged("logs", facts);
  EXPECT_EQ(finding.state, State::warning);
  EXPECT_THAT(advice(finding), HasSubstr("max-size"));
  EXPECT_THAT(advice(finding), HasSubstr("restart the engine, which ends running containers\n"));
  facts.engine.live_restore = true;
  EXPECT_THAT(advice(judged("logs", facts)), Not(HasSubstr("ends running containers")));
  // Nobody restarts it from within a container.
  facts.in_container = facts.socket->mounted = true;
  EXPECT_THAT(advice(judged("logs", facts)),
              AllOf(HasSubstr("on the machine itself"), Not(HasSubstr("sudo"))));
}

TEST(Logs, NameTheLargest) {
  auto facts = healthy_facts();
  facts.logs_bounded = true;
  facts.container_logs = LogFacts{.files = 3,
                                  .bytes = 2'600'000'000,
                                  .largest = "/var/lib/docker/containers/a/a-json.log",
                                  .largest_bytes = 2'400'000'000};
  auto finding = judged("logs", facts);
  EXPECT_EQ(finding.state, State::warning);
  EXPECT_THAT(finding.summary, HasSubstr("2.6 GB in 3 files, the largest 2.4 GB of container a"));
  EXPECT_THAT(advice(finding), HasSubstr("truncate -s 0 /var/lib/docker/containers/a/a-json.log"));
  facts.container_logs->largest_bytes = 800;
  facts.container_logs->whole = false;
  EXPECT_EQ(judged("logs", facts).state, State::ok);
  EXPECT_THAT(judged("logs", facts).summary, HasSubstr("the first 3 files"));
}

TEST(Rootless, TellsTheOneInForceFromOneBeside) {
  auto facts = healthy_facts();
  EXPECT_EQ(judged("rootless", facts).state, State::skipped);
  facts.rootless = {.installed = true, .runtime_folder = true};
  EXPECT_EQ(judged("rootless", facts).state, State::ok);
  auto alone = silent_engine("engine_not_running");
  alone.rootless = facts.rootless;
  EXPECT_THAT(advice(judged("rootless", alone)), HasSubstr("systemctl --user start docker"));
  alone.subject.uid = root;
  EXPECT_EQ(judged("rootless", alone).state, State::skipped);
  facts.rootless.socket = "/run/user/1000/docker.sock";
  auto beside = judged("rootless", facts);
  EXPECT_EQ(beside.state, State::note);
  EXPECT_THAT(advice(beside), HasSubstr("DOCKER_HOST=unix:///run/user/1000/docker.sock"));
  EXPECT_THAT(advice(beside), Not(HasSubstr("XDG_RUNTIME_DIR")));
  facts.rootless.runtime_folder = false;
  EXPECT_THAT(advice(judged("rootless", facts)), HasSubstr("export XDG_RUNTIME_DIR="));
  auto own = alone;
  own.rootless.in_force = true;
  EXPECT_EQ(judged("rootless", own).state, State::ok);
  // Once the engine has answered its own word counts, whoever owns the socket.
  auto given = facts;
  given.rootless.in_force = true;
  EXPECT_NE(judged("rootless", given).state, State::ok);
  facts.engine.security_options.emplace_back("name=rootless");
  EXPECT_EQ(judged("rootless", facts).state, State::ok);
}

}  // namespace
}  // namespace gantry::doctor
