#include "doctor/fix.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace gantry::doctor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Id ann = 1000;
constexpr Id docker = 998;

class DoctorPlan : public testing::Test {
 protected:
  DoctorPlan() {
    facts_.subject = {.what = "user 'ann'", .user = "ann", .uid = ann, .account_groups = {ann}};
    facts_.socket = SocketFile{.path = "/run/docker.sock",
                               .kind = SocketFile::Kind::socket,
                               .gid = docker,
                               .mode = 0660,
                               .group = "docker"};
    facts_.docker_group = Group{"docker", docker, {}};
  }
  std::vector<std::string> planned() {
    std::vector<std::string> commands;
    for (const auto& change : value_or_throw(plan(facts_, wish_))) {
      commands.push_back(change.command());
    }
    return commands;
  }

  Facts facts_;
  FixWish wish_;
};

TEST_F(DoctorPlan, AddsTheUserToTheSocketsGroup) {
  EXPECT_THAT(planned(), ElementsAre("usermod -aG docker ann"));
}

TEST_F(DoctorPlan, PutsNoAccountIntoAGroupThatIsMadeAtEachStart) {
  facts_.subject.dynamic = true;
  EXPECT_THAT(planned(), IsEmpty());
}

TEST_F(DoctorPlan, IsEmptyWhereNothingIsAmiss) {
  facts_.subject.account_groups = {ann, docker};
  EXPECT_THAT(planned(), IsEmpty());
}

TEST_F(DoctorPlan, OnlyRestartsAServiceWhoseAccountIsInTheGroup) {
  facts_.subject.account_groups = {ann, docker};
  facts_.subject.process_groups = std::vector<Id>{ann};
  facts_.subject.service = "agent";
  // Nobody has named it: a process was.
  EXPECT_THAT(planned(), IsEmpty());
  wish_.service = "agent";
  EXPECT_THAT(planned(), ElementsAre("systemctl restart -- agent"));
}

TEST_F(DoctorPlan, NamesAGroupThatHasNoName) {
  facts_.socket->group.clear();
  facts_.docker_group.reset();
  EXPECT_THAT(planned(), ElementsAre("groupadd --gid 998 docker", "usermod -aG docker ann"));
}

TEST_F(DoctorPlan, LeavesAFileAloneThatSaysSoAlready) {
  auto file = std::filesystem::temp_directory_path() /
              ("gantry-plan-" + std::to_string(::getpid()) + ".env");
  std::ofstream{file} << "DOCKER_GID=998\n";
  wish_.env_file = file;
  auto the_same = planned();
  wish_.gid = 121;
  auto another = planned();
  std::filesystem::remove(file);
  EXPECT_THAT(the_same, ElementsAre("usermod -aG docker ann"));
  EXPECT_THAT(another, ElementsAre("DOCKER_GID=121 in " + file.string(), "usermod -aG docker ann"));
}

TEST_F(DoctorPlan, TakesNoNumberFromTheSocketOfAnEngineWithoutRoot) {
  facts_.socket->uid = ann;
  wish_.env_file = "no-such-folder/.env";
  EXPECT_THAT(planned(), IsEmpty());
}

TEST_F(DoctorPlan, PutsNoNumberWithoutAccountIntoAGroup) {
  facts_.subject.user = std::to_string(ann);
  EXPECT_THAT(planned(), IsEmpty());
}

TEST_F(DoctorPlan, TakesTheSocketFromNoGroupThatMayBeMeant) {
  facts_.socket->gid = 121;
  facts_.socket->group.clear();
  EXPECT_THAT(planned(), IsEmpty());
  facts_.socket->gid = root;
  facts_.socket->group = "root";
  EXPECT_THAT(planned(), IsEmpty());
}

TEST_F(DoctorPlan, MakesNobodyRootWhoHasAnEngineWithoutRoot) {
  facts_.other_sockets = {
      {.path = "/run/user/1000/docker.sock", .kind = SocketFile::Kind::socket, .uid = ann}};
  EXPECT_THAT(planned(), IsEmpty());
}

TEST_F(DoctorPlan, GivesNoGroupWhereAFolderIsInTheWay) {
  facts_.socket->shut_by = "/run/private";
  EXPECT_THAT(planned(), IsEmpty());
}

TEST_F(DoctorPlan, NeverWidensTheSocketsMode) {
  facts_.socket->mode = 0600;
  EXPECT_THAT(planned(), IsEmpty());
}

TEST_F(DoctorPlan, WritesTheFileFirstBecauseThatTakesNoRoot) {
  wish_.env_file = ".env";
  EXPECT_THAT(planned(), ElementsAre("DOCKER_GID=998 in .env", "usermod -aG docker ann"));
  wish_.gid = 121;
  EXPECT_THAT(planned(), ElementsAre("DOCKER_GID=121 in .env", "usermod -aG docker ann"));
}

TEST_F(DoctorPlan, InAContainerOnlyWritesTheFile) {
  facts_.in_container = true;
  facts_.socket->mounted = true;
  wish_.env_file = ".env";
  EXPECT_THAT(planned(), ElementsAre("DOCKER_GID=998 in .env"));
}

TEST_F(DoctorPlan, IsRefusedWhereNoIdIsKnown) {
  facts_.socket.reset();
  facts_.docker_group.reset();
  EXPECT_EQ(plan(facts_, wish_).error().code, "no_socket");
}

TEST(Fragments, MountTheSocketThatIsInForce) {
  auto text = fragments(998, "/run/user/1000/docker.sock");
  EXPECT_THAT(text, testing::HasSubstr("\"/run/user/1000/docker.sock:/var/run/docker.sock\""));
  EXPECT_THAT(text, testing::HasSubstr("${DOCKER_GID:-998}"));
}

}  // namespace
}  // namespace gantry::doctor
