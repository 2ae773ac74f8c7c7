// The way to the socket: which engine is meant, what is there, and who may connect.
#include "doctor/checks.hpp"
#include "doctor/container.hpp"
#include "doctor/services.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::doctor {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr Id ann = 1000;
constexpr Id docker = 998;
constexpr const char* place = "/var/run/docker.sock";

/// A machine with an engine, on which ann's shell has no right to the socket.
class WayToTheSocket : public testing::Test {
 protected:
  WayToTheSocket() {
    facts_.subject = {.what = "this process",
                      .user = "ann",
                      .uid = ann,
                      .account_groups = {ann},
                      .process_groups = std::vector<Id>{ann},
                      .pid = 812};
    facts_.endpoint = {.source = "the default", .text = "unix:///var/run/docker.sock"};
    facts_.socket = SocketFile{.path = place,
                               .kind = SocketFile::Kind::socket,
                               .gid = docker,
                               .mode = 0660,
                               .owner = "root",
                               .group = "docker"};
    facts_.docker_group = Group{"docker", docker, {}};
    facts_.engine_installed = true;
    facts_.engine.error = Error{ErrorKind::unavailable, "engine_permission_denied", "refused", {}};
  }

  Examined cause() const {
    auto report = examine(facts_);
    const auto* found = report.cause();
    CHECK(found != nullptr);
    return *found;
  }
  std::string id() const { return std::string{cause().check->id}; }
  std::string summary() const { return cause().finding.summary; }
  Finding finding(std::string_view id) const { return examine(facts_).finding(id); }
  static std::vector<std::string> commands_of(const Finding& finding) {
    std::vector<std::string> out;
    for (const auto& step : finding.remedy) {
      if (!step.command.empty()) out.push_back(step.command);
    }
    return out;
  }
  std::vector<std::string> commands() const { return commands_of(cause().finding); }
  void set_missing(std::string path) { facts_.socket = SocketFile{.path = std::move(path)}; }

  Facts facts_;
};

TEST_F(WayToTheSocket, StartsTheEngineByWhatTheMachineHas) {
  set_missing(place);
  EXPECT_THAT(commands(), ElementsAre("sudo systemctl start docker", "sudo systemctl enable docker",
                                      "sudo journalctl -u docker -n 50"));
  facts_.starter = Starter::scripts;
  EXPECT_THAT(commands(),
              ElementsAre("sudo service docker start", "sudo tail -n 50 /var/log/docker.log"));
  facts_.starter = Starter::snap;
  EXPECT_THAT(commands(), Contains("sudo snap start docker"));
}

TEST_F(WayToTheSocket, StartsAUsersOwnEngineAsTheUser) {
  set_missing("/run/user/1000/docker.sock");
  EXPECT_THAT(commands(), Contains("systemctl --user start docker"));
}

TEST_F(WayToTheSocket, StartsAnotherUsersEngineAsThatUser) {
  set_missing("/run/user/1001/docker.sock");
  constexpr const char* start =
      "sudo -u '#1001' env XDG_RUNTIME_DIR=/run/user/1001 systemctl --user start docker";
  EXPECT_THAT(commands(), Contains(start));
  // Who reads of a server's own is somewhere else.
  facts_.subject.uid = 1001;
  EXPECT_THAT(commands(), Contains("systemctl --user start docker"));
  facts_.subject.kind = Subject::Kind::server;
  EXPECT_THAT(commands(), Contains(start));
  facts_.subject.kind = Subject::Kind::other;
  facts_.sight = Sight::far;
  EXPECT_THAT(commands(), Contains("systemctl --user start docker"));
  set_missing("/run/user/docker.sock");
  EXPECT_THAT(commands(), Contains("sudo systemctl start docker"));
}

TEST_F(WayToTheSocket, TakesAVariableAwayThatLeadsToNothing) {
  facts_.endpoint = {
      .source = "DOCKER_HOST", .text = "unix:///run/gone.sock", .variable = "DOCKER_HOST"};
  facts_.other_sockets = {*facts_.socket};
  set_missing("/run/gone.sock");
  EXPECT_THAT(commands(), ElementsAre("unset DOCKER_HOST"));
  // Without the variable that context would hold.
  facts_.endpoint.context = "nas";
  EXPECT_THAT(commands(), ElementsAre("export DOCKER_HOST=unix:///var/run/docker.sock"));
}

TEST_F(WayToTheSocket, LeavesAContextThatLeadsToNothing) {
  facts_.endpoint = {.source = "context 'nas'", .text = "unix:///run/gone.sock", .context = "nas"};
  facts_.other_sockets = {*facts_.socket};
  set_missing("/run/gone.sock");
  EXPECT_THAT(commands(), ElementsAre("docker --context default context use default"));
}

