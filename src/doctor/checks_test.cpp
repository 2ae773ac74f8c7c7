#include "doctor/checks.hpp"

#include "doctor/report.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::doctor {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Id ann = 1000;
constexpr Id docker = 998;

/// A machine on which everything is as it should be.
Facts healthy() {
  Facts facts;
  facts.machine = "nas";
  facts.subject = {.what = "this process",
                   .user = "ann",
                   .uid = ann,
                   .account_groups = {ann, docker},
                   .process_groups = std::vector<Id>{ann, docker},
                   .pid = 812};
  facts.endpoint = {.source = "the default", .text = "unix:///var/run/docker.sock"};
  facts.socket = SocketFile{.path = "/var/run/docker.sock",
                            .kind = SocketFile::Kind::socket,
                            .uid = 0,
                            .gid = docker,
                            .mode = 0660,
                            .owner = "root",
                            .group = "docker"};
  facts.docker_group = Group{"docker", docker, {}};
  facts.socket_group = facts.docker_group;
  facts.engine_installed = true;
  facts.clock_synchronised = true;
  facts.engine.version = "29.5.1";
  facts.engine.os = "Debian GNU/Linux 13";
  facts.engine.log_driver = "local";
  facts.engine.storage_driver = "overlay2";
  facts.engine.security_options = {"name=seccomp,profile=builtin", "name=cgroupns"};
  facts.engine.components = {{"Engine", "29.5.1"}};
  facts.docker = {"/usr/bin/docker", "29.5.1"};
  facts.compose_v2 = {"/usr/bin/docker", "2.40.0"};
  facts.buildx = {"/usr/bin/docker", "0.29.0"};
  return facts;
}

Facts refused() {
  auto facts = healthy();
  facts.engine.error = Error{ErrorKind::denied,
                             "engine_permission_denied",
                             "cannot connect to 'unix:///var/run/docker.sock': permission denied",
                             {}};
  return facts;
}

std::string cause_of(const Report& report) {
  const auto* cause = report.cause();
  return cause == nullptr ? "nothing" : std::string{cause->check->id};
}

std::string commands(const Finding& finding) {
  std::string out;
  for (const auto& step : finding.remedy) out += step.what + "\n" + step.command + "\n";
  return out;
}

TEST(Checks, HaveAnIdATitleAndAnExplanationOfTheirOwn) {
  std::set<std::string_view> ids;
  for (const auto& check : all_checks()) {
    EXPECT_TRUE(ids.insert(check.id).second) << check.id;
    EXPECT_FALSE(check.title.empty()) << check.id;
    EXPECT_GT(check.explanation.size(), 20U) << check.id;
  }
}

TEST(Checks, FindNothingWrongWithAHealthyMachine) {
  auto report = examine(healthy());
  EXPECT_EQ(cause_of(report), "nothing");
  EXPECT_LE(report.worst(), State::note) << text_of(report, Colour::none);
  EXPECT_EQ(exit_code_of(report), 0);
}

TEST(Checks, NameTheGroupThatAUserIsNotIn) {
  auto facts = refused();
  facts.subject.account_groups = {ann};
  facts.subject.process_groups = std::vector<Id>{ann};
  auto report = examine(std::move(facts));
  EXPECT_EQ(cause_of(report), "membership");
  EXPECT_THAT(commands(report.cause()->finding), HasSubstr("sudo usermod -aG docker ann"));
  EXPECT_EQ(exit_code_of(report), 2);
}

TEST(Checks, TellAProcessThatBeganTooEarlyFromAUserWhoIsNotInTheGroup) {
  auto facts = refused();
  facts.subject.process_groups = std::vector<Id>{ann};
  auto report = examine(std::move(facts));
  EXPECT_EQ(cause_of(report), "process_groups");
  EXPECT_THAT(report.cause()->finding.summary, HasSubstr("began before that"));
  EXPECT_THAT(commands(report.cause()->finding), HasSubstr("newgrp docker"));
}

