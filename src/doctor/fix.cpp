#include "doctor/fix.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/process.hpp"
#include "base/text.hpp"
#include "doctor/env_file.hpp"
#include "doctor/files.hpp"
#include "doctor/usual.hpp"

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
constexpr const char* variable = "DOCKER_GID";

Change run(std::string what, std::vector<std::string> argv) {
  return {.what = std::move(what), .argv = std::move(argv)};
}

/// What may be changed on this machine, so that the subject may connect.
struct Opening {
  std::optional<Id> gid;  ///< Of the group that opens the socket.
  std::vector<Change> changes = {};
};

/// Who has an engine without root does not have to become as good as root.
bool has_own_engine(const Facts& facts) {
  return std::ranges::any_of(facts.other_sockets, [&](const SocketFile& other) {
    return is_own_engine(other, facts.subject);
  });
}

/// Whether a group could help, and may be given.
bool helps_by_group(const Facts& facts, const SocketFile& socket) {
  const auto& who = facts.subject;
  return opens_by_group(socket) && who.has_account() &&
         !may_connect(socket, who.uid, who.groups()) && socket.shut_by.empty() &&
         !facts.engine_is_outside() && !has_own_engine(facts);
}

void join_group(const Facts& facts, const SocketFile& socket, std::vector<Change>& changes) {
  bool nameless = socket.group.empty();
  // Another group of the socket's than 'docker' may be meant so: that is left to the reader.
  if (nameless && facts.docker_group) return;
  auto group = nameless ? std::string{usual_group} : socket.group;
  if (nameless) {
    changes.push_back(run(fmt::format("create group '{}' with the socket's id", group),
                          {"groupadd", "--gid", std::to_string(socket.gid), group}));
  }
  const auto& user = facts.subject.user;
  changes.push_back(
      run(fmt::format("add user '{}' to group '{}', which makes it as good as root from its next "
                      "login on",
                      user, group),
          {"usermod", "-aG", group, user}));
}

Opening open_for_subject(const Facts& facts, const FixWish& wish) {
  const auto* socket = facts.usable_socket();
  if (socket == nullptr) {
    return {facts.docker_group ? std::optional{facts.docker_group->gid} : std::nullopt};
  }
  // In a rootless engine's containers the numbers are others than out here.
  bool usable = socket->gid != root && socket->uid == root;
  Opening opening{usable ? std::optional{socket->gid} : std::nullopt};
  if (!helps_by_group(facts, *socket)) return opening;
  bool member = contains(facts.subject.account_groups, socket->gid);
  if (!member) join_group(facts, *socket, opening.changes);
  bool helped = member || !opening.changes.empty();
  if (helped && !wish.service.empty()) {
    opening.changes.push_back(
        run(fmt::format("restart service '{}', so that it has the group", wish.service),
            {"systemctl", "restart", "--", wish.service}));
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
  auto text = env_file_text(env_file);
  return text ? variable_in(*text, variable) : std::string{};
}

}  // namespace

std::string Change::command() const {
  if (argv.empty()) return fmt::format("{}={} in {}", variable, gid, env_file.string());
  return fmt::format("{}", fmt::join(argv, " "));
}

bool Change::takes_root() const { return !argv.empty(); }

std::optional<Id> container_gid(const Facts& facts, const FixWish& wish) {
  return wish.gid ? wish.gid : open_for_subject(facts, wish).gid;
}

Result<std::vector<Change>> plan(const Facts& facts, const FixWish& wish) {
  auto opening = open_for_subject(facts, wish);
  auto gid = container_gid(facts, wish);
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
      "        volumes: [\"{1}:{2}\"]\n"
      "        group_add: [\"${{DOCKER_GID:-{0}}}\"]\n\n"
      "Dockerfile, where the account has to be in the group by name\n"
      "    ARG DOCKER_GID={0}\n"
      "    RUN getent group \"$DOCKER_GID\" || groupadd --gid \"$DOCKER_GID\" docker; \\\n"
      "        usermod -aG \"$DOCKER_GID\" appuser\n",
      gid, socket, usual_socket);
}

}  // namespace gantry::doctor
