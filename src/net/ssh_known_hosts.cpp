#include "net/ssh_known_hosts.hpp"

#include "async/descriptor.hpp"
#include "base/encoding.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

namespace gantry::net {
namespace {

constexpr std::size_t file_max = 4U << 20U;
constexpr std::size_t digest_characters = 43;

struct Line {
  std::vector<std::string_view> names;
  SshPublicKey key;
};

/// Nothing for comments, markers and what is malformed.
std::optional<Line> parse(std::string_view text) {
  text = text::trimmed(text);
  if (text.empty() || text.front() == '#' || text.front() == '@') return std::nullopt;
  auto words = text::split(text, ' ');
  if (words.size() < 3) return std::nullopt;
  return Line{text::split(words[0], ','), {std::string{words[1]}, std::string{words[2]}}};
}

/// The line without `name`; empty when nobody is left.
std::string without(std::string_view text, std::string_view name) {
  auto line = parse(text);
  if (!line || std::ranges::find(line->names, name) == line->names.end()) return std::string{text};
  std::erase(line->names, name);
  if (line->names.empty()) return {};
  return fmt::format("{} {} {}", fmt::join(line->names, ","), line->key.type, line->key.blob);
}

[[noreturn]] void broke(std::string_view verb, const std::string& path, int cause) {
  throw Failure{{ErrorKind::unavailable, "known_hosts_unusable",
                 fmt::format("cannot {} known hosts '{}': {}", verb, path, std::strerror(cause)),
                 "let Gantry's user own this file and its folder"}};
}

/// 0, or the errno of what failed.
int write_new(const std::string& path, std::string_view text) {
  async::Descriptor file{
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!file) return errno;
  while (!text.empty()) {
    auto count = ::write(file.get(), text.data(), text.size());
    if (count < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fsync(file.get()) == 0 ? 0 : errno;
}

}  // namespace

std::string ssh_fingerprint(const SshPublicKey& key) {
  auto bytes = encoding::from_base64(key.blob);
  if (!bytes) return {};
  auto digest = encoding::base64(encoding::from_hex(encoding::sha256_hex(*bytes)).value());
  return "SHA256:" + digest.substr(0, digest.find('='));
}

bool is_ssh_fingerprint(std::string_view text) {
  constexpr std::string_view prefix = "SHA256:";
  auto is_base64 = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '/';
  };
  return text.starts_with(prefix) && text.size() == prefix.size() + digest_characters &&
         std::ranges::all_of(text.substr(prefix.size()), is_base64);
}

std::optional<SshPublicKey> recorded_ssh_key(std::string_view known_hosts) {
  std::optional<SshPublicKey> found;
  for (auto text : text::split(known_hosts, '\n')) {
    auto line = parse(text);
    if (!line) continue;
    if (found) return std::nullopt;
    found = std::move(line->key);
  }
  return found;
}

bool knows_ssh_name(std::string_view known_hosts, std::string_view name) {
  return std::ranges::any_of(text::split(known_hosts, '\n'), [&](std::string_view text) {
    auto line = parse(text);
    return line && std::ranges::find(line->names, name) != line->names.end();
  });
}

std::string with_ssh_key(std::string_view known_hosts, std::string_view name,
                         const SshPublicKey& key) {
  std::string text;
  for (auto line : text::split(known_hosts, '\n')) {
    auto kept = without(line, name);
    if (!kept.empty()) text += kept + "\n";
  }
  return text + fmt::format("{} {} {}\n", name, key.type, key.blob);
}

std::string read_known_hosts(const std::string& path) {
  std::error_code missing;
  if (!std::filesystem::exists(path, missing) && !missing) return {};
  std::ifstream file{path, std::ios::binary};
  if (!file) broke("read", path, errno);
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (text.size() > file_max) broke("read", path, EFBIG);
  return text;
}

void write_known_hosts(const std::string& path, std::string_view text) {
  auto fresh = path + ".new";
  auto cause = write_new(fresh, text);
  if (cause == 0 && ::rename(fresh.c_str(), path.c_str()) != 0) cause = errno;
  if (cause != 0) broke("write", path, cause);
}

}  // namespace gantry::net