TEST(Checks, SayWhichServiceToRestart) {
  auto facts = refused();
  facts.subject.what = "service 'gantry-agent'";
  facts.subject.service = "gantry-agent";
  facts.subject.process_groups = std::vector<Id>{ann};
  auto report = examine(std::move(facts));
  EXPECT_THAT(commands(report.cause()->finding), HasSubstr("systemctl restart gantry-agent"));
}

TEST(Checks, AskForTheSocketsNumberInAContainer) {
  auto facts = refused();
  facts.in_container = true;
  facts.socket->mounted = true;
  facts.socket->group.clear();
  facts.subject.account_groups = {ann, 999};
  facts.subject.process_groups = std::vector<Id>{ann, 999};
  auto report = examine(std::move(facts));
  EXPECT_EQ(cause_of(report), "membership");
  EXPECT_THAT(commands(report.cause()->finding), HasSubstr("--group-add 998"));
  EXPECT_EQ(report.finding("socket_group").state, State::note);
}

TEST(Checks, AskForTheMountWhereAContainerHasNoSocket) {
  auto facts = refused();
  facts.in_container = true;
  facts.engine_installed = false;
  facts.socket->kind = SocketFile::Kind::missing;
  auto report = examine(std::move(facts));
  EXPECT_EQ(cause_of(report), "socket");
  EXPECT_THAT(commands(report.cause()->finding),
              HasSubstr("-v /var/run/docker.sock:/var/run/docker.sock"));
}

TEST(Checks, PointToTheRootlessSocketWhereThereIsOne) {
  auto facts = refused();
  facts.socket->kind = SocketFile::Kind::missing;
  facts.other_sockets = {{.path = "/run/user/1000/docker.sock", .kind = SocketFile::Kind::socket}};
  auto report = examine(std::move(facts));
  EXPECT_THAT(commands(report.cause()->finding),
              HasSubstr("export DOCKER_HOST=unix:///run/user/1000/docker.sock"));
}

TEST(Checks, TellAnEngineThatIsNotInstalledFromOneThatDoesNotRun) {
  auto facts = refused();
  facts.socket->kind = SocketFile::Kind::missing;
  EXPECT_THAT(commands(examine(facts).cause()->finding), HasSubstr("systemctl start docker"));
  facts.engine_installed = false;
  EXPECT_THAT(commands(examine(facts).cause()->finding), HasSubstr("apt install docker.io"));
}

TEST(Checks, ExplainTheFolderThatDockerMadeInThePlaceOfASocket) {
  auto facts = refused();
  facts.socket->kind = SocketFile::Kind::folder;
  auto report = examine(std::move(facts));
  EXPECT_THAT(report.cause()->finding.summary, HasSubstr("a folder"));
  EXPECT_THAT(commands(report.cause()->finding), HasSubstr("rmdir /var/run/docker.sock"));
}

TEST(Checks, BlameTheEngineWhenTheSocketIsInOrder) {
  auto facts = healthy();
  facts.engine.error =
      Error{ErrorKind::unavailable, "engine_not_running", "cannot connect: nobody listens", {}};
  auto report = examine(std::move(facts));
  EXPECT_EQ(cause_of(report), "engine");
  EXPECT_THAT(commands(report.cause()->finding), HasSubstr("systemctl start docker"));
}

TEST(Checks, CallASocketThatIsOpenToAllAFailureAlthoughItWorks) {
  auto facts = healthy();
  facts.socket->mode = 0666;
  auto report = examine(std::move(facts));
  EXPECT_EQ(cause_of(report), "socket_mode");
  EXPECT_THAT(commands(report.cause()->finding), HasSubstr("chmod 660"));
  EXPECT_THAT(text_of(report, Colour::none), HasSubstr("but not safely"));
}

