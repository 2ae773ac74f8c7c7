#include "init/init_harness.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gantry::init_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr uid_t sandbox_user = 64'999;
constexpr milliseconds patience_max{100'000};
constexpr int stray_descriptor = 57;

std::uint64_t number(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

Verdict parse_verdict(std::string_view payload) {
  const auto wide = [&](std::size_t index) { return number(payload.substr(10 + 8 * index, 8)); };
  return {.cause = static_cast<int>(number(payload.substr(1, 1))),
          .exit_code = static_cast<int>(number(payload.substr(2, 4))),
          .signal = static_cast<int>(number(payload.substr(6, 4))),
          .wall_us = wide(0),
          .cpu_us = wide(1),
          .memory_peak = wide(2),
          .oom_kills = wide(3),
          .stdout_bytes = wide(4),
          .stderr_bytes = wide(5),
          .truncated = static_cast<int>(number(payload.substr(58, 1))),
          .artifacts_skipped = number(payload.substr(59, 4))};
}

void write_text(const std::filesystem::path& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return;
  [[maybe_unused]] const auto written = write(fd, text.data(), text.size());
  close(fd);
}

std::string command(const std::vector<std::string>& arguments) {
  std::string frames = frame('E', "PATH=/usr/local/bin:/usr/bin:/bin");
  for (const auto& argument : arguments) frames += frame('A', argument);
  return frames;
}

bool is_root() { return geteuid() == 0; }

// A child in new namespaces, by clone and not by unshare so that it is PID 1 itself.
pid_t clone_namespaces() {
  const unsigned long spaces = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET |
                               (is_root() ? 0UL : static_cast<unsigned long>(CLONE_NEWUSER));
  return static_cast<pid_t>(syscall(SYS_clone, spaces | SIGCHLD, nullptr, nullptr, nullptr, 0UL));
}

// The network namespace is new; a program in a container finds its loopback up.
bool raise_loopback() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  const bool raised = socket >= 0 && ioctl(socket, SIOCSIFFLAGS, &request) == 0;
  close(socket);
  return raised;
}

// In the child. False with errno set when the system does not allow it.
bool prepare_namespaces(const std::filesystem::path& folder, uid_t user, gid_t group) {
  if (!is_root()) {
    write_text("/proc/self/setgroups", "deny");
    const std::string id = std::to_string(user);
    write_text("/proc/self/uid_map", id + " " + id + " 1");
    const std::string group_id = std::to_string(group);
    write_text("/proc/self/gid_map", group_id + " " + group_id + " 1");
  }
  const auto counters = folder / "cgroup";
  return raise_loopback() && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("proc", "/proc", "proc", 0, nullptr) == 0 &&
         mount(counters.c_str(), "/sys/fs/cgroup", nullptr, MS_BIND, nullptr) == 0;
}

bool become_sandbox_user() {
  return setgroups(0, nullptr) == 0 && setresgid(sandbox_user, sandbox_user, sandbox_user) == 0 &&
         setresuid(sandbox_user, sandbox_user, sandbox_user) == 0;
}

[[noreturn]] void become_init(const std::filesystem::path& folder, uid_t user, gid_t group,
                              int requests, int answers) {
  // Opened first: the sandbox user may not be allowed to walk to our build folder.
  const int binary = open(GANTRY_INIT_PATH, O_RDONLY | O_CLOEXEC);
  const std::string box = (folder / "box").string();
  std::array<char*, 3> arguments{const_cast<char*>("gantry-init"), const_cast<char*>(box.c_str()),
                                 nullptr};
  std::array<char*, 1> environment{nullptr};
  if (binary < 0 || !prepare_namespaces(folder, user, group)) _exit(99);
  if (dup2(requests, 0) < 0 || dup2(answers, 1) < 0) _exit(99);
  dup2(0, stray_descriptor);  // inherited by init by accident, as a runtime might let happen
  if (is_root() && !become_sandbox_user()) _exit(99);
  fexecve(binary, arguments.data(), environment.data());
  _exit(99);
}

}  // namespace

std::string u32(std::uint32_t value) { return u64(value).substr(4); }

std::string u64(std::uint64_t value) {
  std::string bytes(8, '\0');
  for (std::size_t i = 8; i-- > 0; value >>= 8) bytes[i] = static_cast<char>(value & 0xff);
  return bytes;
}

std::string frame(char type, std::string_view payload) {
  return type + u32(static_cast<std::uint32_t>(payload.size())) + std::string{payload};
}

std::string limits_frame(const Limits& limits) {
  return frame('L', "\x02" + u64(limits.wall_ms) + u64(limits.cpu_ms) + u64(limits.output_bytes) +
                        u64(limits.file_bytes) + u32(limits.umask) +
                        static_cast<char>(limits.flags));
}

std::string file_frame(std::uint32_t mode, std::uint64_t size, std::string_view path) {
  return frame('F', u32(mode) + u64(size) + std::string{path});
}

std::string program(const std::vector<std::string>& arguments, const Limits& limits) {
  return limits_frame(limits) + command(arguments);
}

std::string boot(const std::vector<std::string>& arguments, const Limits& limits) {
  return command(arguments) + frame('W', u64(limits.file_bytes) + u32(limits.umask));
}

Init::Init() {
  signal(SIGPIPE, SIG_IGN);
  std::string name = (std::filesystem::temp_directory_path() / "gantry-init-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder to test in");
  folder_ = name;
  std::filesystem::permissions(folder_, std::filesystem::perms{0755});
  std::filesystem::create_directory(box());
  std::filesystem::create_directory(folder_ / "cgroup");
  std::filesystem::copy_file(GANTRY_INIT_PROBE_PATH, probe());
  if (is_root() && chown(box().c_str(), sandbox_user, sandbox_user) != 0) {
    throw std::runtime_error("cannot give the work folder away");
  }
}

