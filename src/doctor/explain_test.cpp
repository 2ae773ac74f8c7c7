#include "doctor/explain.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "async/testing_fake.hpp"
#include "base/random.hpp"
#include "doctor/accounts.hpp"

#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace gantry::doctor {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr Id ann = 1000;
constexpr Id docker = 998;

/// The server's own user is not in the socket's group.
Facts without_group() {
  Facts facts;
  facts.subject = {.what = "this process",
                   .user = "gantry",
                   .uid = ann,
                   .account_groups = {ann},
                   .process_groups = std::vector<Id>{ann}};
  facts.endpoint.source = "Gantry's setting";
  facts.endpoint.text = "unix:///run/docker.sock";
  facts.socket = SocketFile{.path = "/run/docker.sock",
                            .kind = SocketFile::Kind::socket,
                            .gid = docker,
                            .mode = 0660,
                            .owner = "root",
                            .group = "docker"};
  facts.docker_group = Group{"docker", docker, {}};
  facts.engine_installed = true;
  return facts;
}

Error dialled(std::string code, std::string_view cause) {
  return {ErrorKind::unavailable, std::move(code),
          fmt::format("cannot connect to 'unix:///run/docker.sock': {}", cause), "of the dialler"};
}
Error refused() { return dialled("socket_permission", "permission denied"); }

TEST(Diagnosed, NamesTheUserTheGroupAndTheCommands) {
  auto facts = without_group();
  facts.subject.service = "gantry";
  auto error = diagnosed(refused(), facts);
  EXPECT_EQ(error.code, "socket_permission");
  EXPECT_EQ(error.message,
            "cannot connect to 'unix:///run/docker.sock': user 'gantry' is not in group 'docker' "
            "(998)");
  EXPECT_EQ(error.remedy,
            "add the user, who can then become root: 'sudo usermod -aG docker gantry'; then "
            "restart the service: 'sudo systemctl restart gantry'");
}

TEST(Diagnosed, TellsWhoseProcessBeganTooEarly) {
  auto facts = without_group();
  facts.subject.account_groups = {ann, docker};
  EXPECT_THAT(diagnosed(refused(), facts).message,
              EndsWith("user 'gantry' is in group 'docker' (998) by now, but this process began "
                       "before that"));
  facts.subject.service = "gantry";
  EXPECT_EQ(diagnosed(refused(), facts).remedy,
            "restart the service: 'sudo systemctl restart gantry'");
}

TEST(Diagnosed, SpeaksOfNoSessionToReadersOfAServer) {
  auto facts = without_group();
  facts.subject.what = "the server";
  facts.subject.kind = Subject::Kind::server;
  facts.subject.pid = 812;
  EXPECT_THAT(diagnosed(refused(), facts).remedy,
              AllOf(HasSubstr("usermod"), HasSubstr("restart the server (process 812)"),
                    Not(HasSubstr("log in"))));
  facts.subject.account_groups = {ann, docker};
  auto error = diagnosed(refused(), facts);
  EXPECT_THAT(error.message, EndsWith("by now, but the server began before that"));
  EXPECT_THAT(error.remedy, StartsWith("restart the server (process 812)"));
}

/// Subjects and sockets of every kind that the access to a socket depends on.
std::vector<Facts> refused_in_many_ways() {
  std::vector<Facts> all;
  for (unsigned bits = 0; bits < 512; ++bits) {
    auto has = [bits](unsigned bit) { return (bits >> bit & 1U) != 0; };
    auto facts = without_group();
    if (has(0)) facts.subject.account_groups.push_back(docker);
    if (has(1)) facts.subject.process_groups->push_back(docker);
    if (has(2)) facts.socket->mode = 0600;
    if (has(3)) facts.in_container = facts.socket->mounted = true;
    if (has(4)) facts.socket->uid = ann;
    if (has(5)) facts.socket->shut_by = "/run/closed";
    if (has(6)) facts.socket->tried = false;
    if (has(7)) facts.subject.process_groups.reset();
    if (has(8)) facts.subject.uid = root;
    all.push_back(std::move(facts));
  }
  return all;
}

TEST(Diagnosed, PointsToNoOtherLines) {
  for (const auto& facts : refused_in_many_ways()) {
    EXPECT_THAT(diagnosed(refused(), facts).sentence(),
                AllOf(Not(HasSubstr("lines above")), Not(HasSubstr("see below"))));
  }
}

