#include "doctor/env_file.hpp"

#include "base/text.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::doctor {
namespace fs = std::filesystem;
namespace {

constexpr std::uintmax_t file_max = 1U << 20U;
constexpr mode_t usual_mode = 0644;

/// Where the value of a line stands in it, when the line sets `name`.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::size_t past_blanks(std::string_view line, std::size_t at) {
  while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
  return at;
}

std::optional<Span> value_in(std::string_view line, std::string_view name) {
  auto at = past_blanks(line, 0);
  constexpr std::string_view exported = "export ";
  if (line.substr(at).starts_with(exported)) at = past_blanks(line, at + exported.size());
  if (!line.substr(at).starts_with(name)) return std::nullopt;
  at = past_blanks(line, at + name.size());
  if (at == line.size() || line[at] != '=') return std::nullopt;
  auto behind = at + 1;
  at = past_blanks(line, behind);
  // A comment is no value, and stays.
  if (at > behind && at < line.size() && line[at] == '#') return Span{behind, behind};
  if (at < line.size() && (line[at] == '"' || line[at] == '\'')) {
    auto end = line.find(line[at], at + 1);
    if (end != line.npos) return Span{at, end + 1};
  }
  // Without quotes a value ends at " #", where a comment begins.
  auto end = line.find(" #", at);
  if (end == line.npos) end = line.find("\t#", at);
  if (end == line.npos) end = line.size();
  while (end > at && (line[end - 1] == ' ' || line[end - 1] == '\t')) --end;
  return Span{at, end};
}

/// Calls `each` with every line, without its end, and with the end.
template <class Each>
void for_each_line(std::string_view text, Each each) {
  while (!text.empty()) {
    auto end = text.find('\n');
    auto whole = text.substr(0, end == text.npos ? text.size() : end + 1);
    auto line = whole;
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    each(line, whole.substr(line.size()));
    text.remove_prefix(whole.size());
  }
}

Error unwritable(const fs::path& file, std::string_view cause) {
  return {ErrorKind::denied, "env_file_unwritable",
          fmt::format("cannot write '{}': {}", text::one_line(file.string()), cause),
          "make it writable, or name another one with '--env-file'"};
}

Error broken(const fs::path& file) { return unwritable(file, std::strerror(errno)); }

bool write_whole(int descriptor, std::string_view text) {
  while (!text.empty()) {
    auto count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fsync(descriptor) == 0;
}

struct Belongings {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = usual_mode;
};

/// What a file has; a new one belongs to whose folder it is, also when root makes it.
Belongings belongings_of(const fs::path& file, const struct stat* before) {
  if (before != nullptr) return {before->st_uid, before->st_gid, before->st_mode & 07777};
  struct stat folder{};
  auto parent = file.has_parent_path() ? file.parent_path() : fs::path{"."};
  bool given = ::geteuid() == 0 && ::stat(parent.c_str(), &folder) == 0;
  return given ? Belongings{folder.st_uid, folder.st_gid} : Belongings{::geteuid(), ::getegid()};
}

/// Beside the file, so that the rename is one step; gone again when that fails.
Result<> replace(const fs::path& file, std::string_view text, const Belongings& whose) {
  auto fresh = file.string() + ".gantry-XXXXXX";
  int descriptor = ::mkstemp(fresh.data());
  if (descriptor < 0) return fail(broken(file));
  bool kept = ::fchown(descriptor, whose.uid, whose.gid) == 0;
  kept = kept && ::fchmod(descriptor, whose.mode) == 0;
  bool written = kept && write_whole(descriptor, text);
  auto error = errno;
  ::close(descriptor);
  if (written && ::rename(fresh.c_str(), file.c_str()) == 0) return ok;
  if (written) error = errno;
  ::unlink(fresh.c_str());
  errno = error;
  return fail(broken(file));
}

}  // namespace

std::string with_variable(std::string_view text, std::string_view name, std::string_view value) {
  std::string out;
  bool found = false;
  std::string_view line_end = "\n";
  for_each_line(text, [&](std::string_view line, std::string_view end) {
    if (!end.empty()) line_end = end;
    if (auto span = value_in(line, name)) {
      out.append(line.substr(0, span->begin)).append(value).append(line.substr(span->end));
      found = true;
    } else {
      out.append(line);
    }
    out.append(end);
  });
  if (found) return out;
  if (!out.empty() && !out.ends_with('\n')) out.append(line_end);
  return out.append(name).append("=").append(value).append(line_end);
}

std::string variable_in(std::string_view text, std::string_view name) {
  std::string out;
  for_each_line(text, [&](std::string_view line, std::string_view) {
    auto span = value_in(line, name);
    if (!span) return;
    auto value = line.substr(span->begin, span->end - span->begin);
    bool quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'');
    out = quoted ? value.substr(1, value.size() - 2) : value;
  });
  return out;
}

Result<> set_variable(const fs::path& file, std::string_view name, std::string_view value) {
  std::error_code failed;
  auto target = fs::weakly_canonical(file, failed);
  if (failed) return fail(unwritable(file, failed.message()));
  struct stat before{};
  bool there = ::stat(target.c_str(), &before) == 0;
  if (!there && errno != ENOENT) return fail(broken(file));
  std::string text;
  if (there) {
    if (!S_ISREG(before.st_mode)) return fail(unwritable(file, "it is no file"));
    // A rename would get around the mode, which somebody has set on purpose.
    if (::access(target.c_str(), W_OK) != 0 || (before.st_mode & 0222) == 0) {
      return fail(unwritable(file, "it is read-only"));
    }
    if (fs::file_size(target, failed) > file_max || failed) {
      return fail(ErrorKind::too_large, "env_file_too_large",
                  fmt::format("cannot write '{}': it is over 1 MiB", text::one_line(file.string())),
                  "check that it is the right file");
    }
    std::ifstream in{target, std::ios::binary};
    text.assign(std::istreambuf_iterator<char>{in}, {});
    if (!in) return fail(unwritable(file, "it can not be read"));
  }
  auto fresh = with_variable(text, name, value);
  if (there && fresh == text) return ok;
  return replace(target, fresh, belongings_of(target, there ? &before : nullptr));
}

}  // namespace gantry::doctor
