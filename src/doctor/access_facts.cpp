#include "doctor/access_facts.hpp"

#include "doctor/accounts.hpp"
#include "doctor/container.hpp"
#include "doctor/machine.hpp"
#include "doctor/services.hpp"
#include "doctor/socket_file.hpp"
#include "net/endpoint.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <unistd.h>

namespace gantry::doctor {
namespace {

namespace fs = std::filesystem;
using Scheme = net::Endpoint::Scheme;

constexpr const char* usual_socket = "/var/run/docker.sock";
constexpr const char* usual_group = "docker";
/// Where packages put the daemon, or what starts it.
constexpr std::array daemon_files{"/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd",
                                  "/snap/bin/dockerd", "/lib/systemd/system/docker.service"};

bool there_is(const char* path) { return ::access(path, F_OK) == 0; }

/// Where engines listen: at the usual place, for the subject alone, and second ones beside the
/// first.
std::vector<std::string> usual_places(const Subject& who, const fs::path& runtime_folder) {
  std::vector<std::string> places{usual_socket};
  if (!runtime_folder.empty()) places.push_back((runtime_folder / "docker.sock").string());
  // There also where nobody has set XDG_RUNTIME_DIR: after su, for cron, for another account.
  if (who.uid != root) places.push_back(fmt::format("/run/user/{}/docker.sock", who.uid));
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{"/run", failed}) {
    auto name = entry.path().filename().string();
    bool alike = name.starts_with("docker") && name.ends_with(".sock");
    if (alike && name != "docker.sock") places.push_back("/var/run/" + name);
  }
  return places;
}

void look_at_sockets(Facts& facts, const fs::path& runtime_folder) {
  auto endpoint = net::Endpoint::parse(facts.endpoint.text);
  if (endpoint && endpoint->scheme() == Scheme::unix_socket) {
    facts.socket = look_at_socket(endpoint->path());
    if (facts.socket->kind == SocketFile::Kind::socket) {
      facts.socket_group = group_with(facts.socket->gid);
    }
  }
  for (const auto& path : usual_places(facts.subject, runtime_folder)) {
    auto other = look_at_socket(path);
    if (other.kind != SocketFile::Kind::socket) continue;
    bool known = facts.socket && same_place(*facts.socket, other);
    for (const auto& one : facts.other_sockets) known = known || same_place(one, other);
    if (!known) facts.other_sockets.push_back(std::move(other));
  }
}

}  // namespace

bool same_place(const SocketFile& one, const SocketFile& other) {
  return one.path == other.path || one.leads_to == other.path || one.path == other.leads_to;
}

void look_at_access(Facts& facts, const fs::path& runtime_folder) {
  look_at_sockets(facts, runtime_folder);
  facts.docker_group = group_named(usual_group);
  facts.in_container = inside_container();
  facts.engine_installed = std::ranges::any_of(daemon_files, there_is);
  facts.snap = there_is("/snap/bin/docker") && !there_is("/usr/bin/docker");
  facts.starter = starter_by({.snap = facts.snap,
                              .systemd = there_is("/run/systemd/system"),
                              .script = there_is("/etc/init.d/docker")});
  facts.selinux = selinux_mode();
  facts.apparmor = apparmor_profile();
}

void find_rootless(Facts& facts) {
  auto own = [&](const SocketFile& socket) {
    return facts.subject.uid != root && socket.uid == facts.subject.uid;
  };
  const auto* used = facts.usable_socket();
  facts.rootless.in_force = used != nullptr && own(*used);
  auto other = std::ranges::find_if(facts.other_sockets, own);
  if (other != facts.other_sockets.end()) facts.rootless.socket = other->path;
}

}  // namespace gantry::doctor