TEST_F(WayToTheSocket, MakesAContextForAnotherSocketAndChangesNone) {
  set_missing(place);
  facts_.other_sockets = {{.path = "/run/user/1000/docker.sock", .kind = SocketFile::Kind::socket}};
  auto commands_with_start = commands();
  EXPECT_EQ(commands_with_start[0], "export DOCKER_HOST=unix:///run/user/1000/docker.sock");
  EXPECT_EQ(commands_with_start[1],
            "docker context create rootless --docker host=unix:///run/user/1000/docker.sock && "
            "docker context use rootless");
  EXPECT_EQ(commands_with_start[2], "sudo systemctl start docker");
  facts_.endpoint.contexts = {"rootless"};
  EXPECT_THAT(commands()[1], StartsWith("docker context create rootless-2 "));
}

TEST_F(WayToTheSocket, NamesAWrongChoiceAndTakesItAway) {
  facts_.endpoint.variable = "DOCKER_CONTEXT";
  facts_.endpoint.wrong = Error{ErrorKind::invalid, "bad", "there is no context 'x'", {}};
  EXPECT_EQ(id(), "endpoint");
  EXPECT_THAT(commands(), ElementsAre("unset DOCKER_CONTEXT"));
}

TEST_F(WayToTheSocket, TellsOfASecondEngineAndWhichIsInForce) {
  facts_.other_sockets = {{.path = "/var/run/docker-alt.sock", .kind = SocketFile::Kind::socket}};
  auto found = finding("endpoint");
  EXPECT_EQ(found.state, State::note);
  EXPECT_THAT(found.summary, HasSubstr("by the default; there is another engine's socket at "
                                       "'/var/run/docker-alt.sock'"));
  EXPECT_EQ(commands_of(found).front(), "export DOCKER_HOST=unix:///var/run/docker-alt.sock");
}

TEST_F(WayToTheSocket, ClearsTheUsualPlaceAlone) {
  facts_.socket->kind = SocketFile::Kind::folder;
  EXPECT_THAT(commands(), ElementsAre("sudo systemctl stop docker.socket docker; sudo rmdir "
                                      "/var/run/docker.sock && sudo systemctl start docker"));
  facts_.socket->kind = SocketFile::Kind::file;
  EXPECT_THAT(commands()[0], HasSubstr("sudo mv /var/run/docker.sock /var/run/docker.sock.old"));
  // What a mistyped variable names may be anything, and stays.
  facts_.socket->path = "/etc/passwd";
  facts_.endpoint = {
      .source = "DOCKER_HOST", .text = "unix:///etc/passwd", .variable = "DOCKER_HOST"};
  EXPECT_THAT(commands(), ElementsAre("unset DOCKER_HOST"));
}

TEST_F(WayToTheSocket, SendsWhoIsInAContainerToTheMachineForAFolder) {
  facts_.in_container = true;
  facts_.socket->mounted = true;
  facts_.socket->kind = SocketFile::Kind::folder;
  EXPECT_THAT(commands(), ElementsAre("gantry doctor"));
}

TEST_F(WayToTheSocket, GivesAMachinesRemediesWhereTheEngineIsInTheSameContainer) {
  facts_.in_container = true;
  EXPECT_THAT(commands(), ElementsAre("sudo usermod -aG docker ann"));
  facts_.socket->mounted = true;
  EXPECT_THAT(commands(), Contains("docker run --group-add 998 …"));
}

TEST_F(WayToTheSocket, NamesTheGroupBeforeItAddsTheUser) {
  facts_.socket->group.clear();
  facts_.docker_group.reset();
  EXPECT_EQ(finding("socket_group").state, State::warning);
  EXPECT_THAT(commands(),
              ElementsAre("sudo groupadd -f --gid 998 docker", "sudo usermod -aG docker ann"));
}

TEST_F(WayToTheSocket, MakesTheSocketAnewForAGroupThatIsThere) {
  facts_.socket->group.clear();
  facts_.docker_group->gid = 121;
  facts_.subject.account_groups.push_back(121);
  EXPECT_THAT(commands(), ElementsAre("sudo systemctl restart docker.socket docker"));
}

TEST_F(WayToTheSocket, NeverAddsAnybodyToTheGroupOfRoot) {
  facts_.socket->gid = root;
  facts_.socket->group = "root";
  facts_.docker_group.reset();
  EXPECT_THAT(commands(),
              ElementsAre("sudo groupadd docker && sudo systemctl restart docker.socket docker",
                          "sudo usermod -aG docker ann"));
}

