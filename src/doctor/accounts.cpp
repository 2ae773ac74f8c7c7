#include "doctor/accounts.hpp"

#include "base/text.hpp"
#include "doctor/files.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::doctor {
namespace {

/// Of getpwnam_r and the like: entries of large directories are long.
constexpr std::size_t entry_max = 1U << 20U;
constexpr int groups_max = 1 << 16;
constexpr Id init = 1;
/// Here systemd keeps whom it has made for DynamicUser=, by number and name. The numbers alone do
/// not tell: distributions and directories give accounts for good some of the same.
constexpr const char* dynamic_accounts = "/run/systemd/dynamic-uid";
constexpr std::string_view service_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.@-";

struct Account {
  std::string name;
  Id uid = 0;
  Id gid = 0;
  std::string home;
};

template <class Look>
std::optional<Account> account(Look look) {
  std::string buffer(entry_max, '\0');
  passwd entry{};
  passwd* found = nullptr;
  if (look(&entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return Account{found->pw_name, found->pw_uid, found->pw_gid, found->pw_dir};
}

std::optional<Account> account_of(Id uid) {
  return account([&](auto... rest) { return ::getpwuid_r(uid, rest...); });
}
std::optional<Account> account_named(const std::string& name) {
  return account([&](auto... rest) { return ::getpwnam_r(name.c_str(), rest...); });
}

template <class Look>
std::optional<Group> group(Look look) {
  std::string buffer(entry_max, '\0');
  ::group entry{};
  ::group* found = nullptr;
  if (look(&entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  Group out{found->gr_name, found->gr_gid, {}};
  for (char** member = found->gr_mem; *member != nullptr; ++member)
    out.members.emplace_back(*member);
  return out;
}

std::optional<Id> number_in(std::string_view text) {
  Id number = 0;
  auto [end, failed] = std::from_chars(text.begin(), text.end(), number);
  if (failed != std::errc{} || end != text.end()) return std::nullopt;
  return number;
}

/// By its name or its number.
std::optional<Account> account_called(const std::string& text) {
  auto found = account_named(text);
  auto number = found ? std::nullopt : number_in(text);
  return number ? account_of(*number) : found;
}

std::optional<Id> group_called(const std::string& text) {
  auto found = group_named(text);
  return found ? std::optional{found->gid} : number_in(text);
}

std::vector<Id> groups_of(const Account& whose) {
  std::vector<gid_t> groups(64);
  auto count = static_cast<int>(groups.size());
  while (::getgrouplist(whose.name.c_str(), whose.gid, groups.data(), &count) < 0) {
    if (count > groups_max) return {whose.gid};
    groups.resize(static_cast<std::size_t>(count));
  }
  groups.resize(static_cast<std::size_t>(count));
  return {groups.begin(), groups.end()};
}

Subject of_account(const Account& whose) {
  return {.what = fmt::format("user '{}'", whose.name),
          .user = whose.name,
          .uid = whose.uid,
          .account_groups = groups_of(whose),
          .dynamic = is_dynamic(whose.uid, dynamic_accounts),
          .kind = Subject::Kind::other};
}

/// Of one that is there only while its service runs.
Subject of_account_to_be(const ServiceAccount& whose) {
  Subject subject{.what = fmt::format("user '{}'", whose.user),
                  .user = whose.user,
                  .uid = no_id,
                  .dynamic = true,
                  .kind = Subject::Kind::other};
  auto groups = whose.groups;
  groups.push_back(whose.group);  // as a rule it is to be, too
  add_groups(subject, groups);
  return subject;
}

/// Of what a service starts (a session of sshd's, a job of cron's) nobody restarts the service.
std::string service_of(int pid, const ProcessIds& ids) {
  if (ids.parent != init) return {};
  return read_service(file_text(fmt::format("/proc/{}/cgroup", pid)).value_or(""));
}

/// Whether a process sees another list of accounts than this one. What may not be seen is taken to
/// be the same: who may change accounts may see it.
bool has_other_accounts(int pid) {
  struct stat here{};
  struct stat there{};
  if (::stat("/etc/passwd", &here) != 0) return false;
  auto folder = fmt::format("/proc/{}/root", pid);
  if (::access((folder + "/").c_str(), F_OK) != 0) return false;
  if (::stat((folder + "/etc/passwd").c_str(), &there) != 0) return errno == ENOENT;
  return here.st_dev != there.st_dev || here.st_ino != there.st_ino;
}

/// Without an account, as in many containers, a process has what it was given.
Subject without_account(int pid, const ProcessIds& ids) {
  auto groups = ids.groups;
  if (!contains(groups, ids.gid)) groups.insert(groups.begin(), ids.gid);
  return {.what = fmt::format("process {}", pid),
          .user = std::to_string(ids.uid),
          .uid = ids.uid,
          .account_groups = groups,
          .process_groups = groups,
          .pid = pid,
          .kind = Subject::Kind::other};
}

Subject of_ids(int pid, const ProcessIds& ids) {
  bool elsewhere = has_other_accounts(pid);
  auto whose = elsewhere ? std::nullopt : account_of(ids.uid);
  auto subject = without_account(pid, ids);
  if (whose) subject.account_groups = groups_of(*whose);
  if (whose) subject.user = whose->name;
  subject.elsewhere = elsewhere;
  subject.dynamic = !elsewhere && is_dynamic(ids.uid, dynamic_accounts);
  subject.service = service_of(pid, ids);
  return subject;
}

std::vector<Id> numbers(std::string_view line) {
  std::vector<Id> out;
  auto at = line.begin();
  while (at != line.end()) {
    Id number = 0;
    auto [end, failed] = std::from_chars(at, line.end(), number);
    if (failed == std::errc{}) out.push_back(number);
    at = failed == std::errc{} ? end : at + 1;
  }
  return out;
}

std::vector<Id> numbers_after(std::string_view status, std::string_view key) {
  for (auto line : text::split(status, '\n')) {
    if (line.starts_with(key)) return numbers(line.substr(key.size()));
  }
  return {};
}

}  // namespace

bool is_dynamic(Id uid, const std::filesystem::path& accounts) {
  std::error_code failed;
  auto entry = accounts / fmt::format("direct:{}", uid);
  return std::filesystem::is_symlink(std::filesystem::symlink_status(entry, failed));
}

std::optional<ProcessIds> read_process_ids(std::string_view status) {
  // Real, effective, saved, of the file system: the effective ones open sockets.
  auto uids = numbers_after(status, "Uid:");
  auto gids = numbers_after(status, "Gid:");
  if (uids.size() < 2 || gids.size() < 2) return std::nullopt;
  auto parent = numbers_after(status, "PPid:");
  return ProcessIds{.uid = uids[1],
                    .gid = gids[1],
                    .groups = numbers_after(status, "Groups:"),
                    .parent = parent.empty() ? 0 : parent.front()};
}

std::string read_service(std::string_view cgroup) {
  constexpr std::string_view slice = "/system.slice/";
  constexpr std::string_view suffix = ".service";
  for (auto line : text::split(cgroup, '\n')) {
    // hierarchy:controllers:path, and no controllers in version 2
    auto words = text::split(line, ':');
    if (words.size() < 3) continue;
    bool of_systemd = words[1].empty() || words[1] == "name=systemd";
    auto path = line.substr(words[0].size() + words[1].size() + 2);
    // What lies below a service (containers of a container engine) is not the service.
    if (!of_systemd || !path.starts_with(slice) || !path.ends_with(suffix)) continue;
    auto name = path.substr(path.rfind('/') + 1);
    name.remove_suffix(suffix.size());
    if (name.find_first_not_of(service_characters) == name.npos) return std::string{name};
  }
  return {};
}

namespace {

std::optional<ProcessIds> ids_of(int pid) {
  return read_process_ids(file_text(fmt::format("/proc/{}/status", pid)).value_or(""));
}

ProcessIds own_ids() {
  auto ids = read_process_ids(file_text("/proc/self/status").value_or(""));
  return ids ? *ids : ProcessIds{.uid = ::geteuid(), .gid = ::getegid()};
}

Subject as_this_process(Subject subject, Subject::Kind kind) {
  subject.what = kind == Subject::Kind::server ? "the server" : "this process";
  subject.kind = kind;
  return subject;
}

}  // namespace

Subject this_process(Subject::Kind kind) {
  return as_this_process(of_ids(::getpid(), own_ids()), kind);
}

Subject this_process_alone(Subject::Kind kind) {
  return as_this_process(without_account(::getpid(), own_ids()), kind);
}

std::optional<Subject> of_process_alone(int pid) {
  auto ids = ids_of(pid);
  return ids ? std::optional{without_account(pid, *ids)} : std::nullopt;
}

Result<Subject> of_process(int pid) {
  auto ids = ids_of(pid);
  if (!ids) {
    return fail(ErrorKind::not_found, "no_such_process",
                fmt::format("cannot examine process {}: there is none with this id", pid),
                "look for it with 'ps -e'");
  }
  return of_ids(pid, *ids);
}

Result<Subject> of_user(const std::string& name) {
  auto whose = account_named(name);
  if (!whose) {
    return fail(ErrorKind::not_found, "no_such_user",
                fmt::format("cannot examine user '{}': this machine has no such account", name),
                "list the accounts with 'getent passwd'");
  }
  return of_account(*whose);
}

Result<Subject> of_service_account(const ServiceAccount& whose) {
  auto name = whose.user.empty() ? std::string{"root"} : whose.user;
  auto found = account_called(name);
  if (!found && whose.dynamic) return of_account_to_be(whose);
  if (!found) {
    return fail(ErrorKind::not_found, "no_such_user",
                fmt::format("cannot examine user '{}': this machine has no such account", name),
                "make it, or name another one in the service's 'User='");
  }
  auto group = whose.group.empty() ? std::nullopt : group_called(whose.group);
  if (group) found->gid = *group;
  auto subject = of_account(*found);
  add_groups(subject, whose.groups);
  return subject;
}

void add_groups(Subject& subject, const std::vector<std::string>& groups) {
  for (const auto& name : groups) {
    auto gid = group_called(name);
    if (gid && !contains(subject.account_groups, *gid)) subject.account_groups.push_back(*gid);
  }
}

std::vector<std::string> whose_group_is(Id gid, std::string_view passwd) {
  std::vector<std::string> names;
  for (auto line : text::split(passwd, '\n')) {
    auto fields = text::split(line, ':');
    if (fields.size() > 3 && number_in(fields[3]) == gid)
      names.push_back(text::one_line(fields[0]));
  }
  return names;
}

std::optional<Group> group_named(const std::string& name) {
  return group([&](auto... rest) { return ::getgrnam_r(name.c_str(), rest...); });
}

std::optional<Group> group_with(Id gid) {
  return group([&](auto... rest) { return ::getgrgid_r(gid, rest...); });
}

std::string home_folder(const std::string& name) {
  auto whose = account_named(name);
  return whose ? whose->home : std::string{};
}

std::string user_name(Id uid) {
  auto whose = account_of(uid);
  return whose ? whose->name : std::string{};
}

}  // namespace gantry::doctor