TEST(Checks, NeverAdviseToOpenTheSocketToEverybody) {
  auto facts = refused();
  facts.subject.account_groups = {ann};
  facts.subject.process_groups = std::vector<Id>{ann};
  EXPECT_THAT(text_of(examine(std::move(facts)), Colour::none), Not(HasSubstr("666")));
}

TEST(Checks, SayThatReadOnlyMountsOfSocketsProtectNothing) {
  auto facts = healthy();
  facts.in_container = true;
  facts.socket->mounted = true;
  facts.socket->read_only_mount = true;
  EXPECT_THAT(examine(std::move(facts)).finding("socket").summary, HasSubstr("protects nothing"));
}

TEST(Checks, OfferAFragmentForBothComposesWhereOneIsMissing) {
  auto facts = healthy();
  facts.compose_v2 = {};
  facts.compose_v1 = {"/usr/bin/docker-compose", "1.29.2"};
  auto only_old = examine(facts).finding("compose");
  EXPECT_THAT(commands(only_old), HasSubstr("docker compose version"));
  facts.compose_v1 = {};
  EXPECT_EQ(examine(facts).finding("compose").state, State::note);
}

TEST(Checks, FindAnEngineThatListensToTheNetwork) {
  auto facts = healthy();
  facts.exposed = {"0.0.0.0:2375"};
  auto report = examine(std::move(facts));
  EXPECT_EQ(cause_of(report), "exposed");
  EXPECT_THAT(report.cause()->finding.summary, HasSubstr("0.0.0.0:2375"));
}

TEST(Checks, DoNotTakeThePortWithCertificatesForAnOpenOne) {
  auto facts = healthy();
  facts.exposed = {"0.0.0.0:2376"};
  auto report = examine(std::move(facts));
  EXPECT_EQ(cause_of(report), "nothing");
  EXPECT_EQ(report.finding("exposed").state, State::note);
}

TEST(Checks, FindAnEndpointInClearText) {
  auto facts = healthy();
  facts.socket.reset();
  facts.endpoint.text = "tcp://db1.example.org:2375";
  EXPECT_EQ(cause_of(examine(facts)), "exposed");
  facts.endpoint.text = "tcp://127.0.0.1:2375";
  EXPECT_EQ(cause_of(examine(facts)), "exposed");
}

TEST(Checks, SayThatDistributionsMayHavePortedFixesBack) {
  auto facts = healthy();
  facts.engine.components = {{"Engine", "20.10.24+dfsg1"}};
  EXPECT_EQ(examine(facts).finding("versions").state, State::note);
  facts.engine.components = {{"Engine", "20.10.24"}};
  EXPECT_EQ(examine(facts).finding("versions").state, State::warning);
}

TEST(Checks, GiveARemedyWithWhateverTheyFind) {
  auto facts = refused();
  facts.subject.account_groups = {ann};
  facts.socket->mode = 0606;
  facts.exposed = {"0.0.0.0:2375"};
  facts.disk = DiskFacts{"/var/lib/docker", 100, 1, 100, 50};
  auto report = examine(std::move(facts));
  for (const auto& one : report.results) {
    if (one.finding.state < State::warning) continue;
    EXPECT_FALSE(one.finding.remedy.empty()) << one.check->id;
  }
}

TEST(Report, TellsProgramsTheCauseAndEveryCheck) {
  auto facts = refused();
  facts.subject.account_groups = {ann};
  facts.subject.process_groups = std::vector<Id>{ann};
  auto json = json_of(examine(std::move(facts)));
  EXPECT_EQ(json.at("version"), report_version);
  EXPECT_EQ(json.at("cause"), "membership");
  EXPECT_EQ(json.at("checks").as_array().size(), all_checks().size());
}

TEST(Report, KeepsControlCharactersOfNamesOffTheTerminal) {
  auto facts = healthy();
  facts.socket->owner = "\x1b[31mroot";
  EXPECT_THAT(text_of(examine(std::move(facts)), Colour::none), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace gantry::doctor
