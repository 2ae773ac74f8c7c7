#include "async/process.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/asio/this_coro.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gantry::async {
namespace {

ProcessSpec program(std::vector<std::string> argv) {
  return {.argv = std::move(argv), .env = {"PATH=/usr/bin:/bin", "GREETING=hello"}};
}

TEST(ProcessTest, OutputAndExitCodeComeBack) {
  auto ended = run_test(run_process(program({"sh", "-c", "echo out; echo err >&2; exit 3"}), 100));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->output, "out\nerr\n");
  EXPECT_EQ(ended->status.code, 3);
  EXPECT_FALSE(ended->status.success());
}

TEST(ProcessTest, TheEnvironmentIsTheOneGivenAndInputIsEmpty) {
  auto ended = run_test(run_process(program({"sh", "-c", "cat; echo $GREETING $HOME"}), 100));
  EXPECT_EQ(ended->output, "hello\n");
}

TEST(ProcessTest, PassesDescriptorsInTheirOrderWhateverTheirNumbers) {
  int first[2];
  int second[2];
  ASSERT_EQ(::pipe(first), 0);
  ASSERT_EQ(::pipe(second), 0);
  ASSERT_EQ(::write(first[1], "first ", 6), 6);
  ASSERT_EQ(::write(second[1], "second", 6), 6);
  ::close(first[1]);
  ::close(second[1]);
  auto spec = program({"sh", "-c", "cat <&3; cat <&4; test -e /proc/self/fd/5 || echo ."});
  spec.descriptors = {first[0], second[0]};
  auto ended = run_test(run_process(spec, 100));
  ::close(first[0]);
  ::close(second[0]);
  EXPECT_EQ(ended->output, "first second.\n");
}

TEST(ProcessTest, AConnectedChildSpeaksOnTheDescriptorAndComplainsOnThePipe) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  ASSERT_EQ(::write(ends[0], "question\n", 9), 9);
  auto spec = program({"sh", "-c", "read line; echo answer to $line; echo complaint >&2"});
  spec.input_output = ends[1];
  auto ended = run_test(run_process(spec, 100));
  ::close(ends[1]);
  char answer[100];
  auto count = ::read(ends[0], answer, sizeof answer);
  ::close(ends[0]);
  EXPECT_EQ(ended->output, "complaint\n");
  EXPECT_EQ(std::string(answer, static_cast<std::size_t>(count)), "answer to question\n");
}

TEST(ProcessTest, ArgumentsAreNotReadByAShell) {
  auto ended = run_test(run_process(program({"echo", "$HOME; rm -rf /*", "`id`"}), 100));
  EXPECT_EQ(ended->output, "$HOME; rm -rf /* `id`\n");
}

TEST(ProcessTest, AProgramThatIsNotThereIsRefused) {
  auto ended = run_test(run_process(program({"no-such-program-here"}), 100));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, "program_not_started");
  EXPECT_THAT(ended.error().message, testing::HasSubstr("no-such-program-here"));
}

TEST(ProcessTest, OnlyTheEndOfALongOutputIsKept) {
  auto ended = run_test(run_process(program({"seq", "100000"}), 7));
  EXPECT_EQ(ended->output, "100000\n");
}

TEST(ProcessTest, ASignalIsToldApartFromAnExitCode) {
  auto ended = run_test(run_process(program({"sh", "-c", "kill -TERM $$"}), 100));
  EXPECT_EQ(ended->status.signal, SIGTERM);
}

TEST(ProcessTest, NoDescriptorOfOursIsInherited) {
  auto ended = run_test(run_process(program({"ls", "/proc/self/fd"}), 1'000));
  EXPECT_EQ(ended->output, "0\n1\n2\n3\n");  // 3 is ls reading the folder
}

task<int> start_and_forget() {
  auto started = Process::start(co_await boost::asio::this_coro::executor,
                                program({"sh", "-c", "sleep 100 & sleep 100 & wait"}));
  auto pid = started->pid();
  co_await pause(Milliseconds{50});
  co_return pid;
}

/// How many processes of a group run; those that only wait to be reaped do not.
int running_in_group(int group) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    std::ifstream stream{entry.path() / "stat"};
    std::string line;
    std::getline(stream, line);
    auto rest = line.rfind(')');
    if (rest == std::string::npos) continue;
    std::istringstream fields{line.substr(rest + 1)};
    std::string state;
    int parent = 0;
    int process_group = 0;
    fields >> state >> parent >> process_group;
    if (process_group == group && state != "Z") ++count;
  }
  return count;
}

TEST(ProcessTest, AForgottenOneIsKilledWithItsChildren) {
  auto pid = run_test(start_and_forget());
  run_test(until([pid] { return running_in_group(pid) == 0; }));
}

TEST(ProcessTest, ADeadlineKillsIt) {
  auto before = steady_now();
  auto ended = run_test(attempt(
      with_deadline(Milliseconds{20}, "sleeping", run_process(program({"sleep", "100"}), 100))));
  EXPECT_EQ(ended.error().code, "timed_out");
  EXPECT_LT(steady_now() - before, Seconds{5});
}

/// Lets this process have only `spare` more descriptors, while it lives.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t spare) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    auto lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(lowest);
    rlimit tight{static_cast<rlim_t>(lowest) + spare, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &tight);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

Result<Process> start_with(rlim_t spare, const Executor& executor) {
  FewDescriptors few{spare};  // not around EXPECT: the sanitizers want descriptors there
  return Process::start(executor, program({"true"}));
}

TEST(ProcessTest, WithoutDescriptorsItIsRefused) {
  TestLoop loop;
  ASSERT_TRUE(Process::start(loop.executor(), program({"true"})));  // the loop has its own now
  EXPECT_FALSE(start_with(0, loop.executor()));
  EXPECT_FALSE(start_with(1, loop.executor()));
  EXPECT_TRUE(start_with(10, loop.executor()));
}

}  // namespace
}  // namespace gantry::async
