// A whole look at this machine, where nothing answers and where something does.
#include "doctor/gather.hpp"

#include "async/descriptor.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "base/random.hpp"
#include "doctor/accounts.hpp"
#include "doctor/healthy_fake.hpp"
#include "net/http_server.hpp"
#include "net/tls_certificates_fake.hpp"

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fcntl.h>
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
using testing::Contains;
using testing::HasSubstr;

constexpr std::string_view version_of_engine =
    R"({"Version":"29.5.1","ApiVersion":"1.51","MinAPIVersion":"1.24"})";

/// Of what answers, however slow the machine is.
constexpr Milliseconds plenty{60'000};

std::string this_machine() {
  std::array<char, 256> name{};
  CHECK(::gethostname(name.data(), name.size() - 1) == 0);
  return name.data();
}

std::string info_of_engine(const fs::path& root, const std::string& name = this_machine()) {
  return fmt::format(R"({{"Name":"{}","DockerRootDir":"{}","LoggingDriver":"json-file"}})", name,
                     root.string());
}

/// A Unix socket on which somebody listens.
class Listening {
 public:
  explicit Listening(const fs::path& path) : fd_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    CHECK(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    CHECK(::listen(fd_.get(), 16) == 0);
  }
  int get() const { return fd_.get(); }

 private:
  async::Descriptor fd_;
};

/// An engine that says what it is, a connection for each answer.
class SmallEngine {
 public:
  SmallEngine(const fs::path& path, std::string info) : listening_{path}, info_{std::move(info)} {
    serving_ = std::jthread{[this] { serve(); }};
  }
  ~SmallEngine() { ::shutdown(listening_.get(), SHUT_RDWR); }

 private:
  void serve() const {
    for (;;) {
      async::Descriptor one{::accept(listening_.get(), nullptr, nullptr)};
      if (!one) return;
      std::string head(4'096, '\0');
      auto count = ::recv(one.get(), head.data(), head.size(), 0);
      head.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
      std::string body{head.contains("/info")      ? std::string_view{info_}
                       : head.contains("/version") ? version_of_engine
                                                   : std::string_view{"OK"}};
      auto answer = fmt::format(
          "HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nContent-Length: {}\r\nConnection: close\r\n\r\n"
          "{}",
          body.size(), body);
      ::send(one.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  Listening listening_;
  std::string info_;
  std::jthread serving_;
};

class Gathering : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("gantry-gather-" + random::word(12));
    fs::create_directories(folder_ / "bin");
    environment_.docker_folder = folder_ / "docker";
    fs::create_directories(environment_.docker_folder);
    environment_.docker_host = "unix://" + socket().string();
    environment_.path = (folder_ / "bin").string();
    environment_.daemon_settings = folder_ / "daemon.json";
  }
  void TearDown() override {
    // Whoever waits at a pipe for somebody to write reads its end.
    for (const auto& pipe : pipes_) async::Descriptor{::open(pipe.c_str(), O_RDWR | O_NONBLOCK)};
    fs::remove_all(folder_);
  }

  fs::path socket() const { return folder_ / "docker.sock"; }
  /// A file that does not answer: to open it takes somebody who writes.
  void hang(const fs::path& path) {
    CHECK(::mkfifo(path.c_str(), 0600) == 0);
    pipes_.push_back(path);
  }
  void tool(const std::string& name, const std::string& script) const {
    auto path = folder_ / "bin" / name;
    std::ofstream{path} << "#!/bin/sh\n" << script;
    fs::permissions(path, fs::perms::owner_all);
  }
  std::string text_in(const std::string& name) const {
    std::ifstream file{folder_ / name};
    return {std::istreambuf_iterator<char>{file}, {}};
  }
  Result<Facts> ask(const Question& question) {
    return loop_.run(gather(loop_.executor(), question, environment_));
  }
  Facts look() { return value_or_throw(ask({})); }

  async::TestLoop loop_;
  fs::path folder_;
  std::vector<fs::path> pipes_;
  Environment environment_;
};

TEST_F(Gathering, TellsAllThatDoesNotAnswerAndTheRest) {
  Listening silent{socket()};
  environment_.whole_time = Milliseconds{3'000};
  hang(environment_.docker_folder / "config.json");
  auto note = (folder_ / "children").string();
  tool("docker", "/bin/sleep 600 & echo $! >> " + note + "\nwait\n");
  tool("docker-compose", "/bin/sleep 600 & echo $! >> " + note + "\nwait\n");
  auto facts = look();
  EXPECT_THAT(facts.late, Contains(Part::config));
  EXPECT_EQ(facts.endpoint.text, environment_.docker_host);
  EXPECT_EQ(judged("endpoint", facts).summary,
            "no answer in time from Docker's files in the home folder");
  EXPECT_EQ(judged("socket", facts).state, State::ok);
  auto engine = judged("engine", facts);
  EXPECT_EQ(engine.state, State::failed);
  EXPECT_THAT(advice(engine), HasSubstr("why it hangs"));
  EXPECT_THAT(judged("compose", facts).summary, HasSubstr("'docker compose' does not answer"));
  EXPECT_THAT(judged("buildx", facts).summary, HasSubstr("'docker' does not answer"));
  EXPECT_EQ(judged("disk", facts).state, State::unseen);
  EXPECT_TRUE(is_judged(judged("exposed", facts).state));
  // What the tools had started does not outlive the look.
  std::istringstream children{text_in("children")};
  for (int child = 0; children >> child;) {
    loop_.run(async::until([&] { return ::kill(child, 0) != 0; }));
  }
}

TEST_F(Gathering, ReadsTheFilesOfAnEngineOfThisMachine) {
  auto log = folder_ / "data/containers/a";
  fs::create_directories(log);
  for (const auto* one : {"", "data"}) fs::permissions(folder_ / one, fs::perms{0755});
  std::ofstream{log / "a-json.log"} << "12345";
  SmallEngine engine{socket(), info_of_engine(folder_ / "data")};
  environment_.whole_time = plenty;
  tool("docker", "echo 'Docker version 29.5.1, build 1'\n");
  tool("dockerd-rootless.sh", "exit 1\n");
  auto facts = look();
  EXPECT_FALSE(facts.engine.error) << facts.engine.error->message;
  EXPECT_THAT(facts.late, testing::IsEmpty());
  EXPECT_EQ(facts.engine.version, "29.5.1");
  EXPECT_EQ(facts.docker.version, "29.5.1");
  EXPECT_TRUE(facts.rootless.installed);
  EXPECT_FALSE(facts.deep);
  if (facts.engine_is_outside()) GTEST_SKIP() << "in a container, whose engine is outside of it";
  ASSERT_TRUE(facts.disk);
  ASSERT_TRUE(facts.container_logs);
  EXPECT_EQ(facts.container_logs->bytes, 5U);
  EXPECT_EQ(facts.logs_bounded, false);
}

TEST_F(Gathering, ReadsNoFilesOfAnEngineThatIsElsewhere) {
  fs::create_directories(folder_ / "data/containers/a");
  std::ofstream{folder_ / "data/containers/a/a-json.log"} << "12345";
  SmallEngine engine{socket(), info_of_engine(folder_ / "data", "docker-desktop")};
  environment_.whole_time = plenty;
  auto facts = look();
  EXPECT_FALSE(facts.engine.error) << facts.engine.error->message;
  EXPECT_FALSE(facts.disk);
  EXPECT_FALSE(facts.container_logs);
  EXPECT_EQ(facts.logs_bounded, std::nullopt);
}

TEST_F(Gathering, SkipsTheEnginesFilesWhereTheyDoNotAnswer) {
  SmallEngine engine{socket(), info_of_engine(folder_)};
  hang(environment_.daemon_settings);
  auto facts = look();
  EXPECT_EQ(facts.engine.version, "29.5.1");
  if (facts.engine_is_outside()) GTEST_SKIP() << "in a container, whose engine is outside of it";
  EXPECT_EQ(judged("disk", facts).summary, "no answer in time from the engine's files");
  EXPECT_EQ(judged("engine", facts).state, State::ok);
}

TEST_F(Gathering, ExaminesTheAccountOfAServiceThatDoesNotRun) {
  tool("systemctl",
       "echo LoadState=loaded\necho MainPID=0\necho User=nobody\necho Group=\n"
       "echo SupplementaryGroups=daemon 4711\n");
  auto facts = value_or_throw(ask({.service = "ci"}));
  EXPECT_EQ(facts.subject.what, "service 'ci' (not running)");
  EXPECT_EQ(facts.subject.user, "nobody");
  EXPECT_FALSE(facts.subject.process_groups);
  EXPECT_THAT(facts.subject.account_groups, Contains(group_named("daemon")->gid));
  EXPECT_THAT(facts.subject.account_groups, Contains(4711U));
  EXPECT_EQ(judged("process_groups", facts).state, State::skipped);
}

TEST_F(Gathering, ExaminesAServiceWhoseAccountIsMadeAtItsStart) {
  tool("systemctl",
       "echo LoadState=loaded\necho MainPID=0\necho DynamicUser=yes\n"
       "echo User=gantry-nobody-such\necho Group=gantry-nobody-such\n"
       "echo SupplementaryGroups=daemon\n");
  auto facts = value_or_throw(ask({.service = "ci"}));
  EXPECT_EQ(facts.subject.what, "service 'ci' (not running)");
  EXPECT_EQ(facts.subject.user, "gantry-nobody-such");
  EXPECT_TRUE(facts.subject.dynamic);
  EXPECT_EQ(facts.subject.uid, no_id);
  EXPECT_THAT(facts.subject.account_groups, testing::ElementsAre(group_named("daemon")->gid));
  // Where there is such an account, systemd takes it.
  tool("systemctl",
       "echo LoadState=loaded\necho MainPID=0\necho DynamicUser=yes\necho User=nobody\n");
  auto known = value_or_throw(ask({.service = "ci"}));
  EXPECT_FALSE(known.subject.dynamic);
  EXPECT_TRUE(known.subject.has_account());
}

TEST_F(Gathering, CallsAnAccountOfAServiceAsItsUnitIsCalled) {
  tool("systemctl", "echo LoadState=loaded\necho MainPID=0\necho DynamicUser=yes\n");
  for (const auto* unit : {"gantry-ci", "gantry-ci.service", "gantry-ci@a.service"}) {
    auto facts = value_or_throw(ask({.service = unit}));
    EXPECT_EQ(facts.subject.user, "gantry-ci") << unit;
    EXPECT_EQ(facts.subject.service, unit);
  }
  auto known = value_or_throw(ask({.service = "nobody.service"}));
  EXPECT_TRUE(known.subject.has_account()) << "it is there, and systemd takes it";
}

TEST_F(Gathering, ExaminesTheProcessOfAServiceThatRuns) {
  tool("systemctl", fmt::format("echo MainPID={}\necho LoadState=loaded\n", ::getpid()));
  auto facts = value_or_throw(ask({.service = "ci"}));
  EXPECT_EQ(facts.subject.what, "service 'ci'");
  EXPECT_EQ(facts.subject.pid, ::getpid());
  EXPECT_EQ(facts.subject.uid, ::geteuid());
}

TEST_F(Gathering, KnowsNoServiceThatSystemdDoesNotKnow) {
  for (const auto* said : {"LoadState=not-found\necho MainPID=0",
                           "LoadState=masked\necho MainPID=0", "LoadState=loaded"}) {
    tool("systemctl", fmt::format("echo {}\n", said));
    auto facts = ask({.service = "ci"});
    ASSERT_FALSE(facts) << said;
    EXPECT_EQ(facts.error().code, "no_such_service") << said;
  }
  tool("systemctl", "echo LoadState=loaded\necho MainPID=0\necho User=gantry-nobody-such\n");
  auto facts = ask({.service = "ci"});
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, "no_such_user");
}

TEST_F(Gathering, DoesNotTakeThisMachineForAnother) {
  environment_.docker_host = "ssh://ann@db1.lan";
  auto facts = look();
  EXPECT_EQ(facts.place, "db1.lan");
  for (const auto* id : {"socket", "members", "exposed", "confinement", "compose", "clock"}) {
    EXPECT_EQ(judged(id, facts).state, State::unseen) << id;
  }
  auto engine = judged("engine", facts);
  EXPECT_EQ(engine.state, State::failed);
  EXPECT_THAT(advice(engine), HasSubstr("'gantry hosts doctor'"));
}

async::task<void> answer(net::http::Exchange& exchange) {
  const auto& target = exchange.request().target;
  std::string body{target.contains("/version") ? version_of_engine
                   : target.contains("/info")  ? std::string_view{R"({"Name":"db1"})"}
                                               : std::string_view{"OK"}};
  net::http::ResponseHead head;
  head.headers.set("Api-Version", "1.51");
  co_await exchange.respond(std::move(head), std::move(body));
}

class OverTls : public Gathering {
 protected:
  void SetUp() override {
    Gathering::SetUp();
    port_ = value_or_throw(server_.listen_tls("127.0.0.1:0", [this] { return identity_; }));
    serving_.spawn("server", server_.run());
    auto own = authority_.issue();
    write("ca.pem", authority_.certificate());
    write("cert.pem", own.certificates);
    write("key.pem", own.key.reveal());
    environment_.docker_host = fmt::format("tcp://127.0.0.1:{}", port_);
    environment_.docker_tls_verify = "1";
    environment_.whole_time = plenty;
  }
  void TearDown() override {
    loop_.run(server_.close(Milliseconds{100}));
    loop_.run(serving_.close());
    Gathering::TearDown();
  }
  void write(const char* name, std::string_view text) const {
    std::ofstream{environment_.docker_folder / name} << text;
  }

  net::TestAuthority authority_;
  net::TlsServer identity_ = authority_.server();
  net::http::Server server_{loop_.executor(), {}, answer};
  async::TaskScope serving_{loop_.executor()};
  std::uint16_t port_ = 0;
};

TEST_F(OverTls, TheEngineIsReallyAsked) {
  auto facts = look();
  EXPECT_FALSE(facts.engine.error) << facts.engine.error->message;
  EXPECT_EQ(facts.engine.name, "db1");
  EXPECT_NE(judged("tls", facts).state, State::failed);
  EXPECT_FALSE(facts.socket);
  EXPECT_FALSE(facts.disk);
}

TEST_F(OverTls, AnotherAuthorityIsNotBelieved) {
  write("ca.pem", net::TestAuthority{"another"}.certificate());
  auto facts = look();
  ASSERT_TRUE(facts.engine.error);
  EXPECT_EQ(facts.engine.error->code, "tls_unknown_authority");
}

TEST_F(OverTls, AClientThatChecksNobodyIsToldAndNotFollowed) {
  environment_.docker_tls_verify.clear();
  environment_.docker_tls = "1";
  write("ca.pem", net::TestAuthority{"another"}.certificate());
  auto facts = look();
  EXPECT_EQ(judged("tls", facts).state, State::warning);
  EXPECT_TRUE(facts.engine.error);
}

}  // namespace
}  // namespace gantry::doctor
