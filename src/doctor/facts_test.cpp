#include "doctor/facts.hpp"

#include <gtest/gtest.h>

namespace gantry::doctor {
namespace {

using Who = AclEntry::Who;

constexpr Id ann = 1000;
constexpr Id docker = 998;

SocketFile usual_socket() {
  return {.path = "/var/run/docker.sock",
          .kind = SocketFile::Kind::socket,
          .uid = 0,
          .gid = docker,
          .mode = 0660,
          .owner = "root",
          .group = "docker"};
}

TEST(MayConnect, LetsRootInAlways) {
  auto socket = usual_socket();
  socket.mode = 0;
  EXPECT_TRUE(may_connect(socket, 0, {0}));
}

TEST(MayConnect, LetsInWhoHasTheGroup) {
  EXPECT_TRUE(may_connect(usual_socket(), ann, {ann, docker}));
  EXPECT_FALSE(may_connect(usual_socket(), ann, {ann, 999}));
}

TEST(MayConnect, JudgesTheOwnerByTheOwnersBitsAlone) {
  auto socket = usual_socket();
  socket.uid = ann;
  socket.mode = 0060;
  EXPECT_FALSE(may_connect(socket, ann, {ann, docker}));
}

TEST(MayConnect, LetsEverybodyIntoAnOpenSocket) {
  auto socket = usual_socket();
  socket.mode = 0666;
  EXPECT_TRUE(may_connect(socket, ann, {ann}));
}

TEST(MayConnect, JudgesWhoIsInTheGroupByTheGroupsBitsAlone) {
  auto socket = usual_socket();
  socket.mode = 0606;
  EXPECT_FALSE(may_connect(socket, ann, {ann, docker}));
}

SocketFile with_acl(std::vector<AclEntry> entries) {
  auto socket = usual_socket();
  socket.acl = {{.who = Who::owner, .write = true}, {.who = Who::owning_group, .write = true}};
  socket.acl.insert(socket.acl.end(), entries.begin(), entries.end());
  return socket;
}

TEST(MayConnect, LetsInWhomAnAccessControlListNames) {
  auto socket = with_acl({{.who = Who::user, .id = ann, .write = true},
                          {.who = Who::mask, .write = true},
                          {.who = Who::others}});
  EXPECT_TRUE(may_connect(socket, ann, {ann}));
  EXPECT_FALSE(may_connect(socket, ann + 1, {ann + 1}));
}

TEST(MayConnect, BoundsNamedUsersByTheMask) {
  auto socket = with_acl({{.who = Who::user, .id = ann, .write = true},
                          {.who = Who::mask, .write = false},
                          {.who = Who::others}});
  EXPECT_FALSE(may_connect(socket, ann, {ann}));
}

TEST(MayConnect, DoesNotFallBackToOthersForWhoIsInAGroup) {
  auto socket = with_acl({{.who = Who::group, .id = 50, .write = false},
                          {.who = Who::mask, .write = true},
                          {.who = Who::others, .write = true}});
  EXPECT_FALSE(may_connect(socket, ann, {ann, 50}));
  EXPECT_TRUE(may_connect(socket, ann, {ann}));
}

TEST(MayConnect, TakesTheRightToEnterEachFolderOnTheWay) {
  auto socket = usual_socket();
  socket.shut_by = "/run/private";
  EXPECT_FALSE(may_connect(socket, ann, {ann, docker}));
  EXPECT_TRUE(may_connect(socket, root, {root}));
}

TEST(Grants, JudgesEachRightByItself) {
  Rights folder{.uid = root, .gid = docker, .mode = 0710};
  EXPECT_TRUE(grants(folder, Right::enter, ann, {docker}));
  EXPECT_FALSE(grants(folder, Right::write, ann, {docker}));
  EXPECT_FALSE(grants(folder, Right::enter, ann, {ann}));
  std::vector<AclEntry> list{{.who = Who::user, .id = ann, .enter = true},
                             {.who = Who::owning_group},
                             {.who = Who::mask, .write = true, .enter = true},
                             {.who = Who::others}};
  folder.acl = list;
  EXPECT_TRUE(grants(folder, Right::enter, ann, {ann}));
  EXPECT_FALSE(grants(folder, Right::write, ann, {ann}));
  EXPECT_FALSE(grants(folder, Right::enter, ann + 1, {docker}));
  list[2].enter = false;
  EXPECT_FALSE(grants(folder, Right::enter, ann, {ann}));
}

TEST(OpensByGroup, IsSaidByTheListWhereThereIsOne) {
  EXPECT_TRUE(opens_by_group(usual_socket()));
  // The mode of a file with a list has the list's mask in the place of the group.
  auto socket = usual_socket();
  socket.acl = {{.who = Who::user, .id = ann, .write = true},
                {.who = Who::owning_group},
                {.who = Who::mask, .write = true},
                {.who = Who::others}};
  EXPECT_FALSE(opens_by_group(socket));
  socket.acl[1].write = true;
  EXPECT_TRUE(opens_by_group(socket));
  socket.acl[2].write = false;
  EXPECT_FALSE(opens_by_group(socket));
  socket.acl.clear();
  socket.gid = root;
  EXPECT_FALSE(opens_by_group(socket));
}

TEST(EngineFacts, KnowsSecurityOptionsInBothSpellings) {
  EngineFacts engine;
  engine.security_options = {"name=seccomp,profile=default", "rootless"};
  EXPECT_TRUE(engine.has_security("seccomp"));
  EXPECT_TRUE(engine.has_security("rootless"));
  EXPECT_FALSE(engine.has_security("userns"));
}

}  // namespace
}  // namespace gantry::doctor
