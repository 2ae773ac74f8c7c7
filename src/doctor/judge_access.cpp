#include "doctor/judges.hpp"

#include <fmt/format.h>

namespace gantry::doctor::judge {
namespace {

using Kind = SocketFile::Kind;

constexpr unsigned group_may_write = 0020;
constexpr unsigned others_may_write = 0002;

Finding skipped(std::string why) { return {State::skipped, std::move(why)}; }
Finding fine(std::string summary) { return {State::ok, std::move(summary)}; }
Finding note(std::string summary) { return {State::note, std::move(summary)}; }
Finding failed(std::string summary, std::vector<Step> remedy) {
  return {State::failed, std::move(summary), std::move(remedy)};
}

/// `docker (998)`, or `998, which has no name`.
std::string group_text(const SocketFile& socket) {
  return socket.group.empty() ? fmt::format("{}, which has no name", socket.gid)
                              : fmt::format("'{}' ({})", socket.group, socket.gid);
}

std::string mode_text(unsigned mode) {
  std::string text = "srwxrwxrwx";
  for (std::size_t bit = 0; bit < 9; ++bit) {
    if ((mode >> (8 - bit) & 1U) == 0) text[bit + 1] = '-';
  }
  return text;
}

Step mount_it(const std::string& path) {
  return {fmt::format("give the container the host's socket; with Compose: volumes: "
                      "[\"{0}:{0}\"]",
                      path),
          fmt::format("docker run -v {0}:{0} …", path)};
}

Finding missing(const Facts& facts) {
  const auto& path = facts.socket->path;
  if (facts.in_container) {
    return failed(fmt::format("there is no '{}' in this container: nobody mounted it", path),
                  {mount_it(path)});
  }
  if (!facts.other_sockets.empty()) {
    const auto& other = facts.other_sockets.front().path;
    return failed(fmt::format("there is no '{}', but an engine's socket at '{}'", path, other),
                  {{"use that one", fmt::format("export DOCKER_HOST=unix://{}", other)},
                   {"or for good", fmt::format("docker context create here --docker "
                                               "host=unix://{} && docker context use here",
                                               other)}});
  }
  if (!facts.engine_installed) {
    return failed(fmt::format("there is no '{}', and no Docker engine is installed", path),
                  {{"install one (Debian, Ubuntu)", "sudo apt install docker.io"}});
  }
  return failed(fmt::format("there is no '{}': the engine does not run", path),
                {{"start it", "sudo systemctl start docker"},
                 {"and at each boot", "sudo systemctl enable docker"},
                 {"where it does not start", "sudo journalctl -u docker -n 50"}});
}

Finding not_a_socket(const SocketFile& socket) {
  bool folder = socket.kind == Kind::folder;
  return failed(
      fmt::format("'{}' is {}: {}", socket.path, folder ? "a folder" : "no socket",
                  folder ? "Docker makes one where a container mounts a socket that is not there"
                         : "something else took its name"),
      {{"stop what uses it, remove it, and let the engine make its socket",
        fmt::format("sudo systemctl stop docker.socket docker && sudo {} {} && sudo systemctl "
                    "start docker",
                    folder ? "rmdir" : "rm", socket.path)}});
}

/// In a container no account has to exist: the number of the group is enough.
std::vector<Step> groups_for_container(const SocketFile& socket) {
  return {{fmt::format("give the container the socket's group; with Compose: group_add: [\"{}\"]",
                       socket.gid),
           fmt::format("docker run --group-add {} …", socket.gid)},
          {"and write it where Compose reads it, on the machine itself", "gantry doctor --fix"}};
}

bool passes_by_group(const SocketFile& socket) {
  return !socket.group.empty() && (socket.mode & group_may_write) != 0 && socket.gid != root;
}

}  // namespace

Finding endpoint(const Facts& facts) {
  const auto& chosen = facts.endpoint;
  if (chosen.wrong) {
    return failed(chosen.wrong->message,
                  {{chosen.wrong->remedy.empty() ? "take the setting away" : chosen.wrong->remedy,
                    chosen.source == "DOCKER_HOST" ? "unset DOCKER_HOST" : ""}});
  }
  auto summary = fmt::format("{}, by {}", chosen.text, chosen.source);
  bool overruled = chosen.source == "DOCKER_HOST" && !chosen.context.empty();
  if (!overruled) return fine(std::move(summary));
  return note(fmt::format("{}; it overrules the context '{}'", summary, chosen.context));
}

Finding socket(const Facts& facts) {
  if (!facts.socket) return skipped("the endpoint is no Unix socket");
  const auto& socket = *facts.socket;
  switch (socket.kind) {
    case Kind::missing:
      return missing(facts);
    case Kind::hidden:
      return failed(
          fmt::format("'{}' can not be seen: a folder on the way may not be entered", socket.path),
          {{"name the socket of your own engine", "export DOCKER_HOST=unix://…"},
           {"look where it stops", fmt::format("namei -l {}", socket.path)}});
    case Kind::file:
    case Kind::folder:
    case Kind::other:
      return not_a_socket(socket);
    case Kind::socket:
      break;
  }
  auto summary =
      fmt::format("{} {} {} {}", mode_text(socket.mode),
                  socket.owner.empty() ? std::to_string(socket.uid) : socket.owner,
                  socket.group.empty() ? std::to_string(socket.gid) : socket.group, socket.path);
  if (!socket.leads_to.empty()) summary += " -> " + socket.leads_to;
  if (!socket.acl.empty()) summary += ", with an access control list";
  if (!socket.read_only_mount || !socket.mounted) return fine(std::move(summary));
  return note(summary + "; mounted read-only, which protects nothing: who connects may do all");
}

Finding socket_group(const Facts& facts) {
  const auto* socket = facts.usable_socket();
  if (socket == nullptr) return skipped("there is no socket to look at");
  if (!socket->group.empty()) {
    return fine(fmt::format("the socket belongs to group {}", group_text(*socket)));
  }
  auto summary = fmt::format("the socket belongs to group {}", group_text(*socket));
  if (facts.in_container) return note(summary + " in this container; the number is enough");
  if (facts.docker_group) {
    return {State::warning,
            fmt::format("{}; group 'docker' is {}", summary, facts.docker_group->gid),
            {{"let the engine make its socket anew, for group 'docker'",
              "sudo systemctl restart docker.socket docker"}}};
  }
  return {State::warning,
          std::move(summary),
          {{"give it its usual name", fmt::format("sudo groupadd --gid {} docker", socket->gid)}}};
}

Finding membership(const Facts& facts) {
  const auto* socket = facts.usable_socket();
  if (socket == nullptr) return skipped("there is no socket to look at");
  const auto& who = facts.subject;
  if (who.uid == root) return fine("root needs no group");
  if (contains(who.account_groups, socket->gid)) {
    return fine(fmt::format("user '{}' is in group {}", who.user, group_text(*socket)));
  }
  if (may_connect(*socket, who.uid, who.groups())) {
    return note(fmt::format("user '{}' is not in group {}, and does not need it", who.user,
                            group_text(*socket)));
  }
  if (facts.in_container) {
    return failed(fmt::format("user '{}' of this container is not in group {}", who.user,
                              group_text(*socket)),
                  groups_for_container(*socket));
  }
  if (!passes_by_group(*socket)) {
    return failed(fmt::format("the socket's group {} opens it for nobody", group_text(*socket)),
                  {{"let the engine make its socket anew, for group 'docker'",
                    "sudo groupadd -f docker && sudo systemctl restart docker.socket docker"}});
  }
  return failed(
      fmt::format("user '{}' is not in group {}", who.user, group_text(*socket)),
      {{"add the user; members of this group can become root",
        fmt::format("sudo usermod -aG {} {}", socket->group, who.user)},
       {"then log in again, or restart the service: running processes keep their groups", ""}});
}

Finding process_groups(const Facts& facts) {
  const auto* socket = facts.usable_socket();
  const auto& who = facts.subject;
  if (socket == nullptr || !who.process_groups) return skipped("no process is looked at");
  if (who.uid == root) return fine("root needs no group");
  bool listed = contains(who.account_groups, socket->gid);
  bool has = contains(*who.process_groups, socket->gid);
  if (listed == has) {
    return fine(fmt::format("{} has the groups of user '{}'", who.what, who.user));
  }
  if (has) {
    return note(fmt::format("{} still has group {}, although user '{}' is not in it any more",
                            who.what, group_text(*socket), who.user));
  }
  auto summary = fmt::format("user '{}' is in group {} by now, but {} began before that", who.user,
                             group_text(*socket), who.what);
  if (!who.service.empty()) {
    return failed(std::move(summary),
                  {{"restart the service", fmt::format("sudo systemctl restart {}", who.service)}});
  }
  if (who.what != "this process") {
    return failed(std::move(summary), {{fmt::format("restart process {}", *who.pid)}});
  }
  return failed(
      std::move(summary),
      {{"log out and in again"}, {"or, for one shell", fmt::format("newgrp {}", socket->group)}});
}

Finding access(const Facts& facts) {
  const auto* socket = facts.usable_socket();
  if (socket == nullptr) return skipped("there is no socket to look at");
  const auto& who = facts.subject;
  if (may_connect(*socket, who.uid, who.groups())) {
    bool everybody = (socket->mode & others_may_write) != 0;
    return fine(fmt::format("{} may connect{}", who.what, everybody ? ", as everybody may" : ""));
  }
  return failed(
      fmt::format("{}, as user '{}', may not connect to '{}'", who.what, who.user, socket->path),
      {{"see the lines above: the account, or the process, lacks the group"}});
}

}  // namespace gantry::doctor::judge
