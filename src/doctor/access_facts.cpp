#include "doctor/access_facts.hpp"

#include "doctor/accounts.hpp"
#include "doctor/machine.hpp"
#include "doctor/socket_file.hpp"
#include "net/endpoint.hpp"

#include <algorithm>
#include <array>

#include <unistd.h>

namespace gantry::doctor {
namespace {

using Scheme = net::Endpoint::Scheme;

constexpr const char* usual_socket = "/var/run/docker.sock";
constexpr const char* usual_group = "docker";
/// Where packages put the daemon, or what starts it.
constexpr std::array daemon_files{"/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd",
                                  "/snap/bin/dockerd", "/lib/systemd/system/docker.service"};

bool there_is(const char* path) { return ::access(path, F_OK) == 0; }

bool same_place(const SocketFile& one, const SocketFile& other) {
  return one.path == other.path || one.leads_to == other.path || one.path == other.leads_to;
}

void look_at_sockets(Facts& facts, const std::filesystem::path& runtime_folder) {
  auto endpoint = net::Endpoint::parse(facts.endpoint.text);
  if (endpoint && endpoint->scheme() == Scheme::unix_socket) {
    facts.socket = look_at_socket(endpoint->path());
    if (facts.socket->kind == SocketFile::Kind::socket) {
      facts.socket_group = group_with(facts.socket->gid);
    }
  }
  std::vector<std::string> others{usual_socket};
  if (!runtime_folder.empty()) others.push_back((runtime_folder / "docker.sock").string());
  for (const auto& path : others) {
    auto other = look_at_socket(path);
    bool same = facts.socket && same_place(*facts.socket, other);
    if (!same && other.kind == SocketFile::Kind::socket) facts.other_sockets.push_back(other);
  }
}

}  // namespace

void look_at_access(Facts& facts, const std::filesystem::path& runtime_folder) {
  look_at_sockets(facts, runtime_folder);
  facts.docker_group = group_named(usual_group);
  facts.in_container = inside_container();
  facts.engine_installed = std::ranges::any_of(daemon_files, there_is);
  facts.snap = there_is("/snap/bin/docker") && !there_is("/usr/bin/docker");
  facts.selinux = selinux_mode();
  facts.apparmor = apparmor_profile();
}

}  // namespace gantry::doctor
