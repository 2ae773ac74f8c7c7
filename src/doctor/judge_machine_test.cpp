// Who else may be root, and what is around the engine.
#include "doctor/healthy_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::doctor {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(SocketMode, TellsASocketThatIsGoneFromAnEndpointWithoutOne) {
  auto facts = healthy_facts();
  EXPECT_EQ(judged("socket_mode", facts).state, State::ok);
  facts.socket->kind = SocketFile::Kind::missing;
  EXPECT_EQ(judged("socket_mode", facts).state, State::unseen);
  facts.socket.reset();
  EXPECT_EQ(judged("socket_mode", facts).state, State::skipped);
}

TEST(SocketMode, IsClosedOnTheMachineItself) {
  auto facts = healthy_facts();
  facts.socket->mode = 0666;
  facts.subject.account_groups = {ann};
  EXPECT_THAT(advice(judged("socket_mode", facts)),
              AllOf(HasSubstr("chmod 660"), HasSubstr("usermod")));
  facts.in_container = facts.socket->mounted = true;
  auto finding = judged("socket_mode", facts);
  EXPECT_EQ(finding.state, State::failed);
  EXPECT_THAT(advice(finding), HasSubstr("on the machine itself"));
  EXPECT_THAT(advice(finding), Not(HasSubstr("sudo")));
}

TEST(SocketMode, TellsWhomTheSocketOfARootEngineWasGiven) {
  auto facts = healthy_facts();
  facts.engine.name = facts.machine;
  facts.socket->uid = ann;
  facts.socket->owner = "ann";
  auto finding = judged("socket_mode", facts);
  EXPECT_EQ(finding.state, State::warning);
  EXPECT_THAT(finding.summary, HasSubstr("given to user 'ann'"));
  EXPECT_THAT(advice(finding), HasSubstr("sudo chown root /var/run/docker.sock"));
  auto rootless = facts;
  rootless.engine.security_options.emplace_back("name=rootless");
  EXPECT_EQ(judged("socket_mode", rootless).state, State::ok);
  auto desktop = facts;
  desktop.engine.name = "docker-desktop";
  EXPECT_EQ(judged("socket_mode", desktop).state, State::ok);
}

TEST(Members, AreNamedWithWhatItMeans) {
  auto facts = healthy_facts();
  EXPECT_EQ(judged("members", facts).state, State::ok);
  facts.socket_group->members = {"ann", "bob"};
  auto finding = judged("members", facts);
  EXPECT_EQ(finding.state, State::note);
  EXPECT_THAT(finding.summary, HasSubstr("as good as root by group 'docker': ann, bob"));
  facts.socket_group->primary = {"bob", "ci"};
  EXPECT_THAT(judged("members", facts).summary,
              HasSubstr("by group 'docker': ann, bob, ci (its primary group)"));
  facts.socket_group->members.clear();
  EXPECT_EQ(judged("members", facts).state, State::note);
  facts.socket_group->members.assign(25, "ann");
  EXPECT_THAT(judged("members", facts).summary, HasSubstr("ann and 7 more"));
  facts.socket_group = Group{"root", root, {}, {"root"}};
  EXPECT_EQ(judged("members", facts).state, State::ok);
  facts.socket_group.reset();
  facts.docker_group.reset();
  EXPECT_EQ(judged("members", facts).state, State::skipped);
}

TEST(Confinement, TellsEverythingThatConfines) {
  auto facts = healthy_facts();
  EXPECT_EQ(judged("confinement", facts).summary, "nothing confines this process");
  facts.apparmor = "docker-default (enforce)";
  EXPECT_EQ(judged("confinement", facts).state, State::ok);
  facts.starter = Starter::snap;
  facts.selinux = "enforcing";
  auto finding = judged("confinement", facts);
  EXPECT_EQ(finding.state, State::note);
  EXPECT_THAT(finding.summary, HasSubstr("SELinux is enforcing"));
  EXPECT_THAT(finding.summary, HasSubstr("as a snap"));
  EXPECT_THAT(finding.summary, HasSubstr("profile docker-default"));
  EXPECT_THAT(advice(finding), HasSubstr("ausearch"));
  EXPECT_THAT(advice(finding), HasSubstr("snap remove docker"));
  EXPECT_THAT(advice(finding), HasSubstr("containers, images and volumes are deleted"));
}

TEST(Confinement, IsThatOfWhoIsAskedAbout) {
  auto facts = healthy_facts();
  facts.subject.what = "service 'ci'";
  EXPECT_EQ(judged("confinement", facts).summary, "nothing confines service 'ci'");
  facts.apparmor = "ci (enforce)";
  EXPECT_EQ(judged("confinement", facts).summary,
            "service 'ci' is under AppArmor's profile ci (enforce)");
  // An account is no process.
  facts.apparmor.clear();
  facts.subject.process_groups.reset();
  EXPECT_EQ(judged("confinement", facts).state, State::skipped);
}

TEST(Confinement, KnowsASnapByItsData) {
  auto facts = healthy_facts();
  facts.engine.data_root = "/var/snap/docker/common/var-lib-docker";
  EXPECT_THAT(judged("confinement", facts).summary, HasSubstr("as a snap"));
}

TEST(Confinement, DoesNotAccuseAPermissiveSelinux) {
  auto facts = healthy_facts();
  facts.selinux = "permissive";
  auto finding = judged("confinement", facts);
  EXPECT_EQ(finding.state, State::ok);
  EXPECT_THAT(finding.summary, HasSubstr("refuses nothing"));
}

