#include "net/ssh_room.hpp"

#include "async/descriptor.hpp"
#include "base/text.hpp"
#include "net/ssh_askpass.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::net {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t runtime_max = 40;
constexpr std::string_view room_prefix = "gantry-ssh-";
constexpr std::string_view key_file = "key";
constexpr std::string_view certificate_file = "key-cert.pub";

[[noreturn]] void unusable(std::string_view path, std::string_view cause, std::string remedy) {
  throw Failure{{ErrorKind::unavailable, "ssh_room_unusable",
                 fmt::format("cannot make a private folder for SSH in '{}': {}", path, cause),
                 std::move(remedy)}};
}

/// It goes through a shell of OpenSSH's (for jump hosts), and sockets have short names.
void check_runtime(std::string_view path) {
  auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("/._-", c) != nullptr;
  };
  if (path.starts_with('/') && path.size() <= runtime_max && std::ranges::all_of(path, plain)) {
    return;
  }
  unusable(path,
           "its name is longer than 40 bytes, relative, or holds other characters than "
           "letters, digits and /._-",
           "name another folder, such as /run/gantry");
}

/// It stands between quotes in a configuration, where OpenSSH expands `%` and `${`.
void check_known_hosts(std::string_view path) {
  auto special = [](char c) {
    return std::strchr("\"\\%$~", c) != nullptr || std::iscntrl(static_cast<unsigned char>(c)) != 0;
  };
  if (path.starts_with('/') && std::ranges::none_of(path, special)) return;
  throw Failure{{ErrorKind::invalid, "known_hosts_unusable",
                 fmt::format("cannot use known hosts '{}': OpenSSH would read this name as more "
                             "than a name",
                             text::one_line(path)),
                 "use an absolute path without any of \"\\%$~"}};
}

/// A lock on the folder, which goes with its process; none where somebody else has it.
async::Descriptor locked(const fs::path& folder) {
  async::Descriptor lock{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) lock.close();
  return lock;
}

bool is_ours(const async::Descriptor& folder) {
  struct stat status{};
  return ::fstat(folder.get(), &status) == 0 && status.st_uid == ::geteuid();
}

/// OpenSSH refuses keys whose last line has no end, and those with the line ends of Windows.
std::string tidied(std::string_view key) {
  return text::replaced(text::trimmed(key), "\r", "") + "\n";
}

}  // namespace

SshRoom::KeyLoan::~KeyLoan() {
  if (room_ != nullptr) room_->return_key();
}

SshRoom::SshRoom(const SshSettings& settings, const SshPlaces& places)
    : settings_{settings}, places_{places} {
  check_runtime(places.runtime);
  check_known_hosts(places.known_hosts);
  if (settings.agent == SshSettings::Agent::used && places.agent_socket.empty()) {
    throw Failure{{ErrorKind::denied, "ssh_agent_not_allowed",
                   "cannot use the SSH agent: this server's owner does not allow it",
                   "store a key for the host, or let the owner allow the agent"}};
  }
  std::string name = fs::path{places.runtime} / (std::string{room_prefix} + "XXXXXX");
  if (::mkdtemp(name.data()) == nullptr) {  // mode 0700
    unusable(places.runtime, std::strerror(errno), "let Gantry's user write there");
  }
  folder_ = name;
  lock_ = locked(folder_);
}

SshRoom::~SshRoom() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string SshRoom::file(std::string_view name) const { return folder_ / name; }

std::string SshRoom::write(std::string_view name, std::string_view text) const {
  auto path = file(name);
  async::Descriptor to{
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!to) unusable(path, std::strerror(errno), {});
  while (!text.empty()) {
    auto count = ::write(to.get(), text.data(), text.size());
    if (count < 0) unusable(path, std::strerror(errno), {});
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return path;
}

std::string SshRoom::read(std::string_view name) const {
  std::ifstream from{file(name), std::ios::binary};
  return {std::istreambuf_iterator<char>{from}, {}};
}

void SshRoom::remove(std::string_view name) const {
  std::error_code ignored;
  fs::remove(file(name), ignored);
}

SshConfigFiles SshRoom::config_files() const {
  SshConfigFiles files{.known_hosts = places_.known_hosts};
  if (!settings_.identity.empty()) files.identity = file(key_file);
  if (!settings_.identity_file.empty()) files.identity = settings_.identity_file;
  if (!settings_.certificate.empty()) files.certificate = file(certificate_file);
  if (settings_.agent == SshSettings::Agent::used) files.agent = places_.agent_socket;
  return files;
}

SshAnswers SshRoom::answers() const {
  bool any = !settings_.passphrase.empty() || !settings_.password.empty();
  return any ? SshAnswers::given : SshAnswers::none;
}

SshRoom::KeyLoan SshRoom::lend_key() {
  if (borrowers_ == 0) {
    if (!settings_.certificate.empty()) write(certificate_file, tidied(settings_.certificate));
    if (!settings_.identity.empty()) write(key_file, tidied(settings_.identity.reveal()));
  }
  ++borrowers_;
  return KeyLoan{*this};
}

void SshRoom::return_key() {
  if (--borrowers_ > 0) return;
  remove(key_file);
  remove(certificate_file);
}

void sweep_ssh_rooms(const std::string& runtime) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{runtime, ignored}) {
    auto name = entry.path().filename().string();
    if (!name.starts_with(room_prefix) || name.size() != room_prefix.size() + 6) continue;
    auto lock = locked(entry.path());
    if (lock && is_ours(lock)) fs::remove_all(entry.path(), ignored);
  }
}

std::vector<std::string> ssh_environment(const SshPlaces& places, std::string_view question) {
  std::vector<std::string> environment{
      "LC_ALL=C",
      "SHELL=/bin/sh",  // runs OpenSSH's own command line for jump hosts
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  };
  if (question.empty()) return environment;
  // Our program by our process, which is right after its file has been replaced, too.
  auto askpass = places.askpass.empty() ? fmt::format("/proc/{}/exe", ::getpid()) : places.askpass;
  environment.push_back("SSH_ASKPASS=" + askpass);
  environment.push_back("SSH_ASKPASS_REQUIRE=force");
  environment.push_back(fmt::format("{}={}", ssh_question_variable, question));
  return environment;
}

}  // namespace gantry::net
