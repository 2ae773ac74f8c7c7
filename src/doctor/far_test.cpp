#include "doctor/far.hpp"

#include "async/process.hpp"
#include "async/testing_fake.hpp"
#include "doctor/accounts.hpp"
#include "doctor/checks.hpp"
#include "doctor/far_facts.hpp"
#include "doctor/far_script.hpp"
#include "doctor/files.hpp"
#include "doctor/socket_file.hpp"
#include "engine/client.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace gantry::doctor {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr Id nobodys_group = 61'234;

/// This machine as a far one: `sh` of several kinds runs the text.
class FarScripts : public testing::TestWithParam<std::vector<std::string>> {
 public:
  FarScripts() {
    std::string name = "/tmp/gantry-far-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~FarScripts() override { fs::remove_all(folder_); }

 protected:
  void SetUp() override {
    if (!fs::exists(GetParam().front())) GTEST_SKIP() << GetParam().front() << " is not here";
  }

  std::string make_socket() const {
    auto path = (folder_ / "d.sock").string();
    int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::close(socket);
    ::chmod(path.c_str(), 0660);
    return path;
  }
  /// A program of our own in the place of the machine's.
  void put(const std::string& name, const std::string& text) {
    std::ofstream{folder_ / name} << "#!/bin/sh\n" << text << "\n";
    fs::permissions(folder_ / name, fs::perms::owner_all);
    variables_.front() = "PATH=" + folder_.string() + ":/usr/sbin:/usr/bin:/sbin:/bin";
  }
  async::task<Result<std::string>> run(std::string script) {
    auto file = folder_ / "text";
    std::ofstream{file} << script << "\n";
    auto argv = GetParam();
    argv.push_back(file);
    auto ran = co_await async::run_process({.argv = argv, .env = variables_}, 1U << 20U);
    if (!ran) co_return fail(ran.error());
    co_return ran->output;
  }

  fs::path folder_;
  std::vector<std::string> variables_{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/nonexistent"};
  async::TestLoop loop_;
};

TEST_P(FarScripts, TellWhatIsSeenHere) {
  auto path = make_socket();
  bool given = ::geteuid() == 0 && ::chown(path.c_str(), 0, nobodys_group) == 0;
  auto said = value_or_throw(loop_.run(run(far_script(path, "/"))));
  auto facts = read_far_facts(said);
  ASSERT_TRUE(facts) << facts.error().message << "\n" << said;
  auto here = look_at_socket(path);
  ASSERT_NE(facts->usable_socket(), nullptr) << said;
  EXPECT_EQ(facts->socket->mode, here.mode);
  EXPECT_EQ(facts->socket->uid, here.uid);
  EXPECT_EQ(facts->socket->gid, given ? nobodys_group : here.gid);
  EXPECT_EQ(facts->socket->owner, here.owner);
  EXPECT_EQ(facts->socket->group, here.group);
  EXPECT_EQ(facts->socket->leads_to, here.leads_to);
  auto self = this_process();
  EXPECT_EQ(facts->subject.uid, self.uid);
  EXPECT_EQ(facts->subject.user, self.user);
  auto sorted = [](std::vector<Id> ids) {
    std::ranges::sort(ids);
    return ids;
  };
  EXPECT_EQ(sorted(facts->subject.account_groups), sorted(self.account_groups));
  EXPECT_EQ(sorted(*facts->subject.process_groups), sorted(*self.process_groups));
  ASSERT_TRUE(facts->disk);
  EXPECT_GT(facts->disk->bytes, facts->disk->bytes_free);
}

TEST_P(FarScripts, FollowLinksAndTellMissingFromHidden) {
  auto path = make_socket();
  auto link = (folder_ / "link.sock").string();
  fs::create_symlink(path, link);
  auto linked =
      value_or_throw(read_far_facts(value_or_throw(loop_.run(run(far_script(link, "/"))))));
  ASSERT_NE(linked.usable_socket(), nullptr);
  EXPECT_EQ(linked.socket->leads_to, path);
  auto gone = (folder_ / "no" / "such.sock").string();
  auto missing =
      value_or_throw(read_far_facts(value_or_throw(loop_.run(run(far_script(gone, "/"))))));
  EXPECT_EQ(missing.socket->kind, SocketFile::Kind::missing);
  auto folder = value_or_throw(
      read_far_facts(value_or_throw(loop_.run(run(far_script(folder_.string(), "/"))))));
  EXPECT_EQ(folder.socket->kind, SocketFile::Kind::folder);
}

TEST_P(FarScripts, TellTheFirstFolderThatIsNotOpenToEverybody) {
  auto path = make_socket();
  auto behind = [&] {
    return value_or_throw(read_far_facts(value_or_throw(loop_.run(run(far_script(path, "/"))))))
        .socket->behind;
  };
  fs::permissions(folder_, fs::perms{0750});
  auto closed = behind();
  EXPECT_TRUE(folder_.string().starts_with(closed) && !closed.empty()) << closed;
  fs::permissions(folder_, fs::perms{0751});
  EXPECT_NE(behind(), folder_);
  fs::permissions(folder_, fs::perms{01751});
  EXPECT_NE(behind(), folder_);
}

TEST_P(FarScripts, LookWhereDockerIsToldToOnlyWhereNothingElseIsNamed) {
  auto path = make_socket();
  variables_.push_back("DOCKER_HOST=unix://" + path);
  auto seen = [&](const std::string& named) {
    return value_or_throw(read_far_facts(value_or_throw(loop_.run(run(far_script(named, "/"))))));
  };
  auto gone = (folder_ / "gone.sock").string();
  EXPECT_EQ(seen(gone).socket->path, gone);
  if (fs::exists("/var/run/docker.sock")) GTEST_SKIP() << "Docker's usual socket is here";
  auto usual = seen("");
  EXPECT_EQ(usual.socket->path, path);
  EXPECT_THAT(usual.endpoint.there, HasSubstr(path));
  variables_.back() = "DOCKER_HOST=unix:///a'b";
  EXPECT_EQ(seen("").socket->path, "/var/run/docker.sock");
}

TEST_P(FarScripts, TellNamesAsDirectoriesHaveThem) {
  put("getent",
      R"(case $1 in
passwd) printf '%s\n' 'CORP\ann$:x:1:1::/:/bin/sh' ;;
*) printf '%s\n' 'CORP\domain users:x:61234:CORP\nobody' ;;
esac)");
  auto path = make_socket();
  auto said = value_or_throw(loop_.run(run(far_script(path, "/"))));
  auto facts = read_far_facts(said);
  ASSERT_TRUE(facts) << facts.error().message << "\n" << said;
  EXPECT_EQ(facts->socket->owner, R"(CORP\ann$)");
  EXPECT_EQ(facts->socket->group, R"(CORP\domain users)");
  EXPECT_THAT(facts->socket_group->members, testing::ElementsAre(R"(CORP\nobody)"));
}