TEST(Compose, OffersTheFragmentWhereNotBothAreThere) {
  auto facts = healthy_facts();
  EXPECT_EQ(judged("compose", facts).state, State::ok);
  auto only_new = facts;
  only_new.compose_v1 = {};
  auto only_old = facts;
  only_old.compose_v2 = {};
  auto neither = only_new;
  neither.compose_v2 = {};
  for (const auto& one : {only_new, only_old, neither}) {
    auto finding = judged("compose", one);
    EXPECT_EQ(finding.state, State::note) << finding.summary;
    EXPECT_THAT(advice(finding), HasSubstr("docker-compose \"$@\"")) << finding.summary;
  }
  EXPECT_THAT(judged("compose", only_new).summary, HasSubstr("2.40.0"));
  EXPECT_THAT(judged("compose", only_old).summary, HasSubstr("1.29.2"));
  EXPECT_THAT(advice(judged("compose", neither)), HasSubstr("apt install docker-compose"));
}

TEST(Compose, TellsWhatHangsFromWhatIsNotThere) {
  auto facts = healthy_facts();
  facts.compose_v2 = {.path = "/usr/bin/docker", .version = {}, .silent = true};
  auto finding = judged("compose", facts);
  EXPECT_THAT(finding.summary, HasSubstr("'docker compose' does not answer"));
  EXPECT_EQ(finding.state, State::note);
  facts.compose_v2.silent = false;
  facts.compose_v1.silent = true;
  EXPECT_THAT(judged("compose", facts).summary, HasSubstr("'docker-compose' does not answer"));
}

TEST(Buildx, IsToldWithItsVersionOrAsMissing) {
  auto facts = healthy_facts();
  EXPECT_THAT(judged("buildx", facts).summary, HasSubstr("0.29.0"));
  facts.buildx.silent = true;
  EXPECT_THAT(judged("buildx", facts).summary, HasSubstr("'docker buildx' does not answer"));
  facts.buildx = {};
  EXPECT_THAT(judged("buildx", facts).summary, HasSubstr("not installed"));
  facts.docker.silent = true;
  EXPECT_THAT(judged("buildx", facts).summary, HasSubstr("'docker' does not answer"));
  facts.docker = {};
  EXPECT_THAT(judged("buildx", facts).summary, HasSubstr("no 'docker' command"));
}

TEST(TheClock, IsANoteWhereNobodyKeepsIt) {
  auto facts = healthy_facts();
  EXPECT_EQ(judged("clock", facts).state, State::ok);
  facts.clock_synchronised = false;
  EXPECT_EQ(judged("clock", facts).state, State::note);
  EXPECT_THAT(advice(judged("clock", facts)), HasSubstr("sudo timedatectl set-ntp true"));
  facts.starter = Starter::scripts;
  EXPECT_THAT(advice(judged("clock", facts)), HasSubstr("sudo apt install chrony"));
  facts.in_container = true;
  EXPECT_THAT(advice(judged("clock", facts)), Not(HasSubstr("sudo")));
  facts.clock_synchronised.reset();
  EXPECT_EQ(judged("clock", facts).state, State::unseen);
}

DiskFacts disk_with(std::uint64_t bytes_free, std::uint64_t inodes_free) {
  return {.path = "/var/lib/docker",
          .bytes = 1000,
          .bytes_free = bytes_free,
          .inodes = 1000,
          .inodes_free = inodes_free};
}

TEST(Disk, IsJudgedByWhatIsScarcer) {
  auto facts = healthy_facts();
  EXPECT_EQ(judged("disk", facts).state, State::unseen);
  facts.disk = disk_with(500, 500);
  EXPECT_EQ(judged("disk", facts).state, State::ok);
  facts.disk = disk_with(50, 500);
  EXPECT_EQ(judged("disk", facts).state, State::warning);
  facts.disk = disk_with(500, 50);
  EXPECT_EQ(judged("disk", facts).state, State::warning);
  facts.disk = disk_with(500, 10);
  EXPECT_EQ(judged("disk", facts).state, State::failed);
  EXPECT_THAT(advice(judged("disk", facts)), HasSubstr("docker system df"));
}

TEST(Disk, IsNotFullWhereAFileSystemCountsNoInodes) {
  auto facts = healthy_facts();
  facts.disk = disk_with(500, 0);
  facts.disk->inodes = 0;
  EXPECT_EQ(judged("disk", facts).state, State::ok);
}

TEST(Disk, FailsWhereItCanNotBeWrittenTo) {
  auto facts = healthy_facts();
  facts.disk = disk_with(500, 500);
  facts.disk->read_only = true;
  auto finding = judged("disk", facts);
  EXPECT_EQ(finding.state, State::failed);
  EXPECT_THAT(finding.summary, HasSubstr("read-only"));
}

TEST(WhatIsLate, IsUnseenAndSaysSo) {
  auto facts = healthy_facts();
  facts.late = {Part::account, Part::data};
  auto finding = judged("membership", facts);
  EXPECT_EQ(finding.state, State::unseen);
  EXPECT_EQ(finding.summary, "no answer in time from the accounts of this machine");
  EXPECT_EQ(judged("disk", facts).summary, "no answer in time from the engine's files");
  EXPECT_THAT(judged("socket", facts).summary, Not(HasSubstr("in time")));
}

}  // namespace
}  // namespace gantry::doctor
