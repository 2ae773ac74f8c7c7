#include "doctor/far_facts.hpp"

#include "doctor/checks.hpp"
#include "doctor/far_script.hpp"
#include "doctor/healthy_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::doctor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view account =
    "machine: edge-3\nuid: 1000\nuser: deploy\nprocess_groups: 1000 27\n"
    "account_groups: 1000 27\ndocker_group: docker:x:998:ann,bob\n";
constexpr std::string_view socket =
    "socket_path: /var/run/docker.sock\n"
    "socket: srw-rw---- 1 0 998 0 Nov 22 16:39 /var/run/docker.sock\n"
    "socket_real: /run/docker.sock\nsocket_owner: root\nsocket_group: docker:x:998:ann,bob\n"
    "socket_writable: no\n";
constexpr std::string_view rest = "network: yes\nengine: /usr/bin/dockerd\nsystemd: yes\n";

std::string told(std::string_view more = {}) {
  return fmt::format("{}{}{}{}", account, socket, rest, more);
}

Facts read(std::string_view said) { return value_or_throw(read_far_facts(said)); }

/// Why it is refused; empty: it is not.
std::string refusal(std::string_view said) {
  auto facts = read_far_facts(said);
  if (facts) return {};
  EXPECT_EQ(facts.error().code, "far_facts_unreadable");
  EXPECT_FALSE(facts.error().remedy.empty());
  return facts.error().message;
}

TEST(FarFacts, AreThoseOfTheMachine) {
  auto facts = read(told());
  EXPECT_EQ(facts.sight, Sight::far);
  EXPECT_EQ(facts.machine, "edge-3");
  EXPECT_EQ(facts.subject.user, "deploy");
  EXPECT_EQ(facts.subject.uid, 1000U);
  EXPECT_THAT(facts.subject.account_groups, ElementsAre(1000, 27));
  EXPECT_FALSE(facts.subject.pid);
  ASSERT_NE(facts.usable_socket(), nullptr);
  EXPECT_EQ(facts.socket->gid, 998U);
  EXPECT_EQ(facts.socket->mode, 0660U);
  EXPECT_EQ(facts.socket->group, "docker");
  EXPECT_EQ(facts.socket->leads_to, "/run/docker.sock");
  EXPECT_FALSE(facts.socket->tried);
  EXPECT_THAT(facts.docker_group->members, ElementsAre("ann", "bob"));
  EXPECT_TRUE(facts.engine_installed);
  EXPECT_EQ(facts.starter, Starter::systemd);
  EXPECT_THAT(facts.late, IsEmpty());
}

TEST(FarFacts, ThatWereNotToldAreNotKnown) {
  auto facts = read(told());
  EXPECT_FALSE(facts.clock_synchronised);
  EXPECT_FALSE(facts.logs_bounded);
  EXPECT_FALSE(facts.disk);
  EXPECT_EQ(read(told("clock: no\n")).clock_synchronised, false);
  EXPECT_FALSE(read(told("clock: perhaps\n")).clock_synchronised);
  auto blind = read(fmt::format("{}{}", account, socket));
  EXPECT_TRUE(blind.is_late(Part::machine)) << "ports were not looked at";
}

TEST(FarFacts, TellTheToolsAndTheEnginesOwn) {
  auto facts =
      read(told("docker: /usr/bin/docker\n"
                "docker_version: Docker version 20.10.24+dfsg1, build 297e128\n"
                "compose_v2_version: Docker Compose version v2.29.1\n"
                "settings: {\"log-opts\": {\"max-size\": \"10m\"}}\n"
                "disk: /dev/sda 1 1000 400 600 40% /\n"
                "inodes: /dev/sda 1 500 400 100 80% /\n"
                "tcp:    0: 00000000:0947 00000000:0000 0A 00000000:00000000\n"
                "tcp:    1: 0100007F:0948 00000000:0000 0A 00000000:00000000\n"));
  EXPECT_EQ(facts.docker.version, "20.10.24+dfsg1");
  EXPECT_EQ(facts.compose_v2.version, "2.29.1");
  EXPECT_TRUE(facts.buildx.path.empty());
  EXPECT_FALSE(facts.compose_v2.silent);
  EXPECT_EQ(facts.logs_bounded, true);
  EXPECT_EQ(facts.disk->bytes_free, 600U * 1024);
  EXPECT_EQ(facts.disk->inodes_free, 100U);
  EXPECT_THAT(facts.exposed, ElementsAre("0.0.0.0:2375"));
}