TEST_P(FarScripts, TellWhoseOwnGroupItIs) {
  auto path = make_socket();
  auto facts =
      value_or_throw(read_far_facts(value_or_throw(loop_.run(run(far_script(path, "/"))))));
  ASSERT_TRUE(facts.socket_group);
  auto expected = whose_group_is(facts.socket->gid, file_text("/etc/passwd").value_or(""));
  EXPECT_EQ(facts.socket_group->primary, expected);
}

TEST_P(FarScripts, TellTheFirstOfVeryManyMembers) {
  put("getent",
      "printf docker:x:106:; i=0\n"
      "while [ $i -lt 2000 ]; do printf member$i,; i=$((i+1)); done");
  auto facts = value_or_throw(
      read_far_facts(value_or_throw(loop_.run(run(far_script("/nowhere/d.sock", "/"))))));
  ASSERT_TRUE(facts.docker_group);
  EXPECT_GT(facts.docker_group->members.size(), 100U);
  EXPECT_EQ(facts.docker_group->members.front(), "member0");
  EXPECT_EQ(facts.docker_group->members.back(), "...");
}

TEST_P(FarScripts, AskANameServiceThatHangsOnce) {
  auto asked = (folder_ / "asked").string();
  // 124 is what timeout(1) answers of what it had to end.
  put("getent", "echo once >>" + asked + "; exit 124");
  auto facts = value_or_throw(
      read_far_facts(value_or_throw(loop_.run(run(far_script(make_socket(), "/"))))));
  EXPECT_TRUE(facts.is_late(Part::account));
  EXPECT_EQ(facts.subject.user, std::to_string(facts.subject.uid));
  EXPECT_NE(facts.usable_socket(), nullptr);
  std::ifstream lines{asked};
  std::string line;
  int times = 0;
  while (std::getline(lines, line)) ++times;
  EXPECT_EQ(times, 1);
}

