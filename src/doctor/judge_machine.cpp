#include "doctor/findings.hpp"
#include "doctor/judges.hpp"
#include "doctor/services.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

// Who else may be root here, and what is around the engine.
namespace gantry::doctor::judge {
namespace {

/// So much of the data root's disk should be free.
constexpr double share_free_min = 0.10;
constexpr double share_free_failed = 0.02;

constexpr const char* compose_fragment =
    "compose() { if docker compose version >/dev/null 2>&1; then docker compose \"$@\"; else "
    "docker-compose \"$@\"; fi; }; compose up -d";
constexpr const char* hangs =
    "does not answer: a plugin of it, or a program that it asks for passwords, hangs";

/// So many names stand in a line.
constexpr std::size_t names_max = 20;

/// `ann, bob, ci (its primary group)`
std::string members_text(const Group& group) {
  auto names = group.members;
  for (const auto& name : group.primary) {
    bool known = std::ranges::find(group.members, name) != group.members.end();
    if (!known) names.push_back(name + " (its primary group)");
  }
  auto more = names.size() > names_max ? names.size() - names_max : 0;
  names.resize(names.size() - more);
  auto text = fmt::format("{}", fmt::join(names, ", "));
  return more == 0 ? text : fmt::format("{} and {} more", text, more);
}

/// What the kernel shows for accounts that a user namespace does not have (proc(5), overflowuid).
constexpr Id nobody_known = 65534;

/// Whose socket it is may do what the engine may, which runs as root.
bool is_given_away(const Facts& facts, const SocketFile& socket) {
  return socket.uid != root && socket.uid != nobody_known && facts.engine_is_here() &&
         !facts.engine.has_security("rootless");
}

Finding given_away(const SocketFile& socket) {
  auto owner = socket.owner.empty() ? std::to_string(socket.uid) : socket.owner;
  return warning(
      fmt::format("the engine runs as root, and its socket was given to user '{}', who is as "
                  "good as root by it",
                  owner),
      {{"give it back, and whom it is for the socket's group",
        fmt::format("sudo chown root {}", shell_word(socket.path))}});
}

std::vector<Step> close_to_all(const Facts& facts, const SocketFile& socket) {
  if (facts.engine_is_outside()) {
    return {
        {"close it on the machine itself (mode 660), and give this container the number of its "
         "group"}};
  }
  std::vector<Step> steps{{"close it", fmt::format("sudo chmod 660 {}", shell_word(socket.path))}};
  const auto& who = facts.subject;
  bool shut_out = who.uid != root && who.has_account() && !socket.group.empty() &&
                  socket.gid != root && !contains(who.account_groups, socket.gid);
  if (shut_out) {
    steps.push_back(
        {"and give the group to who needs it",
         fmt::format("sudo usermod -aG {} {}", shell_word(socket.group), shell_word(who.user))});
  }
  return steps;
}

Step keep_clock_right(const Facts& facts) {
  if (facts.in_container) return {"let the machine itself keep it, whose clock this is"};
  bool systemd = facts.starter == Starter::systemd || facts.starter == Starter::snap;
  if (systemd) return {"let systemd do it", "sudo timedatectl set-ntp true"};
  return {"let a program of its own do it (Debian, Ubuntu)", "sudo apt install chrony"};
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Finding socket_mode(const Facts& facts) {
  if (facts.usable_socket() == nullptr) return without_socket(facts);
  const auto& socket = *facts.usable_socket();
  if ((socket.mode & S_IWOTH) == 0) {
    if (is_given_away(facts, socket)) return given_away(socket);
    return fine("closed to everybody else");
  }
  if (!socket.behind.empty()) {
    return note(fmt::format("open to all, but not everybody may enter '{}'", socket.behind));
  }
  return failed(
      fmt::format("everybody on this machine can become root: '{}' is open to all (mode {:o})",
                  socket.path, socket.mode),
      close_to_all(facts, socket));
}

Finding members(const Facts& facts) {
  const auto& group = facts.socket_group ? facts.socket_group : facts.docker_group;
  if (!group) return skipped("there is no such group here");
  if (group->gid == root) return fine("the socket's group is root's own");
  if (group->members.empty() && group->primary.empty()) {
    return fine(fmt::format("nobody is listed in group '{}'", group->name));
  }
  return note(fmt::format("as good as root by group '{}': {}", group->name, members_text(*group)));
}

Finding confinement(const Facts& facts) {
  const auto& who = facts.subject;
  std::vector<std::string> parts;
  Finding finding;
  if (facts.selinux == "enforcing") {
    finding.state = State::note;
    parts.emplace_back(
        "SELinux is enforcing: containers may not use the socket unless their label allows it");
    finding.remedy = {{"look for what it refused", "sudo ausearch -m avc -ts recent"},
                      {"run the one container that needs it without labels",
                       "docker run --security-opt label=disable …"}};
  } else if (!facts.selinux.empty()) {
    parts.emplace_back("SELinux is permissive: it writes down and refuses nothing");
  }
  if (starter_of(facts) == Starter::snap) {
    finding.state = State::note;
    parts.emplace_back(
        "Docker is installed as a snap: it sees home folders only, and has its own socket rights");
    finding.remedy.push_back(
        {"where that is in the way, save what the snap holds, since all its containers, images and "
         "volumes are deleted with it, and take the distribution's package (Debian, Ubuntu)",
         "sudo snap remove docker && sudo apt install docker.io"});
  }
  if (!facts.apparmor.empty()) {
    parts.push_back(fmt::format("{} is under AppArmor's profile {}", who.what, facts.apparmor));
  }
  if (parts.empty() && !who.process_groups) return skipped("no process is looked at");
  finding.summary = parts.empty() ? fmt::format("nothing confines {}", who.what)
                                  : fmt::format("{}", fmt::join(parts, "; "));
  return finding;
}

Finding compose(const Facts& facts) {
  if (facts.sight == Sight::engine) return unseen(facts.unseen);
  const auto& v1 = facts.compose_v1;
  const auto& v2 = facts.compose_v2;
  if (v1.silent || v2.silent) {
    return note(fmt::format("'{}' {}", v2.silent ? "docker compose" : "docker-compose", hangs),
                {{"see where it waits", v2.silent ? "docker --debug compose version"
                                                  : "docker-compose --verbose version"}});
  }
  if (!v1.path.empty() && !v2.path.empty()) {
    return fine(fmt::format("'docker compose' {} and 'docker-compose' {}", v2.version, v1.version));
  }
  if (!v2.path.empty()) {
    return note(fmt::format("'docker compose' {}, and no 'docker-compose'", v2.version),
                {{"scripts that say 'docker-compose' serve both with", compose_fragment}});
  }
  if (!v1.path.empty()) {
    return note(fmt::format("'docker-compose' {} alone: it is the old one", v1.version),
                {{"scripts that say 'docker compose' serve both with", compose_fragment}});
  }
  return note("neither 'docker compose' nor 'docker-compose' is here",
              {{"where Compose files are used, install it (Debian, Ubuntu)",
                "sudo apt install docker-compose"},
               {"scripts that serve both say", compose_fragment}});
}

Finding buildx(const Facts& facts) {
  if (facts.sight == Sight::engine) return unseen(facts.unseen);
  if (facts.docker.silent) return note(fmt::format("'docker' {}", hangs));
  if (facts.docker.path.empty()) return note("there is no 'docker' command here");
  if (facts.buildx.silent) return note(fmt::format("'docker buildx' {}", hangs));
  if (facts.buildx.path.empty()) return note("'docker buildx' is not installed");
  return fine(fmt::format("'docker buildx' {}", facts.buildx.version));
}

Finding clock(const Facts& facts) {
  if (!facts.clock_synchronised) return unseen("nobody tells whether the clock is kept right");
  if (*facts.clock_synchronised) return fine("synchronised");
  return note("nobody keeps the clock right: certificates and tokens fail by it",
              {keep_clock_right(facts)});
}

Finding disk(const Facts& facts) {
  if (!facts.disk) return unseen("the engine's data can not be seen from here");
  const auto& disk = *facts.disk;
  auto bytes = share(disk.bytes_free, disk.bytes);
  auto inodes = share(disk.inodes_free, disk.inodes);
  auto summary = fmt::format("{:.0f} % of the room and {:.0f} % of the inodes are free in {}",
                             bytes * 100, inodes * 100, disk.path);
  if (disk.read_only) {
    return failed(fmt::format("{} can not be written to: its disk is mounted read-only", disk.path),
                  {{"see why the kernel did so", "sudo dmesg | tail -n 50"},
                   {"and mend the disk, or its line in /etc/fstab"}});
  }
  auto least = std::min(bytes, inodes);
  if (least >= share_free_min) return fine(std::move(summary));
  return {least < share_free_failed ? State::failed : State::warning,
          std::move(summary),
          {{"see what takes it", "docker system df"},
           {"remove what nothing uses", "docker system prune"}}};
}

}  // namespace gantry::doctor::judge
