#include "doctor/machine.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "doctor/files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

namespace gantry::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view listening = "0A";  // TCP_LISTEN of include/net/tcp_states.h
constexpr std::size_t log_files_max = 20'000;

std::optional<unsigned> hexadecimal(std::string_view text) {
  unsigned out = 0;
  auto [end, failed] = std::from_chars(text.begin(), text.end(), out, 16);
  if (failed != std::errc{} || end != text.end()) return std::nullopt;
  return out;
}

/// The kernel prints addresses as words of 32 bits in the machine's own order.
std::string address_text(std::string_view words) {
  std::array<unsigned, 4> address{};
  auto count = words.size() / 8;
  if (count > address.size()) return {};
  for (std::size_t i = 0; i < count; ++i) {
    address[i] = hexadecimal(words.substr(i * 8, 8)).value_or(0);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  int family = count == 1 ? AF_INET : AF_INET6;
  if (::inet_ntop(family, address.data(), text.data(), text.size()) == nullptr) return {};
  return text.data();
}

bool is_loopback(std::string_view address) {
  return address == "::1" || address.starts_with("127.") || address.starts_with("::ffff:127.");
}

void add_listening(std::vector<std::string>& out, std::string_view table,
                   std::initializer_list<unsigned> ports) {
  for (auto line : text::split(table, '\n')) {
    std::vector<std::string_view> words;
    for (auto word : text::split(line, ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    if (words.size() < 4 || words[3] != listening) continue;
    auto colon = words[1].find(':');
    if (colon == words[1].npos) continue;
    auto port = hexadecimal(words[1].substr(colon + 1));
    auto address = address_text(words[1].substr(0, colon));
    bool asked = port && std::ranges::find(ports, *port) != ports.end();
    if (!asked || address.empty() || is_loopback(address)) continue;
    out.push_back(
        fmt::format(fmt::runtime(address.contains(':') ? "[{}]:{}" : "{}:{}"), address, *port));
  }
}

/// `<id>-json.log`, and those that were put aside by their size: `<id>-json.log.1`.
void count_log(LogFacts& facts, const fs::directory_entry& entry) {
  auto name = entry.path().filename().string();
  std::error_code failed;
  bool log = name.contains("-json.log") && fs::is_regular_file(entry.symlink_status(failed));
  auto bytes = log ? entry.file_size(failed) : std::uintmax_t{0};
  if (failed || bytes == 0) return;
  ++facts.files;
  facts.bytes += bytes;
  if (bytes <= facts.largest_bytes) return;
  facts.largest_bytes = bytes;
  facts.largest = entry.path().string();
}

}  // namespace

std::string read_apparmor_profile(std::string_view current) {
  std::string_view name = text::trimmed(current);
  while (!name.empty() && name.back() == '\0') name.remove_suffix(1);
  // SELinux answers at the same place, with a context of several parts.
  if (name == "unconfined" || name.contains(':')) return {};
  return std::string{text::trimmed(name)};
}

std::string apparmor_profile(int pid) {
  return read_apparmor_profile(file_text(fmt::format("/proc/{}/attr/current", pid)).value_or(""));
}

std::string read_selinux_mode(std::string_view enforce) {
  return text::trimmed(enforce) == "1" ? "enforcing" : "permissive";
}

std::string selinux_mode() {
  auto enforce = file_text("/sys/fs/selinux/enforce");
  return enforce ? read_selinux_mode(*enforce) : std::string{};
}

bool kernel_has_apparmor() {
  auto enabled = file_text("/sys/module/apparmor/parameters/enabled").value_or("");
  return text::trimmed(enabled) == "Y";
}

std::optional<bool> clock_is_synchronised() {
  timex state{};
  int said = ::adjtimex(&state);
  if (said < 0) return std::nullopt;
  return said != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

std::string trusted_folder(const std::string& path) {
  std::error_code failed;
  auto real = fs::canonical(path, failed);
  if (failed || !path.starts_with('/')) return {};
  fs::path so_far;
  for (const auto& part : real) {
    so_far /= part;
    struct stat status{};
    if (::lstat(so_far.c_str(), &status) != 0) return {};
    bool ours = status.st_uid == root || status.st_uid == ::geteuid();
    mode_t others = status.st_gid == root ? S_IWOTH : S_IWOTH | S_IWGRP;
    bool open = (status.st_mode & others) != 0 && (status.st_mode & S_ISVTX) == 0;
    if (!ours || open) return {};
  }
  return real.string();
}

std::optional<DiskFacts> disk_at(const std::string& folder) {
  struct statvfs state{};
  if (folder.empty() || ::statvfs(folder.c_str(), &state) != 0) return std::nullopt;
  return DiskFacts{.path = folder,
                   .bytes = state.f_blocks * state.f_frsize,
                   .bytes_free = state.f_bavail * state.f_frsize,
                   .inodes = state.f_files,
                   .inodes_free = state.f_favail,
                   .read_only = (state.f_flag & ST_RDONLY) != 0};
}

std::optional<LogFacts> logs_in(const std::string& data_root, SteadyTime until) {
  std::error_code failed;
  fs::directory_iterator folders{fs::path{data_root} / "containers", failed};
  if (data_root.empty() || failed) return std::nullopt;
  LogFacts facts;
  for (; folders != fs::directory_iterator{} && facts.whole; folders.increment(failed)) {
    if (failed) break;
    facts.whole = facts.files < log_files_max && steady_now() < until;
    if (!fs::is_directory(folders->symlink_status(failed))) continue;
    fs::directory_iterator files{folders->path(), failed};
    for (; !failed && files != fs::directory_iterator{}; files.increment(failed)) {
      count_log(facts, *files);
    }
    failed.clear();
  }
  return facts;
}

std::optional<std::string> daemon_settings_in(const fs::path& file) {
  if (auto text = file_text(file)) return text;
  struct stat status{};
  bool absent = ::stat(file.c_str(), &status) != 0 && errno == ENOENT;
  return absent ? std::optional<std::string>{"{}"} : std::nullopt;
}

std::optional<bool> logs_are_bounded(std::string_view daemon_json) {
  auto value = json::parse(daemon_json, json::Keys::tolerant);
  if (!value || !value->is_object()) return std::nullopt;
  json::Fields fields{*value, "", json::Keys::tolerant};
  auto driver = fields.text("log-driver").value_or("json-file");
  if (driver != "json-file") return true;
  const auto* options = fields.member("log-opts");
  return options != nullptr && options->is_object() && options->as_object().contains("max-size");
}

std::vector<std::string> listening_at(std::string_view tcp, std::string_view tcp6,
                                      std::initializer_list<unsigned> ports) {
  std::vector<std::string> out;
  add_listening(out, tcp, ports);
  add_listening(out, tcp6, ports);
  return out;
}

}  // namespace gantry::doctor
