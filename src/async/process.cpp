#include "async/process.hpp"

#include "async/descriptor.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gantry::async {
namespace asio = boost::asio;

struct Process::Impl {
  Impl(const Executor& executor, int output_fd, int pid_fd, int child)
      : output{executor, output_fd}, ended{executor, pid_fd}, pid{child} {}
  ~Impl() {
    if (!reaped) {
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }
  asio::posix::stream_descriptor output;
  asio::posix::stream_descriptor ended;  // a pidfd: readable once the child has ended
  int pid;
  bool reaped = false;
};

namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const auto& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

constexpr int first_passed = 3;

/// Copies of `descriptors` above every number they are to have in the child, where none of them
/// can be overwritten by another.
std::vector<Descriptor> out_of_the_way(const std::vector<int>& descriptors) {
  std::vector<Descriptor> copies;
  int free_from = first_passed + static_cast<int>(descriptors.size());
  for (int fd : descriptors) copies.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, free_from));
  return copies;
}

/// posix_spawnp with output and error on `output_fd`, own process group, default signals.
int spawn(const ProcessSpec& spec, int output_fd, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  bool connected = spec.input_output >= 0;
  if (connected) {
    posix_spawn_file_actions_adddup2(&actions, spec.input_output, 0);
  } else {
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&actions, connected ? spec.input_output : output_fd, 1);
  posix_spawn_file_actions_adddup2(&actions, output_fd, 2);
  auto passed = out_of_the_way(spec.descriptors);
  int next = first_passed;
  for (const auto& copy : passed) {
    posix_spawn_file_actions_adddup2(&actions, copy.get(), next++);
  }
  // Also what we ourselves were started with and know nothing of.
  posix_spawn_file_actions_addclosefrom_np(&actions, next);
  sigset_t all;
  sigset_t none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  auto argv = pointers(spec.argv);
  auto env = pointers(spec.env);
  int failure = posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), env.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failure;
}

Error not_started(const ProcessSpec& spec, int error) {
  return {ErrorKind::not_found,
          "program_not_started",
          fmt::format("cannot start program '{}': {}", spec.argv.at(0), std::strerror(error)),
          {}};
}

}  // namespace

Process::Process(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&&) noexcept = default;
Process::~Process() = default;

Result<Process> Process::start(const Executor& executor, const ProcessSpec& spec) {
  CHECK(!spec.argv.empty());
  std::array<int, 2> pipe_fds{};
  if (::pipe2(pipe_fds.data(), O_CLOEXEC) != 0) return fail(not_started(spec, errno));
  pid_t pid = 0;
  int failure = spawn(spec, pipe_fds[1], pid);
  ::close(pipe_fds[1]);
  if (failure != 0) {
    ::close(pipe_fds[0]);
    return fail(not_started(spec, failure));
  }
  auto pid_fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pid_fd < 0) {  // no descriptors left: the child can not be watched
    int cause = errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    ::close(pipe_fds[0]);
    return fail(not_started(spec, cause));
  }
  return Process{std::make_unique<Impl>(executor, pipe_fds[0], pid_fd, pid)};
}

int Process::pid() const { return impl_->pid; }

task<std::size_t> Process::read_some(std::span<char> into) {
  boost::system::error_code error;
  auto count = co_await impl_->output.async_read_some(
      asio::buffer(into.data(), into.size()), asio::redirect_error(asio::use_awaitable, error));
  if (error && error != asio::error::eof) throw boost::system::system_error{error};
  co_return count;
}

task<ExitStatus> Process::wait() {
  co_await impl_->ended.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
  int status = 0;
  CHECK(::waitpid(impl_->pid, &status, 0) == impl_->pid);
  impl_->reaped = true;
  if (WIFSIGNALED(status)) co_return ExitStatus{.signal = WTERMSIG(status)};
  co_return ExitStatus{.code = WEXITSTATUS(status)};
}

void Process::kill(int signal) {
  if (!impl_->reaped) ::kill(-impl_->pid, signal);
}

task<Result<ProcessOutcome>> run_process(ProcessSpec spec, std::size_t output_max) {
  auto started = Process::start(co_await asio::this_coro::executor, spec);
  if (!started) co_return fail(started.error());
  auto process = std::move(*started);
  ProcessOutcome outcome;
  std::array<char, 8192> buffer{};
  while (auto count = co_await process.read_some(buffer)) {
    outcome.output.append(buffer.data(), count);
    if (outcome.output.size() > output_max) {
      outcome.output.erase(0, outcome.output.size() - output_max);
    }
  }
  outcome.status = co_await process.wait();
  co_return outcome;
}

}  // namespace gantry::async
