#include "integration/ssh_server.hpp"

#include "async/deadline.hpp"
#include "async/descriptor.hpp"
#include "base/random.hpp"
#include "net/ssh_askpass.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gantry {
namespace {

namespace fs = std::filesystem;

constexpr const char* sshd = "/usr/sbin/sshd";

/// A test program answers the questions of SSH as `gantry` itself does in main().
[[gnu::constructor]] void answer_questions() {
  const char* socket = std::getenv(net::ssh_question_variable);
  if (socket == nullptr) return;
  std::ifstream arguments{"/proc/self/cmdline", std::ios::binary};
  std::string word;
  std::getline(arguments, word, '\0');
  std::getline(arguments, word, '\0');
  std::_Exit(net::answer_ssh_question(socket, word));
}

std::string user_name() {
  const auto* entry = ::getpwuid(::geteuid());
  if (entry == nullptr) throw std::runtime_error{"this user has no account"};
  return entry->pw_name;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

std::uint16_t free_port() {
  async::Descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), generic, size) != 0 ||
      ::getsockname(socket.get(), generic, &size) != 0) {
    throw std::runtime_error{"no free port"};
  }
  return ntohs(address.sin_port);
}

bool answers(std::uint16_t port) {
  async::Descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  auto address = loopback(port);
  return ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

std::string run(async::TestLoop& loop, std::vector<std::string> argv) {
  auto ended = value_or_throw(loop.run(async::run_process(
      {.argv = std::move(argv), .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}}, 16'384)));
  if (!ended.status.success()) throw std::runtime_error{ended.output};
  return ended.output;
}

/// sshd's connections are sessions of their own: they are found by their parents.
void signal_tree(int pid, int signal) {
  std::ifstream children{fmt::format("/proc/{0}/task/{0}/children", pid)};
  std::vector<int> found{std::istream_iterator<int>{children}, {}};
  ::kill(pid, signal);
  for (int child : found) signal_tree(child, signal);
}

/// The machine's passwords with another one for root, in whose file only this sshd believes.
std::string with_root_password(const std::string& shadow, const std::string& hash) {
  std::string text;
  std::ifstream lines{shadow};
  for (std::string line; std::getline(lines, line);) {
    bool root = line.starts_with("root:");
    text += root ? fmt::format("root:{}:19000:0:99999:7:::\n", hash) : line + "\n";
  }
  return text;
}

void append(const std::string& file, std::string_view line) {
  std::ofstream{file, std::ios::app} << line << "\n";
}

async::task<void> until_listening(std::uint16_t port) {
  while (!answers(port)) co_await async::pause(Milliseconds{20});
}

}  // namespace

TestFolder::TestFolder() {
  std::string name = fs::temp_directory_path() / "gantry-sshd-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no folder"};
  path_ = name;
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string TestFolder::read(std::string_view name) const {
  std::ifstream file{path_ / name, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void TestFolder::write(std::string_view name, std::string_view text) const {
  std::ofstream{path_ / name, std::ios::binary} << text;
  fs::permissions(path_ / name, fs::perms::owner_read | fs::perms::owner_write);
}

std::string SshKeys::make(const std::string& name, const std::string& passphrase) {
  // Few rounds: sanitized machines are slow, and nobody attacks this key.
  run(loop_, {"ssh-keygen", "-q", "-t", "ed25519", "-a", "4", "-N", passphrase, "-C", name, "-f",
              file(name)});
  return folder_.read(name);
}

std::string SshKeys::certify(const std::string& name, const std::string& authority,
                             const std::string& principal) {
  run(loop_, {"ssh-keygen", "-q", "-s", file(authority), "-I", name, "-n", principal,
              file(name + ".pub")});
  return folder_.read(name + "-cert.pub");
}

std::string SshKeys::fingerprint(const std::string& name) {
  auto line = run(loop_, {"ssh-keygen", "-l", "-f", file(name + ".pub")});
  auto begin = line.find("SHA256:");
  return line.substr(begin, line.find(' ', begin) - begin);
}

std::optional<std::string> SshServer::missing() {
  if (!fs::exists(sshd)) return "sshd is not installed: package openssh-server";
  return std::nullopt;
}

SshServer::SshServer(async::TestLoop& loop) : SshServer{loop, Options{}} {}

SshServer::SshServer(async::TestLoop& loop, const Options& options)
    : loop_{loop},
      user_{options.account.empty() ? user_name() : options.account},
      has_password_{!options.password.empty()},
      has_account_{!options.account.empty()} {
  host_keys_.make(host_key_);
  port_ = free_port();
  folder_.write("authorized_keys", "");
  folder_.write("authorities", "");
  write_configuration(options);
  if (has_account_) make_account();
  start();
}

SshServer::~SshServer() { stop(); }

void SshServer::write_configuration(const Options& options) {
  if (has_password_) {
    auto hash = run(loop_, {"openssl", "passwd", "-6", options.password});
    hash.erase(hash.find('\n'));
    folder_.write("shadow", with_root_password("/etc/shadow", hash));
  }
  folder_.write(
      "sshd_config",
      fmt::format("{}\n"
                  "ListenAddress 127.0.0.1:{}\n"
                  "PidFile none\n"
                  "AuthorizedKeysFile {}\n"
                  "TrustedUserCAKeys {}\n"
                  "UsePAM no\n"
                  "StrictModes no\n"
                  // What the user's own shell does at its start is no business of a test's.
                  "SetEnv HOME={} {}\n"
                  "PermitRootLogin yes\n"
                  "KbdInteractiveAuthentication no\n"
                  "PasswordAuthentication {}\n"
                  "MaxStartups 100\n"
                  "LogLevel VERBOSE\n",
                  fmt::join(options.lines, "\n"), port_, folder_.file("authorized_keys"),
                  folder_.file("authorities"), folder_.file("home"),
                  fmt::join(options.variables, " "), has_password_ ? "yes" : "no"));
}

void SshServer::make_account() const {
  constexpr int id = 61'234;
  auto etc = folder_.file("etc");
  run(loop_, {"cp", "-a", "/etc", etc});
  append(etc + "/passwd", fmt::format("{0}:x:{1}:{1}::/:/bin/sh", user_, id));
  append(etc + "/group", fmt::format("{}:x:{}:", user_, id));
  append(etc + "/shadow", fmt::format("{}:*:19000:0:99999:7:::", user_));
  // sshd reads the keys as that user.
  fs::permissions(folder_.file("."), fs::perms{0711});
}

void SshServer::run_there(const std::vector<std::string>& argv) {
  std::vector<std::string> all{"nsenter", "--mount", "--target", std::to_string(process_->pid()),
                               "--"};
  all.insert(all.end(), argv.begin(), argv.end());
  run(loop_, std::move(all));
}

std::vector<std::string> SshServer::command() const {
  std::vector<std::string> argv;
  if (has_password_ || has_account_) {
    argv = {"unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            "mount --bind \"$0\" \"$1\" && shift && exec \"$@\"",
            folder_.file(has_account_ ? "etc" : "shadow"),
            has_account_ ? "/etc" : "/etc/shadow"};
  }
  argv.insert(argv.end(), {sshd, "-D", "-f", folder_.file("sshd_config"), "-h",
                           host_keys_.file(host_key_), "-E", folder_.file("log")});
  return argv;
}

std::string SshServer::name() const { return fmt::format("[127.0.0.1]:{}", port_); }

std::string SshServer::login() const { return fmt::format("{}@127.0.0.1:{}", user_, port_); }

net::Endpoint SshServer::endpoint(std::string_view path) const {
  return value_or_throw(net::Endpoint::parse(fmt::format("ssh://{}{}", login(), path)));
}

std::string SshServer::known_hosts_line() const {
  auto key = host_keys_.public_key(host_key_);
  return fmt::format("{} {}\n", name(), key.substr(0, key.rfind(' ')));
}

std::string SshServer::fingerprint() { return host_keys_.fingerprint(host_key_); }

void SshServer::accept(const std::string& public_key) {
  folder_.write("authorized_keys", folder_.read("authorized_keys") + public_key);
  if (has_account_) fs::permissions(folder_.file("authorized_keys"), fs::perms{0644});
}

void SshServer::accept_authority(const std::string& public_key) {
  folder_.write("authorities", folder_.read("authorities") + public_key);
}

void SshServer::stop() {
  if (!process_) return;
  signal_tree(process_->pid(), SIGKILL);
  process_.reset();
}

void SshServer::freeze() { signal_tree(process_->pid(), SIGSTOP); }

void SshServer::start() {
  std::error_code exists;
  fs::create_directory("/run/sshd", exists);  // sshd insists on it, and systemd would make it
  auto started = async::Process::start(
      loop_.executor(), {.argv = command(), .env = {"PATH=/usr/sbin:/usr/bin:/bin"}});
  process_.emplace(value_or_throw(std::move(started)));
  loop_.run(async::with_deadline(Seconds{60}, "starting sshd", until_listening(port_)));
}

void SshServer::renew_host_key() {
  host_key_ = "host-" + random::word(6);
  host_keys_.make(host_key_);
}

}  // namespace gantry
