#include "doctor/fix.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/process.hpp"
#include "base/text.hpp"
#include "doctor/env_file.hpp"

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

/// The number that containers need: the wish, the socket's, the group's.
std::optional<Id> wanted_gid(const Facts& facts, const FixWish& wish) {
  if (wish.gid) return wish.gid;
  const auto* socket = facts.usable_socket();
  if (socket != nullptr && socket->gid != root) return socket->gid;
  if (facts.docker_group) return facts.docker_group->gid;
  return std::nullopt;
}

Change run(std::string what, std::vector<std::string> argv) {
  return {.what = std::move(what), .argv = std::move(argv)};
}

/// A group that people may be put into: the socket's own, or `docker`, made and given to it.
std::string group_for(const Facts& facts, const SocketFile& socket, std::vector<Change>& changes) {
  bool usable = !socket.group.empty() && socket.gid != root;
  if (usable) return socket.group;
  bool by_number = socket.gid != root && !facts.docker_group;
  if (by_number) {
    changes.push_back(run(fmt::format("create group '{}' with the socket's id", usual_group),
                          {"groupadd", "--gid", std::to_string(socket.gid), usual_group}));
    return usual_group;
  }
  if (!facts.docker_group) {
    changes.push_back(
        run(fmt::format("create group '{}'", usual_group), {"groupadd", usual_group}));
  }
  changes.push_back(run(fmt::format("give the socket to group '{}'", usual_group),
                        {"chgrp", usual_group, socket.path}));
  return usual_group;
}

void open_for_subject(const Facts& facts, const SocketFile& socket, std::vector<Change>& changes) {
  const auto& who = facts.subject;
  if (may_connect(socket, who.uid, who.groups())) return;
  if ((socket.mode & group_writes) == 0) return;
  if (!contains(who.account_groups, socket.gid)) {
    auto group = group_for(facts, socket, changes);
    changes.push_back(run(
        fmt::format("add user '{}' to group '{}', which makes it as good as root", who.user, group),
        {"usermod", "-aG", group, who.user}));
  }
  if (!who.service.empty()) {
    changes.push_back(
        run(fmt::format("restart service '{}', so that it has the group", who.service),
            {"systemctl", "restart", "--", who.service}));
  }
}

}  // namespace

std::string Change::command() const {
  if (argv.empty()) return fmt::format("{}={} in {}", variable, gid, env_file.string());
  return fmt::format("{}", fmt::join(argv, " "));
}

Result<std::vector<Change>> plan(const Facts& facts, const FixWish& wish) {
  std::vector<Change> changes;
  auto gid = wanted_gid(facts, wish);
  const auto* socket = facts.usable_socket();
  if (!gid) {
    return fail(ErrorKind::not_found, "no_socket",
                "cannot mend the way to the engine: there is no socket whose group could be used",
                "start the engine, or name the group's id with '--gid'");
  }
  // First, because it takes no root.
  if (!wish.env_file.empty()) {
    changes.push_back(
        {.what = "write the group's id for Compose", .env_file = wish.env_file, .gid = *gid});
  }
  if (socket != nullptr && !facts.in_container) open_for_subject(facts, *socket, changes);
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

std::string fragments(Id gid) {
  return fmt::format(
      "compose.yaml\n"
      "    services:\n"
      "      app:\n"
      "        volumes: [\"/var/run/docker.sock:/var/run/docker.sock\"]\n"
      "        group_add: [\"${{DOCKER_GID:-{0}}}\"]\n\n"
      "Dockerfile, where the account has to be in the group by name\n"
      "    ARG DOCKER_GID={0}\n"
      "    RUN getent group \"$DOCKER_GID\" || groupadd --gid \"$DOCKER_GID\" docker; \\\n"
      "        usermod -aG \"$DOCKER_GID\" appuser\n",
      gid);
}

}  // namespace gantry::doctor