Init::~Init() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    reap();
  }
  if (requests_ >= 0) close(requests_);
  if (answers_ >= 0) close(answers_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string Init::why_unavailable() {
  Init init;
  init.start();
  const Outcome outcome = (init.end_input(), init.finish());
  if (outcome.types == "R") return {};
  return "cannot start gantry-init as PID 1 of a namespace of its own: this system allows no pid "
         "and mount namespaces here";
}

void Init::write_counter(std::string_view name, std::string_view content) {
  const auto path = folder_ / "cgroup" / name;
  std::filesystem::create_directories(path.parent_path());
  write_text(path, content);
}

void Init::start() {
  std::array<int, 2> requests{};
  std::array<int, 2> answers{};
  if (pipe2(requests.data(), O_CLOEXEC) != 0 || pipe2(answers.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("cannot make pipes");
  }
  const uid_t user = geteuid();
  const gid_t group = getegid();
  started_ = steady_clock::now();
  pid_ = clone_namespaces();
  if (pid_ == 0) become_init(folder_, user, group, requests[0], answers[1]);
  close(requests[0]);
  close(answers[1]);
  requests_ = requests[1];
  answers_ = answers[0];
  fcntl(requests_, F_SETFL, O_NONBLOCK);
}

bool Init::send(std::string_view bytes) {
  const auto deadline = steady_clock::now() + patience_max;
  while (!bytes.empty() && steady_clock::now() < deadline) {
    const ssize_t size = write(requests_, bytes.data(), bytes.size());
    if (size >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(size));
    } else if (errno != EAGAIN) {
      return false;
    } else {
      read_some(milliseconds{5});  // so that neither side waits for the other
    }
  }
  return bytes.empty();
}

void Init::end_input() {
  close(requests_);
  requests_ = -1;
}

void Init::stop_listening() {
  close(answers_);
  answers_ = -1;
}

bool Init::read_some(milliseconds patience) {
  pollfd answers{.fd = answers_, .events = POLLIN, .revents = 0};
  if (poll(&answers, 1, static_cast<int>(patience.count())) <= 0) return true;
  std::array<char, 65'536> bytes{};
  const ssize_t size = read(answers_, bytes.data(), bytes.size());
  if (size <= 0) return false;
  received_.append(bytes.data(), static_cast<std::size_t>(size));
  parse();
  return true;
}

void Init::parse() {
  constexpr std::size_t header = 5;
  while (received_.size() >= header) {
    const auto size = number(std::string_view{received_}.substr(1, 4));
    if (received_.size() < header + size) return;
    const char type = received_[0];
    const std::string payload = received_.substr(header, size);
    received_.erase(0, header + size);
    const bool output = type == 'O' || type == 'P' || type == 'D';
    if (!output || !outcome_.types.ends_with(type)) outcome_.types += type;
    if (type == 'O') outcome_.out += payload;
    if (type == 'P') outcome_.err += payload;
    if (type == 'X') outcome_.failure = payload;
    if (type == 'V') {
      outcome_.verdict = parse_verdict(payload);
      outcome_.verdicts.push_back(*outcome_.verdict);
    }
    if (type == 'N') {
      outcome_.artifacts.push_back({payload.substr(8), number(payload.substr(0, 8)), {}});
    }
    if (type == 'H') {
      outcome_.kept.push_back({static_cast<std::uint32_t>(number(payload.substr(0, 4))),
                               number(payload.substr(4, 8)), payload.substr(12)});
    }
    if (type == 'Y') {
      outcome_.kept_end = {static_cast<int>(number(payload.substr(0, 1))),
                           number(payload.substr(1, 4))};
    }
    if (type == 'D' && !outcome_.kept.empty()) {
      outcome_.kept.back().content += payload;
      continue;
    }
    if (type == 'D') outcome_.artifacts.back().content += payload;
  }
}

void Init::ignore_answers(milliseconds time) { poll(nullptr, 0, static_cast<int>(time.count())); }

bool Init::wait_for_output(std::string_view text) {
  const auto deadline = steady_clock::now() + patience_max;
  while (!outcome_.out.contains(text) && steady_clock::now() < deadline) {
    if (!read_some(milliseconds{100})) break;
  }
  return outcome_.out.contains(text);
}

bool Init::wait_for_frame(char type) {
  const auto deadline = steady_clock::now() + patience_max;
  while (!outcome_.types.contains(type) && steady_clock::now() < deadline) {
    if (!read_some(milliseconds{100})) break;
  }
  return outcome_.types.contains(type);
}

void Init::reap() {
  int status = 0;
  rusage used{};
  if (wait4(pid_, &status, 0, &used) == pid_ && WIFEXITED(status)) {
    outcome_.init_exit_code = WEXITSTATUS(status);
  }
  for (const auto& part : {used.ru_utime, used.ru_stime}) {
    outcome_.cpu_time +=
        std::chrono::seconds{part.tv_sec} + std::chrono::microseconds{part.tv_usec};
  }
  pid_ = -1;
}

Outcome Init::finish() {
  const auto deadline = steady_clock::now() + patience_max;
  while (answers_ >= 0 && read_some(milliseconds{100}) && steady_clock::now() < deadline) continue;
  if (pid_ > 0) {
    if (steady_clock::now() >= deadline) kill(pid_, SIGKILL);
    reap();
  }
  outcome_.elapsed = std::chrono::duration_cast<milliseconds>(steady_clock::now() - started_);
  return outcome_;
}

Outcome Init::finish_after(std::string_view bytes) {
  start();
  return finish_sent(bytes);
}

Outcome Init::finish_sent(std::string_view bytes) {
  send(bytes);
  return finish();
}

}  // namespace gantry::init_test
