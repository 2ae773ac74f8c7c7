#include "doctor/judges.hpp"
#include "net/endpoint.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

// Who else may be root here, and what is around the engine.
namespace gantry::doctor::judge {
namespace {

constexpr unsigned others_may_write = 0002;
/// So much of the data root's disk should be free.
constexpr double share_free_min = 0.10;
constexpr double share_free_failed = 0.02;

constexpr const char* compose_fragment =
    "if docker compose version >/dev/null 2>&1; then compose='docker compose'; else "
    "compose=docker-compose; fi; $compose up -d";

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(whole);
}

bool in_clear(const std::string& endpoint) {
  auto parsed = net::Endpoint::parse(endpoint);
  if (!parsed || parsed->scheme() != net::Endpoint::Scheme::tcp) return false;
  return !parsed->host().starts_with("127.") && parsed->host() != "localhost" &&
         parsed->host() != "::1";
}

}  // namespace

Finding socket_mode(const Facts& facts) {
  bool there = facts.socket && facts.socket->kind == SocketFile::Kind::socket;
  if (!there) return {State::skipped, "there is no socket to look at"};
  const auto& socket = *facts.socket;
  if ((socket.mode & others_may_write) == 0) return {State::ok, "closed to everybody else"};
  return {State::failed,
          fmt::format("everybody on this machine can become root: '{}' is open to all (mode {:o})",
                      socket.path, socket.mode),
          {{"close it", fmt::format("sudo chmod 660 {}", socket.path)},
           {"and give the group to who needs it", "sudo usermod -aG docker USER"}}};
}

Finding members(const Facts& facts) {
  const auto& group = facts.socket_group ? facts.socket_group : facts.docker_group;
  if (!group) return {State::skipped, "there is no such group here"};
  if (group->members.empty()) {
    return {State::ok, fmt::format("nobody is listed in group '{}'", group->name)};
  }
  return {State::note, fmt::format("as good as root by group '{}': {}", group->name,
                                   fmt::join(group->members, ", "))};
}

Finding exposed(const Facts& facts) {
  auto open = facts.exposed;
  std::erase_if(open, [](const std::string& address) { return !address.ends_with(":2375"); });
  if (!open.empty()) {
    return {State::failed,
            fmt::format("Docker's TCP port is open to the network on {}", fmt::join(open, ", ")),
            {{"take 'tcp://' out of \"hosts\" in /etc/docker/daemon.json and out of the unit's "
              "command line; reach the engine over SSH",
              "sudo systemctl restart docker"},
             {"or demand certificates of clients: \"tlsverify\": true"}}};
  }
  if (!in_clear(facts.endpoint.text)) {
    if (facts.exposed.empty()) return {State::ok, "no TCP port is open to the network"};
    return {State::note, fmt::format("{} is open to the network: see that it demands certificates "
                                     "of clients (\"tlsverify\": true)",
                                     fmt::join(facts.exposed, ", "))};
  }
  return {State::failed,
          fmt::format("'{}' is unencrypted: whoever is on the network between owns that machine",
                      facts.endpoint.text),
          {{"use SSH or TLS instead", "docker context create far --docker host=ssh://user@host"}}};
}

Finding confinement(const Facts& facts) {
  if (facts.selinux == "enforcing") {
    return {State::note,
            "SELinux is enforcing: containers may not use the socket unless their label allows it",
            {{"look for what it refused", "sudo ausearch -m avc -ts recent"},
             {"run the one container that needs it without labels",
              "docker run --security-opt label=disable …"}}};
  }
  if (!facts.apparmor.empty()) {
    return {State::ok, fmt::format("this process is under AppArmor's profile {}", facts.apparmor)};
  }
  if (facts.snap) {
    return {State::note,
            "Docker is installed as a snap: it sees home folders only, and has its own socket "
            "rights",
            {{"where that is in the way, take the distribution's package",
              "sudo snap remove docker && sudo apt install docker.io"}}};
  }
  return {State::ok, "nothing confines this process"};
}

Finding compose(const Facts& facts) {
  const auto& v1 = facts.compose_v1;
  const auto& v2 = facts.compose_v2;
  if (!v1.path.empty() && !v2.path.empty()) {
    return {State::ok,
            fmt::format("'docker compose' {} and 'docker-compose' {}", v2.version, v1.version)};
  }
  if (!v2.path.empty()) {
    return {State::ok,
            fmt::format("'docker compose' {}", v2.version),
            {{"scripts that say 'docker-compose' serve both with", compose_fragment}}};
  }
  if (!v1.path.empty()) {
    return {State::note,
            fmt::format("'docker-compose' {} alone: it is the old one", v1.version),
            {{"scripts that say 'docker compose' serve both with", compose_fragment}}};
  }
  return {State::note,
          "neither 'docker compose' nor 'docker-compose' is here",
          {{"where Compose files are used, install it", "sudo apt install docker-compose"}}};
}

Finding buildx(const Facts& facts) {
  if (facts.docker.path.empty()) return {State::note, "there is no 'docker' command here"};
  if (facts.buildx.path.empty()) return {State::note, "'docker buildx' is not installed"};
  return {State::ok, fmt::format("'docker buildx' {}", facts.buildx.version)};
}

Finding clock(const Facts& facts) {
  if (!facts.clock_synchronised) return {State::skipped, "nobody there tells of the clock"};
  if (*facts.clock_synchronised) return {State::ok, "synchronised"};
  return {State::note,
          "nobody keeps the clock right: certificates and tokens fail by it",
          {{"let systemd do it", "sudo timedatectl set-ntp true"}}};
}

Finding disk(const Facts& facts) {
  if (!facts.disk) return {State::skipped, "the engine's data can not be seen from here"};
  const auto& disk = *facts.disk;
  auto bytes = share(disk.bytes_free, disk.bytes);
  auto inodes = share(disk.inodes_free, disk.inodes);
  auto summary = fmt::format("{:.0f} % of the room and {:.0f} % of the inodes are free in {}",
                             bytes * 100, inodes * 100, disk.path);
  auto least = std::min(bytes, inodes);
  if (least >= share_free_min) return {State::ok, std::move(summary)};
  return {least < share_free_failed ? State::failed : State::warning,
          std::move(summary),
          {{"see what takes it", "docker system df"},
           {"remove what nothing uses", "docker system prune"}}};
}

}  // namespace gantry::doctor::judge