INSTANTIATE_TEST_SUITE_P(Shells, FarScripts,
                         testing::Values(std::vector<std::string>{"/bin/dash"},
                                         std::vector<std::string>{"/bin/bash"},
                                         std::vector<std::string>{"/bin/busybox", "sh"}));

async::task<Result<std::string>> answer(Result<std::string> said) { co_return said; }

Runner saying(Result<std::string> said) {
  return [said](std::string) { return answer(said); };
}

net::Endpoint endpoint(std::string_view text) { return value_or_throw(net::Endpoint::parse(text)); }

constexpr const char* lacking_group =
    "machine: edge\nuid: 1000\nuser: deploy\nprocess_groups: 1000\naccount_groups: 1000\n"
    "docker_group: docker:x:998:\nsocket_path: /var/run/docker.sock\n"
    "socket: srw-rw---- 1 0 998 0 Nov 22 16:39 /var/run/docker.sock\nsocket_owner: root\n"
    "socket_group: docker:x:998:\nsocket_writable: no\nnetwork: yes\n";

Result<Facts> gathered(Result<std::string> said, std::string_view at = "ssh://deploy@edge-3") {
  return async::run_test(gather_far(saying(std::move(said)), nullptr, endpoint(at), Clock{}));
}

TEST(Far, SaysWhereACommandIsToBeRun) {
  auto report = examine(value_or_throw(gathered(lacking_group)));
  ASSERT_NE(report.cause(), nullptr);
  EXPECT_EQ(report.cause()->check->id, "membership");
  const auto& steps = report.cause()->finding.remedy;
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].command, "sudo usermod -aG docker deploy");
  EXPECT_THAT(steps[0].what, HasSubstr("on 'edge-3': "));
  EXPECT_THAT(steps[1].what, HasSubstr("gantry hosts test"));
}

TEST(Far, QuotesNamesAsDirectoriesHaveThem) {
  std::string said = lacking_group;
  said.replace(said.find("user: deploy"), 12, R"(user: CORP\ann)");
  constexpr std::string_view group = "socket_group: docker";
  said.replace(said.find(group), group.size(), "socket_group: domain users");
  auto report = examine(value_or_throw(gathered(said)));
  ASSERT_NE(report.cause(), nullptr);
  EXPECT_EQ(report.cause()->finding.remedy.front().command,
            R"(sudo usermod -aG 'domain users' 'CORP\ann')");
}

TEST(Far, TakesFilesForTheEnginesOnItsOwnMachineAlone) {
  std::string said = lacking_group;
  said += "engine: /usr/bin/dockerd\nsettings: {}\ndisk: /dev/sda 1 1000 400 600 40% /\n";
  async::TestLoop loop;
  auto at = endpoint("ssh://deploy@edge-3");
  engine::FakeDaemon daemon;
  daemon.expect("GET", "/version").always().reply(200, R"({"Version":"29.5.1"})");
  auto seen = [&](std::string_view name) {
    daemon.expect("GET", "/info")
        .reply(200, fmt::format(R"({{"Name":"{}","LoggingDriver":"json-file"}})", name));
    auto engine = daemon.client(loop.executor());
    return value_or_throw(loop.run(gather_far(saying(said), engine.get(), at, Clock{})));
  };
  auto own = seen("edge");
  EXPECT_EQ(own.logs_bounded, false);
  EXPECT_TRUE(own.disk);
  auto other = seen("docker-desktop");
  EXPECT_FALSE(other.logs_bounded);
  EXPECT_FALSE(other.disk);
}