TEST(Diagnosed, TellsTheOwnersOfContainersWhatToPass) {
  auto facts = without_group();
  facts.in_container = true;
  facts.socket->mounted = true;
  EXPECT_THAT(diagnosed(refused(), facts).remedy, HasSubstr("--group-add 998"));
}

TEST(Diagnosed, NamesAnotherSocketWhereThereIsOne) {
  auto facts = without_group();
  facts.socket->kind = SocketFile::Kind::missing;
  facts.other_sockets = {{.path = "/run/user/1000/docker.sock", .kind = SocketFile::Kind::socket}};
  auto error = diagnosed(dialled("socket_missing", "there is no such socket"), facts);
  EXPECT_THAT(error.message, HasSubstr("an engine's socket at '/run/user/1000/docker.sock'"));
  // It has other containers.
  EXPECT_THAT(error.remedy,
              AllOf(StartsWith("start the engine, unless it runs: 'sudo systemctl start docker'"),
                    EndsWith("name that one instead: unix:///run/user/1000/docker.sock")));
}

TEST(Diagnosed, NamesTheUsualSocketFirstToWhomMistypedIt) {
  auto facts = without_group();
  facts.other_sockets = {*facts.socket};
  facts.socket = SocketFile{.path = "/run/dokcer.sock"};
  auto error = diagnosed(dialled("socket_missing", "there is no such socket"), facts);
  EXPECT_THAT(error.remedy,
              AllOf(StartsWith("name that one instead: unix:///run/docker.sock; or start the "
                               "engine that listens at the usual place: 'sudo systemctl"),
                    Not(HasSubstr("unless it runs"))));
}

TEST(Diagnosed, SaysWhichModeShutsOutWhoHasTheGroup) {
  auto facts = without_group();
  facts.subject.account_groups = {ann, docker};
  facts.subject.process_groups = std::vector<Id>{ann, docker};
  facts.socket->mode = 0600;
  auto error = diagnosed(refused(), facts);
  EXPECT_THAT(error.message, EndsWith("group 'docker' (998) may not write to it: mode srw-------"));
  EXPECT_THAT(error.remedy, HasSubstr("systemctl restart docker.socket docker"));
}

TEST(Diagnosed, BlamesWhatConfinesWhereTheFileAllowsIt) {
  auto facts = without_group();
  facts.subject.uid = root;
  facts.selinux = "enforcing";
  auto error = diagnosed(refused(), facts);
  EXPECT_THAT(error.message, HasSubstr("although file and groups allow it; SELinux"));
  EXPECT_THAT(error.remedy, HasSubstr("ausearch"));
}

TEST(Diagnosed, KeepsTheDiallersWordsWhereItFindsNothing) {
  auto facts = without_group();
  facts.subject.uid = root;
  EXPECT_EQ(diagnosed(refused(), facts), refused());
  auto unreachable = dialled("unreachable", "no answer within 10 s");
  EXPECT_EQ(diagnosed(unreachable, without_group()), unreachable);
}

TEST(Diagnosed, KeepsWhyNobodyAnswersAndTellsHowToStart) {
  // Whoever listens to nothing lets everybody in that may.
  auto error = diagnosed(dialled("not_listening", "nothing listens there"), without_group());
  EXPECT_THAT(error.message, EndsWith(": nothing listens there"));
  EXPECT_THAT(error.remedy, HasSubstr("sudo systemctl start docker"));
}

TEST(Diagnosed, StartsNoDaemonInAContainer) {
  auto facts = without_group();
  facts.in_container = facts.socket->mounted = true;
  facts.engine_installed = false;
  facts.starter = Starter::nobody;
  auto error = diagnosed(dialled("not_listening", "nobody listens there"), facts);
  EXPECT_THAT(error.remedy, HasSubstr("'docker compose up -d --force-recreate'"));
  EXPECT_THAT(error.remedy, Not(HasSubstr("dockerd")));
}

TEST(Diagnosed, KeepsTheQuotesOfACommandApartFromItsOwn) {
  auto facts = without_group();
  facts.subject.user = "ann smith";
  EXPECT_THAT(diagnosed(refused(), facts).remedy,
              HasSubstr("`sudo usermod -aG docker 'ann smith'`"));
}

TEST(Diagnosed, StaysOneLineWhateverGroupsAreCalled) {
  auto facts = without_group();
  facts.socket->group = "x\n\x1b[31my";
  auto error = diagnosed(refused(), facts);
  EXPECT_EQ(error.sentence().find_first_of("\n\x1b"), std::string::npos);
}

