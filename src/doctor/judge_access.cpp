#include "doctor/findings.hpp"
#include "doctor/judges.hpp"
#include "doctor/usual.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

// Who may connect to the socket that is there.
namespace gantry::doctor::judge {
namespace {

/// In a container no account has to exist: the number of the group is enough.
std::vector<Step> groups_for_container(const SocketFile& socket) {
  return {{fmt::format("give the container the socket's group; with Compose: group_add: [\"{}\"]",
                       socket.gid),
           fmt::format("docker run --group-add {} …", socket.gid)},
          {"and write it where Compose reads it, on the machine itself", "gantry doctor --fix"}};
}

Step socket_anew(const Facts& facts) {
  return with_restart(facts, "let a restart of the engine make its socket anew, for group 'docker'",
                      facts.docker_group ? "" : "sudo groupadd docker && ");
}

/// A host's way is made by a login of its own each time.
Step log_in_anew() {
  return {"then the server logs in anew by itself, and at once with 'gantry hosts test'"};
}

/// One without a unit: whoever reads of it is in no session of its.
Step restart_server(const Subject& who) {
  auto which = who.pid ? fmt::format(" (process {})", *who.pid) : std::string{};
  return {
      fmt::format("restart the server{}, since processes keep the groups they began with", which)};
}

Step restart_subject(const Facts& facts) {
  const auto& who = facts.subject;
  if (facts.sight == Sight::far) return log_in_anew();
  if (who.service.empty() && who.kind == Subject::Kind::server) return restart_server(who);
  if (who.service.empty()) {
    return {"then log in again, or restart the service, since running processes keep their groups"};
  }
  return {"then restart the service",
          fmt::format("sudo systemctl restart {}", shell_word(who.service))};
}

Step add_user(const Subject& who, const std::string& group) {
  return {"add the user, who can then become root",
          fmt::format("sudo usermod -aG {} {}", shell_word(group), shell_word(who.user))};
}

/// systemd gives groups to an account that it makes at each start.
Step group_in_unit(const Subject& who, const std::string& group) {
  constexpr const char* what = "name the group in its unit: who runs it can then become root";
  if (who.service.empty()) return {fmt::format("{} (SupplementaryGroups={})", what, group)};
  auto unit = who.service.ends_with(".service") ? who.service : who.service + ".service";
  auto folder = shell_word(fmt::format("/etc/systemd/system/{}.d", unit));
  return {what,
          fmt::format("sudo mkdir -p {0} && printf '[Service]\\nSupplementaryGroups=%s\\n' {1} "
                      "| sudo tee {0}/docker.conf && sudo systemctl daemon-reload",
                      folder, shell_word(group))};
}

/// What lets the subject in by a group, in order.
std::vector<Step> join_group(const Facts& facts, const SocketFile& socket) {
  std::vector<Step> steps;
  const auto& who = facts.subject;
  const auto& chosen = facts.endpoint;
  bool by_docker = chosen.source == "the default" || !chosen.variable.empty();
  for (const auto& other : facts.other_sockets) {
    if (!by_docker || !is_own_engine(other, who)) continue;
    steps.push_back({"use your own engine, which needs no group",
                     fmt::format("export DOCKER_HOST=unix://{}", shell_word(other.path))});
  }
  bool nameless = opens_by_group(socket) && socket.group.empty();
  // Also in the row above: who follows both must not fail at the second one.
  if (nameless && !facts.docker_group) {
    steps.push_back({"give the group its usual name",
                     fmt::format("sudo groupadd -f --gid {} docker", socket.gid)});
  } else if (!opens_by_group(socket) || nameless) {
    steps.push_back(socket_anew(facts));
  }
  auto group = opens_by_group(socket) && !nameless ? socket.group : std::string{usual_group};
  bool member = group == usual_group && facts.docker_group &&
                contains(who.account_groups, facts.docker_group->gid);
  if (member) return steps;
  steps.push_back(who.dynamic ? group_in_unit(who, group) : add_user(who, group));
  steps.push_back(restart_subject(facts));
  return steps;
}

/// For a process that began before its account was in the socket's group.
std::vector<Step> begin_anew(const Facts& facts, const SocketFile& socket) {
  const auto& who = facts.subject;
  if (!who.service.empty()) {
    return {
        {"restart the service", fmt::format("sudo systemctl restart {}", shell_word(who.service))}};
  }
  if (facts.sight == Sight::far) return {log_in_anew()};
  if (who.kind == Subject::Kind::server) return {restart_server(who)};
  if (who.kind == Subject::Kind::other && who.pid) {
    return {{fmt::format("end process {} and start it again, from a new login or by its service",
                         *who.pid)}};
  }
  std::vector<Step> steps{{"log out and in again, with all of the session"}};
  if (!socket.group.empty()) {
    steps.push_back({"or, for one shell", fmt::format("newgrp {}", shell_word(socket.group))});
  }
  return steps;
}

Finding root_needs_none(const SocketFile& socket, const Subject& who) {
  if (may_connect(socket, who.uid, who.groups())) return fine("root needs no group");
  return skipped("root of a container or a namespace, see below");
}

/// How the subject gets through the folder that shuts it out, and nobody else does.
std::optional<Step> let_through(const Subject& who, const SocketFile& socket) {
  auto folder = shell_word(socket.shut_by);
  switch (socket.bar) {
    case SocketFile::Bar::unknown:
      break;
    case SocketFile::Bar::owner:
      return Step{"let its owner through", fmt::format("sudo chmod u+x {}", folder)};
    case SocketFile::Bar::list:
      // Another entry would make the mask anew, and let in whom it keeps out.
      return Step{
          "its access control list, or the mask of it, shuts this user out: change what it "
          "says (Debian, Ubuntu: package acl)",
          fmt::format("getfacl {}", folder)};
    case SocketFile::Bar::mode:
      if (who.dynamic) break;
      return Step{
          "let this user through, unless it is kept out on purpose (Debian, Ubuntu: package "
          "acl)",
          fmt::format("sudo setfacl -m u:{}:x {}", shell_word(who.user), folder)};
  }
  return std::nullopt;
}

/// Whether it is a container that has to be made anew, in which this process or the subject is.
bool is_contained(const Facts& facts) {
  return facts.engine_is_outside() || facts.subject.elsewhere;
}

}  // namespace

Finding socket_group(const Facts& facts) {
  const auto* socket = facts.usable_socket();
  if (socket == nullptr) return without_socket(facts);
  auto summary = fmt::format("the socket belongs to group {}", group_text(*socket));
  if (!socket->group.empty()) return fine(std::move(summary));
  if (socket->uid != root) return fine(summary + ", and is its owner's own");
  if (facts.engine_is_outside()) return note(summary + " in this container; a number is enough");
  if (facts.docker_group) {
    return warning(fmt::format("{}; group 'docker' is {}", summary, facts.docker_group->gid),
                   {socket_anew(facts)});
  }
  return {
      State::warning,
      std::move(summary),
      {{"give it its usual name", fmt::format("sudo groupadd -f --gid {} docker", socket->gid)}}};
}

Finding membership(const Facts& facts) {
  const auto* socket = facts.usable_socket();
  if (socket == nullptr) return without_socket(facts);
  const auto& who = facts.subject;
  if (who.uid == root) return root_needs_none(*socket, who);
  if (!socket->shut_by.empty()) return unseen("a folder on the way is closed, see below");
  if (who.uid == socket->uid) return fine(fmt::format("user '{}' owns the socket", who.user));
  auto group = group_text(*socket);
  if (contains(who.account_groups, socket->gid)) {
    return fine(fmt::format("user '{}' is in group {}", who.user, group));
  }
  if (may_connect(*socket, who.uid, who.groups())) {
    return note(fmt::format("user '{}' is not in group {}, and does not need it", who.user, group));
  }
  if (is_contained(facts)) {
    return failed(fmt::format("user '{}' of {} container is not in group {}", who.user,
                              who.elsewhere ? "that" : "this", group),
                  groups_for_container(*socket));
  }
  if (!who.has_account() && !who.dynamic) {
    return failed(
        fmt::format("number {} has no account here that could be in group {}", who.uid, group),
        {{"start the process with the group, for example by",
          fmt::format("sudo setpriv --reuid {} --regid {} --groups {} …", who.uid,
                      who.groups().empty() ? who.uid : who.groups().front(), socket->gid)}});
  }
  if (!opens_by_group(*socket)) {
    return failed(fmt::format("the socket's group {} opens it for nobody", group),
                  join_group(facts, *socket));
  }
  auto summary = who.dynamic ? fmt::format(
                                   "{} gets its account at each start (DynamicUser=yes), and not "
                                   "in group {}",
                                   who.what, group)
                             : fmt::format("user '{}' is not in group {}", who.user, group);
  return failed(std::move(summary), join_group(facts, *socket));
}

Finding process_groups(const Facts& facts) {
  const auto* socket = facts.usable_socket();
  const auto& who = facts.subject;
  if (!who.process_groups) return skipped("no process is looked at");
  if (socket == nullptr) return without_socket(facts);
  if (who.uid == root) return root_needs_none(*socket, who);
  bool listed = contains(who.account_groups, socket->gid);
  bool has = contains(*who.process_groups, socket->gid);
  if (listed == has) {
    return fine(fmt::format("{} has the groups of user '{}'", who.what, who.user));
  }
  if (has) {
    return note(fmt::format("{} has group {}, although user '{}' is not in it (any more)", who.what,
                            group_text(*socket), who.user));
  }
  auto summary = fmt::format("user '{}' is in group {} by now, but {} began before that", who.user,
                             group_text(*socket), who.what);
  if (may_connect(*socket, who.uid, who.groups())) return note(summary + ", and does not need it");
  if (is_contained(facts)) {
    return failed(fmt::format("user '{}' is in group {}, but {} was started without it", who.user,
                              group_text(*socket), who.what),
                  groups_for_container(*socket));
  }
  return failed(std::move(summary), begin_anew(facts, *socket));
}

Finding access(const Facts& facts) {
  const auto* socket = facts.usable_socket();
  if (socket == nullptr) return without_socket(facts);
  const auto& who = facts.subject;
  if (may_connect(*socket, who.uid, who.groups())) {
    bool everybody = (socket->mode & S_IWOTH) != 0;
    return fine(fmt::format("{} may connect{}", who.what, everybody ? ", as everybody may" : ""));
  }
  auto summary =
      fmt::format("{}, as user '{}', may not connect to '{}'", who.what, who.user, socket->path);
  if (who.uid == root) {
    return failed(
        summary + ": this root is not the machine's, and has no rights to its files",
        {{"run the container in the machine's user namespace", "docker run --userns=host …"}});
  }
  if (!socket->shut_by.empty()) {
    std::vector<Step> steps{
        {"look at the folders on the way", fmt::format("namei -l {}", shell_word(socket->path))}};
    if (auto step = let_through(who, *socket)) steps.push_back(std::move(*step));
    return failed(fmt::format("{}: it may not enter '{}'", summary, socket->shut_by),
                  std::move(steps));
  }
  bool lacks_group =
      membership(facts).state == State::failed || process_groups(facts).state == State::failed;
  if (lacks_group) {
    return failed(std::move(summary),
                  {{"see the lines above: the account, or the process, lacks the group"}});
  }
  // Whoever has the group, or owns the file, and may not: then the file's own rights say so.
  auto why = fmt::format("mode {}", mode_text(socket->mode));
  if (!socket->acl.empty()) why += " and its access control list";
  auto whom = who.uid == socket->uid ? fmt::format("its owner '{}'", who.user)
                                     : fmt::format("group {}", group_text(*socket));
  return failed(fmt::format("{}: {} may not write to it: {}", summary, whom, why),
                {socket_anew(facts)});
}

}  // namespace gantry::doctor::judge