TEST(FarFacts, TellAToolThatHangsFromOneThatIsNotThere) {
  auto facts = read(told("docker: /usr/bin/docker\nbuildx_version: hangs\n"));
  EXPECT_TRUE(facts.buildx.silent);
  EXPECT_FALSE(facts.docker.silent);
  EXPECT_TRUE(facts.compose_v2.path.empty());
}

TEST(FarFacts, TellAccessLists) {
  auto facts =
      read(told("socket_acl: user::rw-\nsocket_acl: user:1000:rw-   #effective:r--\n"
                "socket_acl: group::rw-\nsocket_acl: mask::r--\nsocket_acl: other::---\n"));
  ASSERT_EQ(facts.socket->acl.size(), 5U);
  EXPECT_FALSE(may_connect(*facts.socket, 1000, {1000}));
  // Three entries are the permission bits once more.
  EXPECT_THAT(read(told("socket_acl: user::rw-\nsocket_acl: group::rw-\n"
                        "socket_acl: other::---\n"))
                  .socket->acl,
              IsEmpty());
}

TEST(FarFacts, BelieveWhoeverMayWriteByAListThatNobodyCouldRead) {
  auto said = told();
  said.replace(said.find("writable: no"), 12, "writable: yes");
  auto facts = read(said);
  EXPECT_EQ(facts.socket->tried, true);
  EXPECT_TRUE(may_connect(*facts.socket, facts.subject.uid, facts.subject.groups()));
}

TEST(FarFacts, TellWhetherEverybodyGetsAsFarAsTheSocket) {
  auto said = told("socket_behind: /srv/private\n");
  said.replace(said.find("srw-rw----"), 10, "srw-rw-rw-");
  EXPECT_THAT(judged("socket_mode", read(said)).summary,
              HasSubstr("not everybody may enter '/srv/private'"));
}

TEST(FarFacts, TellOtherSocketsAndWhatIsInTheWay) {
  auto facts = read(fmt::format(
      "{}{}socket_path: /srv/d.sock\nsocket_hidden: /srv\nusual_path: /var/run/docker.sock\n"
      "own_path: /run/user/1000/docker.sock\n"
      "own: srw-rw----+ 1 1000 1000 0 Nov 22 16:39 /run/user/1000/docker.sock\n",
      account, rest));
  EXPECT_EQ(facts.socket->kind, SocketFile::Kind::hidden);
  EXPECT_EQ(facts.socket->shut_by, "/srv");
  EXPECT_THAT(judged("socket", facts).summary, HasSubstr("'/srv' may not be entered"));
  ASSERT_EQ(facts.other_sockets.size(), 1U);
  EXPECT_EQ(facts.other_sockets.front().path, "/run/user/1000/docker.sock");
  EXPECT_EQ(facts.rootless.socket, "/run/user/1000/docker.sock");
}

TEST(FarFacts, AreRefusedWhereTheyAreNoFacts) {
  EXPECT_THAT(refusal(""), HasSubstr("account or a group is none"));
  EXPECT_THAT(refusal("HTTP/1.1 400 Bad Request\r\n"), HasSubstr("no fact"));
  EXPECT_THAT(refusal(told("Welcome to edge-3!\n")), HasSubstr("no fact"));
  EXPECT_THAT(refusal(told("\n")), HasSubstr("no fact"));
  EXPECT_THAT(refusal(told("passwd: root\n")), HasSubstr("no such fact"));
  EXPECT_THAT(refusal(told("own_passwd: root\n")), HasSubstr("no such fact"));
  EXPECT_THAT(refusal(std::string{account}), HasSubstr("the socket"));
}