TEST(Diagnosed, NamesTheMachineThatIsFar) {
  auto facts = without_group();
  facts.sight = Sight::far;
  facts.place = "edge-3";
  facts.subject.what = "user 'ada'";
  facts.subject.user = "ada";
  auto error = diagnosed({ErrorKind::denied, "ssh_remote_socket_permission",
                          "cannot use '/run/docker.sock' on 'ada@edge-3' by SSH: permission denied "
                          "there",
                          "of the dialler"},
                         facts);
  EXPECT_EQ(error.kind, ErrorKind::denied);
  EXPECT_EQ(error.code, "ssh_remote_socket_permission");
  EXPECT_EQ(error.message,
            "cannot use '/run/docker.sock' on 'ada@edge-3' by SSH: user 'ada' is not in group "
            "'docker' (998)");
  EXPECT_THAT(error.remedy,
              AllOf(StartsWith("on 'edge-3': "), HasSubstr("'sudo usermod -aG docker ada'")));
}

/// A real socket that somebody else may not open.
class Explained : public ::testing::Test {
 public:
  Explained() { std::filesystem::create_directories(folder_); }
  ~Explained() override {
    if (socket_ >= 0) ::close(socket_);
    std::filesystem::remove_all(folder_);
  }

 protected:
  void bind_socket() {
    socket_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    // NOLINTNEXTLINE: the one cast the socket API asks for
    ASSERT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(socket_, 1), 0);
  }
  void give_to_group(Id gid) {
    ASSERT_EQ(::chown(path_.c_str(), root, gid), 0);
    std::filesystem::permissions(path_, std::filesystem::perms{0660});
  }
  std::string group_text(Id gid) {
    auto group = group_with(gid);
    return group ? fmt::format("'{}' ({})", group->name, gid) : fmt::format("{}", gid);
  }
  Error error_of(const net::Connect& connect) {
    auto tried = loop_.run(async::attempt(connect()));
    return tried ? Error{} : tried.error();
  }
  net::Connect explained_dialler() {
    auto endpoint = value_or_throw(net::Endpoint::parse("unix://" + path_));
    return explained(loop_.executor(), net::dialer(loop_.executor(), endpoint), endpoint, clock_);
  }
  Explaining explaining_there(Runner run) {
    return explaining_far(loop_.executor(), value_or_throw(net::Endpoint::parse("ssh://edge-3")),
                          std::move(run), clock_);
  }

  async::TestLoop loop_;
  WallTime now_{};
  Clock clock_{[this] { return now_; }};
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("gantry-test-" + random::word(12));
  std::string path_ = folder_ / "engine.sock";
  int socket_ = -1;
};

