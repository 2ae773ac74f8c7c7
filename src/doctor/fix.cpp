#include "doctor/fix.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/process.hpp"
#include "base/text.hpp"
#include "doctor/env_file.hpp"
#include "doctor/files.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

namespace gantry::doctor {
namespace {

constexpr Milliseconds patience{60'000};
constexpr std::size_t said_max = 16U << 10U;
constexpr unsigned group_writes = 0020;
constexpr const char* usual_group = "docker";
constexpr const char* variable = "DOCKER_GID";

Change run(std::string what, std::vector<std::string> argv) {
  return {.what = std::move(what), .argv = std::move(argv)};
}

/// A group that people may be put into, and what has to be done before they are.
struct GroupPlan {
  std::string name;
  std::optional<Id> gid;  ///< Nothing: it gets one when it is made.
  std::vector<Change> changes = {};
};

/// The socket's own group, or `docker`, made and given to it.
GroupPlan group_for(const Facts& facts, const SocketFile& socket) {
  if (!socket.group.empty() && socket.gid != root) return {socket.group, socket.gid};
  GroupPlan plan{usual_group, {}};
  if (socket.gid != root && !facts.docker_group) {
    plan.gid = socket.gid;
    plan.changes = {run(fmt::format("create group '{}' with the socket's id", usual_group),
                        {"groupadd", "--gid", std::to_string(socket.gid), usual_group})};
    return plan;
  }
  if (facts.docker_group) {
    plan.gid = facts.docker_group->gid;
  } else {
    plan.changes.push_back(
        run(fmt::format("create group '{}'", usual_group), {"groupadd", usual_group}));
  }
  plan.changes.push_back(run(fmt::format("give the socket to group '{}'", usual_group),
                             {"chgrp", usual_group, socket.path}));
  return plan;
}

/// What may be changed on this machine, so that the subject may connect.
struct Opening {
  std::optional<Id> gid;  ///< Of the group that opens the socket afterwards.
  std::vector<Change> changes = {};
};

Opening open_for_subject(const Facts& facts) {
  const auto* socket = facts.usable_socket();
  if (socket == nullptr)
    return {facts.docker_group ? std::optional{facts.docker_group->gid} : std::nullopt};
  // In a rootless engine's containers the numbers are others than out here.
  bool usable = socket->gid != root && socket->uid == root;
  auto as_it_is = usable ? std::optional{socket->gid} : std::nullopt;
  const auto& who = facts.subject;
  bool open = may_connect(*socket, who.uid, who.groups());
  bool by_group = (socket->mode & group_writes) != 0;
  if (open || !by_group || facts.engine_is_outside()) return {as_it_is};
  Opening opening{as_it_is};
  if (!contains(who.account_groups, socket->gid)) {
    // Nobody without an account can be put into a group.
    if (!who.has_account()) return opening;
    auto group = group_for(facts, *socket);
    opening = {group.gid, std::move(group.changes)};
    bool member = group.gid && contains(who.account_groups, *group.gid);
    if (!member) {
      opening.changes.push_back(
          run(fmt::format("add user '{}' to group '{}', which makes it as good as root from its "
                          "next login on",
                          who.user, group.name),
              {"usermod", "-aG", group.name, who.user}));
    }
  }
  if (!who.service.empty()) {
    opening.changes.push_back(
        run(fmt::format("restart service '{}', so that it has the group", who.service),
            {"systemctl", "restart", "--", who.service}));
  }
  return opening;
}

/// Where a tool for accounts is: root's own PATH after `su` often lacks their folders.
std::string program_file(const std::string& name, const std::string& path) {
  auto file = found_in(path + ":/usr/sbin:/sbin", name);
  return file.empty() ? name : file;
}

/// What DOCKER_GID is in a file; empty where there is no such file or line.
std::string value_in(const std::filesystem::path& env_file) {
  return variable_in(file_text(env_file).value_or(""), variable);
}

}  // namespace

std::string Change::command() const {
  if (argv.empty()) return fmt::format("{}={} in {}", variable, gid, env_file.string());
  return fmt::format("{}", fmt::join(argv, " "));
}

bool Change::takes_root() const { return !argv.empty(); }

Result<std::vector<Change>> plan(const Facts& facts, const FixWish& wish) {
  auto opening = open_for_subject(facts);
  auto gid = wish.gid ? wish.gid : opening.gid;
  if (!gid && facts.usable_socket() == nullptr) {
    return fail(ErrorKind::not_found, "no_socket",
                "cannot mend the way to the engine: there is no socket whose group could be used",
                "see to the socket first, or name the group's id with '--gid'");
  }
  std::vector<Change> changes;
  // First, because it takes no root. A file that says so already is left alone.
  bool file = gid && !wish.env_file.empty() && value_in(wish.env_file) != std::to_string(*gid);
  if (file) {
    changes.push_back(
        {.what = "write the group's id for Compose", .env_file = wish.env_file, .gid = *gid});
  }
  std::ranges::move(opening.changes, std::back_inserter(changes));
  return changes;
}

async::task<Result<>> make(Change change, std::string path) {
  if (change.argv.empty()) {
    co_return set_variable(change.env_file, variable, std::to_string(change.gid));
  }
  if (::geteuid() != root) {
    co_return fail(ErrorKind::denied, "not_root",
                   fmt::format("cannot run '{}': that takes root", change.command()),
                   "run it with sudo");
  }
  auto command = change.command();
  change.argv.front() = program_file(change.argv.front(), path);
  auto ended = co_await async::attempt(async::with_deadline(
      patience, command, async::run_process({std::move(change.argv), {"PATH=" + path}}, said_max)));
  if (!ended) co_return fail(std::move(ended.error()));
  const auto& outcome = *ended;
  if (outcome.status.success()) co_return ok;
  co_return fail(ErrorKind::unavailable, "fix_failed",
                 fmt::format("cannot run '{}': it ended with exit code {} and said '{}'", command,
                             outcome.status.code,
                             text::one_line(text::shortened(text::trimmed(outcome.output), 500))));
}

std::string fragments(Id gid, std::string_view socket) {
  return fmt::format(
      "compose.yaml\n"
      "    services:\n"
      "      app:\n"
      "        volumes: [\"{1}:/var/run/docker.sock\"]\n"
      "        group_add: [\"${{DOCKER_GID:-{0}}}\"]\n\n"
      "Dockerfile, where the account has to be in the group by name\n"
      "    ARG DOCKER_GID={0}\n"
      "    RUN getent group \"$DOCKER_GID\" || groupadd --gid \"$DOCKER_GID\" docker; \\\n"
      "        usermod -aG \"$DOCKER_GID\" appuser\n",
      gid, socket);
}

}  // namespace gantry::doctor