TEST(FarFacts, AreRefusedWhereTheyAreToldTwiceOrTooLong) {
  EXPECT_THAT(refusal(told("uid: 0\n")), HasSubstr("more than once"));
  EXPECT_THAT(refusal(told("settings: " + std::string(20'000, 'x') + "\n")), HasSubstr("no fact"));
  std::string many;
  for (int i = 0; i < 49; ++i) many += "mount: x\n";
  EXPECT_THAT(refusal(told(many)), HasSubstr("'mount'"));
  EXPECT_THAT(refusal(std::string(70'000, '\n')), HasSubstr("longer than"));
  std::string groups;
  for (int i = 0; i < 1'100; ++i) groups += fmt::format(" {}", i);
  EXPECT_THAT(refusal(fmt::format("uid: 1\nuser: a\naccount_groups: 1\nprocess_groups:{}\n{}",
                                  groups, socket)),
              HasSubstr("groups"));
}

TEST(FarFacts, AreRefusedWithControlCharacters) {
  const std::string_view odd_ones[] = {"\x1b[2J", "a\rb", "a\tb", {"a\0b", 3}, "\x9b", "\xff"};
  for (auto odd : odd_ones) {
    EXPECT_THAT(refusal(told(fmt::format("apparmor: {}\n", odd))), HasSubstr("control character"));
  }
}

/// `told()` with the value of one fact instead.
std::string with(std::string_view name, std::string_view value) {
  auto said = told();
  auto begin = said.find(fmt::format("\n{}: ", name)) + name.size() + 3;
  return said.replace(begin, said.find('\n', begin) - begin, value);
}

TEST(FarFacts, TakeNamesAsDirectoriesHaveThem) {
  for (const std::string name : {R"(CORP\ann)", "ann$", "domain users", "ann.b-c_d@example.org",
                                 "$(id)", "'", "\u00e4nne"}) {
    EXPECT_EQ(read(with("user", name)).subject.user, name);
    EXPECT_EQ(read(with("socket_group", name + ":x:998:")).socket->group, name);
  }
}

TEST(FarFacts, AreRefusedWhereANameIsNone) {
  for (const std::string& name : {std::string{"-rf"}, std::string{}, std::string(300, 'a')}) {
    EXPECT_THAT(refusal(with("user", name)), HasSubstr("is none")) << name;
    EXPECT_THAT(refusal(with("socket_group", name + ":x:998:")), HasSubstr("is none")) << name;
  }
}

TEST(FarFacts, TellWhoseOwnGroupItIs) {
  auto facts = read(told("socket_primary: ci\nsocket_primary: ann\ndocker_primary: ci\n"));
  EXPECT_THAT(facts.socket_group->primary, ElementsAre("ci", "ann"));
  EXPECT_THAT(facts.docker_group->primary, ElementsAre("ci"));
}

TEST(FarFacts, KnowASnapThatDoesNotRunForAnEngine) {
  auto said = fmt::format("{}{}network: yes\nsnap: yes\nsystemd: yes\n", account, socket);
  auto facts = read(said);
  EXPECT_TRUE(facts.engine_installed);
  EXPECT_EQ(facts.starter, Starter::snap);
  EXPECT_TRUE(facts.engine_installed);
  EXPECT_EQ(read(told("snap: yes\n")).starter, Starter::systemd) << "there is another daemon";
}

TEST(FarFacts, AreRefusedWhereNumbersAndStatesAreNone) {
  for (const std::string id :
       {"-1", "4294967296", "0x3e8", "1000a", "+1", "99999999999999999999"}) {
    EXPECT_THAT(refusal(with("uid", id)), HasSubstr("no id")) << "uid " << id;
    EXPECT_THAT(refusal(with("process_groups", id)), HasSubstr("no id")) << id;
    EXPECT_THAT(refusal(with("docker_group", "docker:x:" + id + ":")), HasSubstr("no id")) << id;
  }
  EXPECT_THAT(refusal(with("docker_group", "docker:x:1")), HasSubstr("group(5)"));
  EXPECT_THAT(refusal(with("socket", "srw-rw----")), HasSubstr("no status"));
  EXPECT_THAT(refusal(with("socket", "s 1 0 998")), HasSubstr("no status"));
  EXPECT_THAT(refusal(with("socket", "srw-rw---- 1 root docker")), HasSubstr("no id"));
  EXPECT_THAT(refusal(with("socket_real", "/run/docker.sock;id")), HasSubstr("more than a path"));
  EXPECT_THAT(refusal(told("socket_acl: nonsense\n")), HasSubstr("access list"));
}

TEST(FarFacts, OfAnUnreadableDiskAreLeftOut) {
  for (auto* line : {"", "x", "40%", "1 2 3 40%", "/dev/sda a b c 40% /", "/dev/sda 1 2 3 4 /"}) {
    EXPECT_FALSE(read(told(fmt::format("disk: {}\n", line))).disk) << line;
  }
}

TEST(FarScript, TakesPlainPathsAlone) {
  EXPECT_TRUE(is_plain_path("/run/user/1000/docker.sock"));
  for (auto* path : {"", "run", "/a b", "/a'b", "/a\nb", "/$(id)", "/a;b", "/a\"b", "/a\\b"}) {
    EXPECT_FALSE(is_plain_path(path)) << path;
  }
  EXPECT_FALSE(is_plain_path("/" + std::string(2'000, 'a')));
}

}  // namespace
}  // namespace gantry::doctor