TEST_F(Explained, ARefusalIsJudgedByThisProcessAndNotForEachCaller) {
  if (::geteuid() != root) GTEST_SKIP() << "only root can become somebody who may not";
  constexpr uid_t nobody = 65'534;
  bind_socket();
  give_to_group(1);
  auto connect = explained_dialler();
  ASSERT_EQ(::seteuid(nobody), 0);
  auto first = error_of(connect);
  ASSERT_EQ(::seteuid(root), 0);
  give_to_group(2);
  ASSERT_EQ(::seteuid(nobody), 0);
  auto at_once = error_of(connect);
  now_ += Milliseconds{60'000};
  auto later = error_of(connect);
  ASSERT_EQ(::seteuid(root), 0);
  EXPECT_EQ(first.code, "socket_permission");
  EXPECT_THAT(first.message,
              AllOf(StartsWith(fmt::format("cannot connect to 'unix://{}': user '{}'", path_,
                                           user_name(nobody))),
                    HasSubstr("is not in group"), HasSubstr(group_text(1))));
  EXPECT_EQ(at_once, first);
  EXPECT_THAT(later.message, HasSubstr(group_text(2)));
}

TEST_F(Explained, ASocketThatIsNotThereIsLookedForElsewhere) {
  auto error = error_of(explained_dialler());
  EXPECT_EQ(error.code, "socket_missing");
  EXPECT_THAT(error.message, HasSubstr(fmt::format("there is no '{}'", path_)));
}

TEST_F(Explained, AnotherErrorIsLookedAtAtOnce) {
  auto connect = explained_dialler();
  EXPECT_EQ(error_of(connect).code, "socket_missing");
  std::filesystem::create_directories(path_);
  EXPECT_THAT(error_of(connect).message, HasSubstr("is a folder"));
}

/// A far machine that tells nothing, and counts how often it was asked.
async::task<Result<std::string>> say_nothing(int& asked) {
  ++asked;
  co_await async::pause(Milliseconds{5});
  co_return fail(ErrorKind::denied, "ssh_forwarding_refused", "cannot run anything there");
}

async::task<std::unique_ptr<net::Stream>> refuse(Error error) {
  throw Failure{std::move(error)};
  co_return nullptr;
}

async::task<void> drop(async::task<Result<std::unique_ptr<net::Stream>>> work) {
  co_await std::move(work);
}

async::task<void> dial_twice_at_once(net::Connect connect) {
  auto one = async::attempt(connect());
  auto other = async::attempt(connect());
  co_await async::both(drop(std::move(one)), drop(std::move(other)));
}

TEST_F(Explained, AFarMachineIsAskedOnceForTheSameError) {
  int asked = 0;
  Error before{ErrorKind::denied, "ssh_remote_socket_permission",
               "cannot use '/run/docker.sock' on 'edge-3' by SSH: permission denied there", "x"};
  auto run = [&](const std::string&) { return say_nothing(asked); };
  auto explaining = explaining_there(run);
  auto connect = explaining([&] { return refuse(before); });
  loop_.run(dial_twice_at_once(connect));
  EXPECT_EQ(asked, 1);
  // Who sees nothing there has nothing to add.
  EXPECT_EQ(error_of(connect), before);
  EXPECT_EQ(error_of(explaining([&] { return refuse(before); })), before);
  EXPECT_EQ(asked, 1);
  now_ += Milliseconds{60'000};
  EXPECT_EQ(error_of(connect), before);
  EXPECT_EQ(asked, 2);
  before.code = "ssh_broke";
  EXPECT_EQ(error_of(connect), before);
  EXPECT_EQ(asked, 2);
}

/// Answers only when nobody waits any more.
async::task<Result<std::string>> answer_late(int& asked) {
  ++asked;
  co_await async::pause(Milliseconds{10'000});
  co_return std::string{};
}
async::task<Result<std::string>> give_up(int& asked) {
  ++asked;
  co_return fail(ErrorKind::timed_out, "timed_out", "cannot look: it took too long");
}

Error refused_there(std::string code) {
  return {ErrorKind::denied, std::move(code),
          "cannot use '/run/docker.sock' on 'edge-3' by SSH: permission denied there", "x"};
}

TEST_F(Explained, ALookWhoseCallerWentAwayIsNotBegunAnewAtOnce) {
  int asked = 0;
  auto before = refused_there("ssh_remote_socket_permission");
  auto run = [&](const std::string&) { return answer_late(asked); };
  auto connect = explaining_there(run)([&] { return refuse(before); });
  auto impatient = [&] {
    auto dialled = async::with_deadline(Milliseconds{20}, "dialling", connect());
    return loop_.run(async::attempt(std::move(dialled))).error();
  };
  EXPECT_EQ(impatient().kind, ErrorKind::timed_out);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(error_of(connect), before);
  EXPECT_EQ(asked, 1);
  now_ += Milliseconds{60'000};
  EXPECT_EQ(impatient().kind, ErrorKind::timed_out);
  EXPECT_EQ(asked, 2);
}

TEST_F(Explained, WhatDoesNotAnswerIsLeftAloneForAMinute) {
  int asked = 0;
  auto before = refused_there("ssh_remote_socket_permission");
  auto run = [&](const std::string&) { return give_up(asked); };
  auto connect = explaining_there(run)([&] { return refuse(before); });
  EXPECT_EQ(error_of(connect), before);
  // Another error is no reason to look again.
  before = refused_there("ssh_remote_socket_missing");
  EXPECT_EQ(error_of(connect), before);
  EXPECT_EQ(asked, 1);
  now_ += Milliseconds{59'999};
  EXPECT_EQ(error_of(connect), before);
  EXPECT_EQ(asked, 1);
  now_ += Milliseconds{1};
  EXPECT_EQ(error_of(connect), before);
  EXPECT_EQ(asked, 2);
}

TEST_F(Explained, OtherWaysAreNotTouched) {
  auto endpoint = value_or_throw(net::Endpoint::parse("tcp://127.0.0.1:1"));
  auto plain = net::dialer(loop_.executor(), endpoint);
  EXPECT_EQ(error_of(explained(loop_.executor(), plain, endpoint)), error_of(plain));
}

}  // namespace
}  // namespace gantry::doctor
