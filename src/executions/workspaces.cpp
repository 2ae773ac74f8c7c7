#include "executions/workspaces.hpp"

#include "async/descriptor.hpp"
#include "base/encoding.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::executions {
namespace fs = std::filesystem;
namespace {

using async::Descriptor;

// The first line of a file; behind it bytes and files, so that a list needs nothing else of it.
constexpr std::string_view format = "gantry-workspace 1 ";
constexpr std::size_t first_line_max = 80;
// What is being written; no workspace has such a name.
constexpr std::string_view draft_end = ".new";

[[noreturn]] void give_up(const char* what, const fs::path& path) {
  auto cause = errno;
  bool full = cause == ENOSPC || cause == EDQUOT;
  throw Failure{{full ? ErrorKind::exhausted : ErrorKind::unavailable,
                 full ? "disk_full" : "data_dir_not_writable",
                 fmt::format("cannot {} '{}': {}", what, path.string(), std::strerror(cause)),
                 full ? "free some space" : "check the folder's owner"}};
}

void write_all(const Descriptor& file, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    auto written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) give_up("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void synchronise_folder(const fs::path& path) {
  Descriptor folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder || ::fsync(folder.get()) != 0) give_up("write", path);
}

/// One that is new is there after a crash, too.
void make_folder(const fs::path& path) {
  bool made = ::mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) give_up("make", path);
  if (made) synchronise_folder(path.parent_path());
}

fs::path draft_of(fs::path path) { return path += draft_end; }

/// A file that is written beside the one that it replaces, and is gone if it never does.
class Draft {
 public:
  explicit Draft(const fs::path& place)
      : place_{place},
        path_{draft_of(place)},
        file_{::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)} {
    if (!file_) give_up("write", path_);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() {
    if (!done_) ::unlink(path_.c_str());
  }

  void write(std::string_view bytes) { write_all(file_, bytes, path_); }
  void take_its_place() {
    if (::fsync(file_.get()) != 0) give_up("write", path_);
    if (::rename(path_.c_str(), place_.c_str()) != 0) give_up("replace", place_);
    done_ = true;
  }

 private:
  fs::path place_;
  fs::path path_;
  Descriptor file_;
  bool done_ = false;
};

/// Nothing where there is no such file. At most `max` bytes of it.
std::optional<std::string> read_file(const fs::path& path, std::size_t max) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!file && errno == ENOENT) return std::nullopt;
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) give_up("read", path);
  std::string bytes(std::min(max, static_cast<std::size_t>(status.st_size)), '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    auto count = ::read(file.get(), bytes.data() + have, bytes.size() - have);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) give_up("read", path);
    if (count == 0) break;
    have += static_cast<std::size_t>(count);
  }
  bytes.resize(have);
  return bytes;
}

struct FirstLine {
  sandbox::WorkspaceSize size;
  std::size_t length = 0;  ///< With its end.
};

std::optional<FirstLine> first_line(std::string_view bytes) {
  auto end = bytes.substr(0, first_line_max).find('\n');
  if (!bytes.starts_with(format) || end == bytes.npos) return std::nullopt;
  const auto* at = bytes.data() + format.size();
  const auto* line_end = bytes.data() + end;
  FirstLine line{.length = end + 1};
  auto read = std::from_chars(at, line_end, line.size.bytes.count);
  if (read.ec != std::errc{} || read.ptr == line_end || *read.ptr != ' ') return std::nullopt;
  read = std::from_chars(read.ptr + 1, line_end, line.size.files);
  if (read.ec != std::errc{} || read.ptr != line_end) return std::nullopt;
  return line;
}

Error no_such_workspace(const std::string& name) {
  return {ErrorKind::not_found, "no_such_workspace",
          fmt::format("cannot find workspace '{}'", text::one_line(name)),
          "GET /api/v1/workspaces lists yours"};
}

Error in_use(const std::string& name) {
  return {ErrorKind::conflict, "workspace_in_use",
          fmt::format("cannot use workspace '{}': an execution that runs or waits has it", name),
          "wait for its end, or cancel it"};
}

Error damaged(const std::string& name) {
  return {ErrorKind::unavailable, "workspace_damaged",
          fmt::format("cannot use workspace '{}': its stored copy is damaged", name),
          "delete it with DELETE /api/v1/workspaces/{name}"};
}

/// What is known of the file, whatever state it is in; nothing where there is none.
std::optional<WorkspaceInfo> look_at(const fs::path& path) {
  auto bytes = read_file(path, first_line_max);
  struct stat status{};
  if (!bytes || ::stat(path.c_str(), &status) != 0) return std::nullopt;
  auto line = first_line(*bytes);
  if (!line) log::warn("workspace '{}' is damaged", path.string());
  auto changed = std::chrono::seconds{status.st_mtim.tv_sec} +
                 std::chrono::nanoseconds{status.st_mtim.tv_nsec};
  return WorkspaceInfo{
      .name = path.filename().string(),
      .size = line ? line->size : sandbox::WorkspaceSize{},
      .changed_at = WallTime{std::chrono::duration_cast<WallTime::duration>(changed)}};
}