TEST_F(WayToTheSocket, KnowsThatANumberCanNotBePutIntoAGroup) {
  facts_.subject.user = "1000";
  EXPECT_THAT(summary(), HasSubstr("has no account"));
  EXPECT_THAT(commands()[0], HasSubstr("setpriv --reuid 1000"));
}

TEST_F(WayToTheSocket, KnowsThatAUsersOwnEngineNeedsNoGroup) {
  facts_.socket->path = "/run/user/1000/docker.sock";
  facts_.socket->uid = ann;
  facts_.socket->gid = 166530;
  facts_.socket->group.clear();
  EXPECT_EQ(finding("socket_group").state, State::ok);
  EXPECT_EQ(finding("membership").summary, "user 'ann' owns the socket");
  EXPECT_EQ(finding("access").state, State::ok);
}

TEST_F(WayToTheSocket, PrefersTheUsersOwnEngineToTheGroup) {
  facts_.other_sockets = {
      {.path = "/run/user/1000/docker.sock", .kind = SocketFile::Kind::socket, .uid = ann}};
  EXPECT_THAT(commands(), ElementsAre("export DOCKER_HOST=unix:///run/user/1000/docker.sock",
                                      "sudo usermod -aG docker ann"));
}

TEST_F(WayToTheSocket, StartsAUsersOwnEngineBeforeItOffersAnother) {
  facts_.endpoint = {.source = "DOCKER_HOST",
                     .text = "unix:///run/user/1000/docker.sock",
                     .variable = "DOCKER_HOST"};
  facts_.other_sockets = {*facts_.socket};
  set_missing("/run/user/1000/docker.sock");
  EXPECT_EQ(commands().front(), "systemctl --user start docker");
  EXPECT_EQ(commands().back(), "unset DOCKER_HOST");
}

TEST_F(WayToTheSocket, NamesTheSocketThatLetsTheSubjectIn) {
  set_missing(place);
  facts_.other_sockets = {{.path = "/var/run/docker-alt.sock", .kind = SocketFile::Kind::socket},
                          {.path = "/run/user/1000/docker.sock",
                           .kind = SocketFile::Kind::socket,
                           .uid = ann,
                           .mode = 0600}};
  EXPECT_THAT(summary(), HasSubstr("an engine's socket at '/run/user/1000/docker.sock'"));
}

TEST_F(WayToTheSocket, ForgivesStaleGroupsToWhomAListLetsIn) {
  facts_.subject.account_groups.push_back(docker);
  EXPECT_EQ(id(), "process_groups");
  facts_.socket->acl = {{.who = AclEntry::Who::user, .id = ann, .write = true}};
  EXPECT_EQ(finding("process_groups").state, State::note);
}

TEST_F(WayToTheSocket, LetsNoNameRunAnythingOfItsOwn) {
  facts_.socket->group = "x'; reboot; '";
  EXPECT_THAT(commands(), ElementsAre(R"(sudo usermod -aG 'x'\''; reboot; '\''' ann)"));
  set_missing(place);
  facts_.other_sockets = {
      {.path = "/var/run/docker$(reboot).sock", .kind = SocketFile::Kind::socket}};
  EXPECT_EQ(commands()[0], "export DOCKER_HOST=unix://'/var/run/docker$(reboot).sock'");
}

TEST_F(WayToTheSocket, AsksForTheProcessToBeRestartedThatIsLookedAt) {
  facts_.subject.account_groups.push_back(docker);
  facts_.subject.what = "process 812";
  facts_.subject.kind = Subject::Kind::other;
  EXPECT_THAT(cause().finding.remedy.front().what, HasSubstr("end process 812"));
}

TEST_F(WayToTheSocket, AsksForTheServerToBeRestartedThatTellsIt) {
  facts_.subject.kind = Subject::Kind::server;
  facts_.subject.what = "the server";
  auto last = [&] { return cause().finding.remedy.back().what; };
  EXPECT_THAT(last(), StartsWith("restart the server (process 812)"));
  EXPECT_EQ(id(), "membership");
  facts_.subject.account_groups.push_back(docker);
  EXPECT_THAT(last(), StartsWith("restart the server (process 812)"));
  EXPECT_EQ(id(), "process_groups");
  EXPECT_THAT(commands(), testing::IsEmpty());
}

TEST_F(WayToTheSocket, BlamesTheModeWhereItsOwnerMayNot) {
  facts_.socket->uid = ann;
  facts_.socket->mode = 0060;
  EXPECT_EQ(id(), "access");
  EXPECT_THAT(summary(), HasSubstr("its owner 'ann' may not write to it: mode s---rw----"));
}

