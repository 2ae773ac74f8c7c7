#include "doctor/env_file.hpp"

#include "base/text.hpp"
#include "doctor/acl.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::doctor {
namespace fs = std::filesystem;
namespace {

constexpr std::uintmax_t file_max = 1U << 20U;
constexpr mode_t usual_mode = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;

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
  auto end = std::min({line.find(" #", at), line.find("\t#", at), line.size()});
  while (end > at && (line[end - 1] == ' ' || line[end - 1] == '\t')) --end;
  return Span{at, end};
}

/// Where a quote begins in a line `NAME="…` that does not end in it; npos: none does.
std::size_t open_quote(std::string_view line) {
  auto equals = line.find('=');
  auto comment = line.find('#');
  if (equals == line.npos || comment < equals) return line.npos;
  auto at = past_blanks(line, equals + 1);
  bool quote = at < line.size() && (line[at] == '"' || line[at] == '\'');
  return quote && line.find(line[at], at + 1) == line.npos ? at : line.npos;
}

/// Calls `each` with every line, without its end, and with the end; `inside`: it goes on with a
/// value of an earlier one.
template <class Each>
void for_each_line(std::string_view text, Each each) {
  std::size_t inside = 0;  // up to here
  for (std::size_t begin = 0; begin < text.size();) {
    auto end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    auto whole = text.substr(begin, end - begin);
    auto line = whole;
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    bool goes_on = begin < inside;
    auto quote = goes_on ? line.npos : open_quote(line);
    // Who never closes it has written no such value.
    auto closed = quote == line.npos ? text.npos : text.find(line[quote], end);
    if (closed != text.npos) inside = closed + 1;
    each(line, whole.substr(line.size()), goes_on);
    begin = end;
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
  std::string list = {};  ///< acl_attribute
};

/// A new file belongs to whose folder it is, also when root makes it.
Belongings belongings_of_new(const fs::path& file) {
  struct stat folder{};
  auto parent = file.has_parent_path() ? file.parent_path() : fs::path{"."};
  bool given = ::geteuid() == 0 && ::stat(parent.c_str(), &folder) == 0;
  return given ? Belongings{folder.st_uid, folder.st_gid} : Belongings{::geteuid(), ::getegid()};
}

/// A file as it was when it was opened.
struct Before {
  std::string text;
  Belongings whose;
};

bool read_whole(int descriptor, std::string& text) {
  std::array<char, 16U << 10U> piece{};
  for (;;) {
    auto count = ::read(descriptor, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    if (count == 0 || text.size() > file_max) return true;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
}

/// By one descriptor, so that text, owner and mode are of the same file, whatever its folder's
/// owner puts into its place meanwhile. Nothing: there is none.
Result<std::optional<Before>> read_before(const fs::path& file, const fs::path& shown) {
  int descriptor = ::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return std::optional<Before>{};
  if (descriptor < 0) return fail(broken(shown));
  struct stat status{};
  Before before;
  bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  bool read = regular && read_whole(descriptor, before.text);
  auto list = acl_attribute(descriptor);
  ::close(descriptor);
  if (!regular) return fail(unwritable(shown, "it is no file"));
  if (!read) return fail(unwritable(shown, "it can not be read"));
  if (!list) return fail(unwritable(shown, "its access control list can not be read"));
  before.whose = {status.st_uid, status.st_gid, status.st_mode & ALLPERMS, std::move(*list)};
  if (before.text.size() > file_max) {
    return fail(ErrorKind::too_large, "env_file_too_large",
                fmt::format("cannot write '{}': it is over 1 MiB", text::one_line(shown.string())),
                "check that it is the right file");
  }
  return std::optional{std::move(before)};
}

/// As root somebody's link must not lead us to what is not theirs.
bool leads_to_another_owner(const fs::path& file, const Before& before) {
  struct stat link{};
  bool is_link = ::lstat(file.c_str(), &link) == 0 && S_ISLNK(link.st_mode);
  return is_link && ::geteuid() == 0 && link.st_uid != 0 && link.st_uid != before.whose.uid;
}

bool give(int descriptor, const Belongings& whose) {
  if (::fchown(descriptor, whose.uid, whose.gid) != 0) return false;
  if (::fchmod(descriptor, whose.mode) != 0) return false;
  return whose.list.empty() || set_acl_attribute(descriptor, whose.list);
}

/// Beside the file, so that the rename is one step; gone again when that fails.
Result<> replace(const fs::path& file, std::string_view text, const Belongings& whose) {
  auto fresh = file.string() + ".gantry-XXXXXX";
  int descriptor = ::mkstemp(fresh.data());
  if (descriptor < 0) return fail(broken(file));
  bool written = give(descriptor, whose) && write_whole(descriptor, text);
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
  for_each_line(text, [&](std::string_view line, std::string_view end, bool goes_on) {
    if (!end.empty()) line_end = end;
    auto span = goes_on ? std::nullopt : value_in(line, name);
    if (span) {
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
  for_each_line(text, [&](std::string_view line, std::string_view, bool goes_on) {
    auto span = goes_on ? std::nullopt : value_in(line, name);
    if (!span) return;
    auto value = line.substr(span->begin, span->end - span->begin);
    bool quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'');
    out = quoted ? value.substr(1, value.size() - 2) : value;
  });
  return out;
}

std::optional<std::string> env_file_text(const fs::path& file) {
  std::error_code failed;
  auto target = fs::weakly_canonical(file, failed);
  if (failed) return std::nullopt;
  auto before = read_before(target, file);
  if (!before || !*before) return std::nullopt;
  return std::move((*before)->text);
}

Result<> set_variable(const fs::path& file, std::string_view name, std::string_view value) {
  std::error_code failed;
  auto target = fs::weakly_canonical(file, failed);
  if (failed) return fail(unwritable(file, failed.message()));
  auto read = read_before(target, file);
  if (!read) return fail(read.error());
  const auto& before = *read;
  if (!before) return replace(target, with_variable("", name, value), belongings_of_new(target));
  // A rename would get around the mode, which somebody has set on purpose.
  constexpr mode_t anybody_writes = S_IWUSR | S_IWGRP | S_IWOTH;
  bool writable = ::access(target.c_str(), W_OK) == 0 && (before->whose.mode & anybody_writes) != 0;
  if (!writable) return fail(unwritable(file, "it is read-only"));
  if (leads_to_another_owner(file, *before)) {
    return fail(unwritable(file, "it is a link to a file of somebody else"));
  }
  auto fresh = with_variable(before->text, name, value);
  return fresh == before->text ? ok : replace(target, fresh, before->whose);
}

}  // namespace gantry::doctor