TEST(Far, JudgesNothingThatWasNotAsked) {
  auto report = examine(value_or_throw(gathered(lacking_group)));
  for (auto* id : {"engine", "api", "versions", "isolation", "cgroups", "storage", "disk", "logs",
                   "clock", "names"}) {
    EXPECT_EQ(report.finding(id).state, State::unseen) << id;
  }
}

TEST(Far, NamesAnotherSocketAsAnEndpoint) {
  std::string said = lacking_group;
  said.replace(said.find("socket: srw"), said.find("network") - said.find("socket: srw"), "");
  said +=
      "own_path: /run/user/1000/docker.sock\n"
      "own: srw-rw---- 1 1000 1000 0 Nov 22 16:39 /run/user/1000/docker.sock\n";
  auto report = examine(value_or_throw(gathered(said)));
  EXPECT_EQ(report.cause()->check->id, "socket");
  EXPECT_THAT(report.cause()->finding.remedy.front().what,
              HasSubstr("'ssh://deploy@edge-3/run/user/1000/docker.sock'"));
}

TEST(Far, IsNotMisledByAnAnswerAboutAnotherSocket) {
  auto facts = gathered(lacking_group, "ssh://deploy@edge-3/run/other.sock");
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, "far_facts_unreadable");
}

TEST(Far, RefusesWithTheReasonWhereNobodyElseIsAsked) {
  Error refused{ErrorKind::denied, "ssh_commands_refused", "no programs", ""};
  auto facts = gathered(fail(refused));
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, "ssh_commands_refused");
}

async::task<std::unique_ptr<net::Stream>> nobody() {
  throw Failure{{ErrorKind::unavailable, "not_listening", "nobody listens", ""}};
}

TEST(Far, TakesTheEnginesWordWhereNothingMayRun) {
  async::TestLoop loop;
  auto at = endpoint("ssh://deploy@edge-3");
  engine::Client engine{loop.executor(), nobody, at};
  Error refused{ErrorKind::denied, "ssh_commands_refused", "it runs no programs", ""};
  auto facts = loop.run(gather_far(saying(fail(refused)), &engine, at, Clock{}));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->sight, Sight::engine);
  auto report = examine(std::move(*facts));
  EXPECT_EQ(report.finding("access").state, State::unseen);
  EXPECT_EQ(report.finding("access").summary, "it runs no programs");
  EXPECT_EQ(report.cause()->check->id, "engine");
}

TEST(Far, SeesNothingOfAMachineBehindTcpButItsEngine) {
  async::TestLoop loop;
  auto at = endpoint("tcp://nas:2375");
  engine::Client engine{loop.executor(), nobody, at};
  auto report = examine(loop.run(gather_engine_only(engine, at, Clock{})));
  for (auto* id : {"socket", "membership", "access", "socket_mode", "members", "confinement",
                   "disk", "compose", "buildx", "clock"}) {
    EXPECT_EQ(report.finding(id).state, State::unseen) << id;
  }
  EXPECT_THAT(report.finding("socket").summary, HasSubstr("reached over TCP"));
  EXPECT_EQ(report.finding("exposed").state, State::failed) << "it is unencrypted";
  EXPECT_EQ(report.finding("engine").state, State::failed);
  for (const auto& step : report.finding("engine").remedy) {
    if (!step.command.empty()) EXPECT_THAT(step.what, HasSubstr("on 'nas': "));
  }
}

}  // namespace
}  // namespace gantry::doctor