TEST_F(WayToTheSocket, BlamesTheModeWhereTheGroupIsThere) {
  facts_.subject.account_groups.push_back(docker);
  facts_.subject.process_groups->push_back(docker);
  facts_.socket->mode = 0600;
  EXPECT_EQ(id(), "access");
  EXPECT_THAT(summary(), HasSubstr("mode srw-------"));
  EXPECT_THAT(commands(), ElementsAre("sudo systemctl restart docker.socket docker"));
}

constexpr std::string_view machine_mounts = "22 1 0:20 / / rw - ext4 /dev/vda rw\n";
constexpr std::string_view container_mounts =
    "22 1 0:20 / / rw - overlay overlay rw\n"
    "30 22 0:26 /a/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw\n"
    "31 22 0:26 /a/hosts /etc/hosts rw - ext4 /dev/vda rw\n";

TEST(Container, IsToldByTheMountsOfEngines) {
  EXPECT_TRUE(is_container({std::string{container_mounts}, true}));
  // Kubernetes leaves no mark.
  EXPECT_TRUE(is_container({std::string{container_mounts}, false}));
}

TEST(Container, IsNotAMachineThatWasBootedFromAnImage) {
  EXPECT_FALSE(is_container({std::string{machine_mounts}, true}));
}

TEST_F(WayToTheSocket, NamesTheGroupInTheUnitOfAServiceWhoseAccountIsMadeAtItsStart) {
  facts_.subject = {.what = "service 'ci' (not running)",
                    .user = "ci",
                    .uid = no_id,
                    .service = "ci",
                    .dynamic = true,
                    .kind = Subject::Kind::other};
  EXPECT_EQ(id(), "membership");
  EXPECT_EQ(summary(),
            "service 'ci' (not running) gets its account at each start (DynamicUser=yes), and not "
            "in group 'docker' (998)");
  EXPECT_THAT(commands(),
              ElementsAre("sudo mkdir -p /etc/systemd/system/ci.service.d && printf "
                          "'[Service]\\nSupplementaryGroups=%s\\n' docker | sudo tee "
                          "/etc/systemd/system/ci.service.d/docker.conf && sudo systemctl "
                          "daemon-reload",
                          "sudo systemctl restart ci"));
  // Once its unit names the group.
  facts_.subject.account_groups = {docker};
  EXPECT_EQ(finding("access").state, State::ok);
}

TEST_F(WayToTheSocket, LetsNoAccountThroughAFolderThatIsGoneWithItsService) {
  facts_.socket->shut_by = "/srv/engine";
  facts_.socket->bar = SocketFile::Bar::mode;
  EXPECT_THAT(commands(),
              ElementsAre("namei -l /var/run/docker.sock", "sudo setfacl -m u:ann:x /srv/engine"));
  facts_.subject.dynamic = true;
  EXPECT_THAT(commands(), ElementsAre("namei -l /var/run/docker.sock"));
}

TEST_F(WayToTheSocket, ChangesNoListOfAFolderAndOpensItToItsOwner) {
  facts_.socket->shut_by = "/srv/engine";
  constexpr const char* look = "namei -l /var/run/docker.sock";
  EXPECT_THAT(commands(), ElementsAre(look)) << "nobody knows how it is closed";
  facts_.socket->bar = SocketFile::Bar::list;
  EXPECT_THAT(commands(), ElementsAre(look, "getfacl /srv/engine"));
  facts_.socket->bar = SocketFile::Bar::owner;
  EXPECT_THAT(commands(), ElementsAre(look, "sudo chmod u+x /srv/engine"));
}

TEST(Container, NeedsBothMountsWithoutAMark) {
  // Some machines mount one of them by themselves.
  constexpr std::string_view names =
      "30 22 0:26 /a/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw\n";
  EXPECT_FALSE(is_container({std::string{machine_mounts} + std::string{names}, false}));
  EXPECT_TRUE(is_container({std::string{machine_mounts} + std::string{names}, true}));
}

TEST(Starter, IsSystemdOnlyWhereItRuns) {
  EXPECT_EQ(starter_by({.systemd = true, .script = true}), Starter::systemd);
  EXPECT_EQ(starter_by({.script = true}), Starter::scripts);
  EXPECT_EQ(starter_by({}), Starter::nobody);
  EXPECT_EQ(starter_by({.snap = true, .systemd = true}), Starter::snap);
  // Beside a package's daemon it is the engine that tells which one it is.
  EXPECT_EQ(starter_by({.snap = true, .package = true, .systemd = true}), Starter::systemd);
  Facts facts;
  EXPECT_EQ(starter_of(facts), Starter::systemd);
  facts.engine.data_root = "/var/snap/docker/common/var-lib-docker";
  EXPECT_EQ(starter_of(facts), Starter::snap);
}

}  // namespace
}  // namespace gantry::doctor
