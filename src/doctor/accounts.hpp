#pragma once

#include "base/error.hpp"
#include "doctor/facts.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// Accounts and groups as the machine's name service knows them (nss(5)), and what processes have.
namespace gantry::doctor {

/// With its effective ids, and the service whose main process it is.
Subject this_process(Subject::Kind kind = Subject::Kind::self);
/// The same of another one. Refused: not_found, `no_such_process`.
Result<Subject> of_process(int pid);
/// The same as the kernel alone tells, where the name service does not answer: without names.
Subject this_process_alone(Subject::Kind kind);
std::optional<Subject> of_process_alone(int pid);
/// Refused: not_found, `no_such_user`.
Result<Subject> of_user(const std::string& name);
/// With whom a service would begin, by names or numbers.
struct ServiceAccount {
  std::string user;                 ///< Empty: root.
  std::string group;                ///< Empty: the user's own.
  std::vector<std::string> groups;  ///< More of them.
  bool dynamic = false;             ///< Made at the start (DynamicUser=), unless it is there.
};
/// Refused: not_found, `no_such_user`.
Result<Subject> of_service_account(const ServiceAccount& whose);
/// Counts what a service's settings give to its account's groups.
void add_groups(Subject& subject, const std::vector<std::string>& groups);

/// Whether systemd has made an account for a service that runs, by the folder where it keeps such.
bool is_dynamic(Id uid, const std::filesystem::path& accounts);

/// Nothing where the machine has none.
std::optional<Group> group_named(const std::string& name);
std::optional<Group> group_with(Id gid);
/// Whose own group it is, from the text of /etc/passwd (passwd(5)).
std::vector<std::string> whose_group_is(Id gid, std::string_view passwd);
/// Empty: there is none.
std::string user_name(Id uid);
std::string home_folder(const std::string& name);

/// The ids of a process, from the text of its /proc/PID/status (proc(5)); nothing when it is none.
struct ProcessIds {
  Id uid = 0;
  Id gid = 0;
  std::vector<Id> groups;
  Id parent = 0;  ///< The process that started it.
};
std::optional<ProcessIds> read_process_ids(std::string_view status);

/// The systemd service that a process belongs to, from the text of its /proc/PID/cgroup
/// (cgroups(7); version 1, 2 or both): `gantry` of /system.slice/gantry.service. Empty: none.
std::string read_service(std::string_view cgroup);

}  // namespace gantry::doctor