/// What it may take in a work folder, which has whole pages for each file.
Bytes room_for(const sandbox::WorkspaceSize& size) {
  constexpr std::uint64_t page = 4'096;
  return Bytes{size.bytes.count + size.files * page};
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator{folder, none}) {
    auto name = entry.path().filename().string();
    if (!name.ends_with(draft_end)) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

/// Accounts are ids, or names where there are no ids: anything, so it is made harmless.
fs::path Workspaces::folder_of(const std::string& account) const {
  return settings_.folder / ("of-" + encoding::percent(account));
}

async::task<void> Workspaces::remove_drafts() {
  co_await workers_.run([&] {
    std::error_code none;
    for (const auto& folder : fs::directory_iterator{settings_.folder, none}) {
      for (const auto& entry : fs::directory_iterator{folder.path(), none}) {
        const auto& path = entry.path();
        if (path.string().ends_with(draft_end)) ::unlink(path.c_str());
      }
    }
  });
}

async::task<Result<Workspaces::Lease>> Workspaces::borrow(std::string account, std::string name,
                                                          Bytes room) {
  Key key{std::move(account), std::move(name)};
  if (is_taken(key)) co_return fail(in_use(key.second));
  Lease lease{taken_, key};
  auto [known, names] = co_await workers_.run(
      [&] { return std::pair{look_at(path_of(key)), names_in(folder_of(key.first))}; });
  auto needed = known ? room_for(known->size) : Bytes{};
  if (needed > room) {
    co_return fail(ErrorKind::conflict, "workspace_too_large",
                   fmt::format("cannot use workspace '{}': it may need {} bytes, and "
                               "'limits.tmpfs_bytes' is {}",
                               key.second, needed.count, room.count),
                   "ask for more 'tmpfs_bytes', and as much more 'memory_bytes'");
  }
  std::set<std::string> all{names.begin(), names.end()};
  for (const auto& [owner, taken] : *taken_) {
    if (owner == key.first) all.insert(taken);
  }
  if (!known && all.size() > settings_.user_max) {
    co_return fail(ErrorKind::conflict, "too_many_workspaces",
                   fmt::format("cannot make workspace '{}': {} are the most a user may have",
                               key.second, settings_.user_max),
                   "delete one with DELETE /api/v1/workspaces/{name}");
  }
  co_return std::move(lease);
}

async::task<Result<sandbox::Workspace>> Workspaces::load(const Lease& lease) {
  auto path = path_of(lease.key_);
  co_return co_await workers_.run([&]() -> Result<sandbox::Workspace> {
    sandbox::Workspace workspace{
        .packed = {}, .bytes_max = settings_.bytes_max, .files_max = settings_.files_max};
    auto bytes = read_file(path, std::string::npos);
    if (!bytes) return workspace;
    auto line = first_line(*bytes);
    if (!line) return fail(damaged(lease.key_.second));
    workspace.packed = bytes->erase(0, line->length);
    auto size = sandbox::measure(workspace.packed);
    if (!size || *size != line->size) return fail(damaged(lease.key_.second));
    return workspace;
  });
}

async::task<void> Workspaces::keep(const Lease& lease, std::string packed) {
  auto folder = folder_of(lease.key_.first);
  auto path = path_of(lease.key_);
  co_await workers_.run([&] {
    auto size = value_or_throw(sandbox::measure(packed));
    make_folder(settings_.folder);
    make_folder(folder);
    Draft draft{path};
    draft.write(fmt::format("{}{} {}\n", format, size.bytes.count, size.files));
    draft.write(packed);
    draft.take_its_place();
    synchronise_folder(folder);
  });
}

async::task<std::vector<WorkspaceInfo>> Workspaces::list(std::string account) {
  auto infos = co_await workers_.run([&] {
    std::vector<WorkspaceInfo> all;
    auto folder = folder_of(account);
    for (const auto& name : names_in(folder)) {
      if (auto info = look_at(folder / name)) all.push_back(std::move(*info));
    }
    return all;
  });
  for (auto& info : infos) info.in_use = is_taken({account, info.name});
  co_return infos;
}

async::task<Result<WorkspaceInfo>> Workspaces::find(std::string account, std::string name) {
  auto all = co_await list(std::move(account));
  auto found = std::ranges::find(all, name, &WorkspaceInfo::name);
  if (found == all.end()) co_return fail(no_such_workspace(name));
  co_return std::move(*found);
}

async::task<Result<>> Workspaces::remove(std::string account, std::string name) {
  auto found = co_await find(account, name);
  if (!found) co_return fail(std::move(found.error()));
  Key key{std::move(account), std::move(name)};
  if (is_taken(key)) co_return fail(in_use(key.second));
  Lease lease{taken_, key};
  co_await workers_.run([&] {
    auto path = path_of(key);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) give_up("delete", path);
  });
  co_return ok;
}

}  // namespace gantry::executions
