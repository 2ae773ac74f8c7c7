#include "doctor/access_facts.hpp"

#include "doctor/accounts.hpp"
#include "doctor/container.hpp"
#include "doctor/files.hpp"
#include "doctor/machine.hpp"
#include "doctor/services.hpp"
#include "doctor/socket_file.hpp"
#include "net/endpoint.hpp"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace gantry::doctor {
namespace {

namespace fs = std::filesystem;
using Scheme = net::Endpoint::Scheme;

constexpr const char* usual_socket = "/var/run/docker.sock";
constexpr const char* usual_group = "docker";
/// Where packages put the daemon, or what starts it.
constexpr std::array daemon_files{"/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd",
                                  "/lib/systemd/system/docker.service"};
/// A snap's client, with its services; on some machines snaps are elsewhere.
constexpr std::array snap_clients{"/snap/bin/docker", "/var/lib/snapd/snap/bin/docker"};
/// Of Kubernetes: its socket speaks something else.
constexpr std::string_view no_engine = "dockershim.sock";

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
    if (alike && name != "docker.sock" && name != no_engine) places.push_back("/var/run/" + name);
  }
  return places;
}

constexpr unsigned others_enter = 0001;
constexpr unsigned group_enters = 0010;
constexpr unsigned owner_enters = 0100;

bool may_enter(const struct stat& folder, const Subject& who) {
  if (who.uid == root) return true;
  if (folder.st_uid == who.uid) return (folder.st_mode & owner_enters) != 0;
  bool in_group = contains(who.groups(), folder.st_gid);
  return (folder.st_mode & (in_group ? group_enters : others_enter)) != 0;
}

/// To connect takes the right to enter each folder on the way.
void look_at_folders(SocketFile& socket, const Subject& who) {
  auto place = fs::path{socket.leads_to.empty() ? socket.path : socket.leads_to};
  fs::path folder;
  for (const auto& part : place.parent_path()) {
    folder /= part;
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0) return;
    // Whom its access control list lets in is not known here.
    if (::getxattr(folder.c_str(), "system.posix_acl_access", nullptr, 0) > 0) continue;
    bool all = (status.st_mode & others_enter) != 0;
    if (!all && socket.behind.empty()) socket.behind = folder.string();
    if (!may_enter(status, who) && socket.shut_by.empty()) socket.shut_by = folder.string();
  }
}

/// The kernel's own word, where it is this process that wants to connect: it knows of namespaces.
void try_socket(SocketFile& socket, const Subject& who) {
  if (who.pid != ::getpid()) return;
  socket.tried = ::faccessat(AT_FDCWD, socket.path.c_str(), W_OK, AT_EACCESS) == 0;
}

/// A name service would have to list all that it knows.
void add_primary(std::optional<Group>& group) {
  if (group) group->primary = whose_group_is(group->gid, file_text("/etc/passwd").value_or(""));
}

void look_at_sockets(Facts& facts, const fs::path& runtime_folder) {
  auto endpoint = net::Endpoint::parse(facts.endpoint.text);
  if (endpoint && endpoint->scheme() == Scheme::unix_socket) {
    facts.socket = look_at_socket(endpoint->path());
    if (facts.socket->kind == SocketFile::Kind::socket) {
      facts.socket_group = group_with(facts.socket->gid);
      look_at_folders(*facts.socket, facts.subject);
      try_socket(*facts.socket, facts.subject);
    }
  }
  for (const auto& path : usual_places(facts.subject, runtime_folder)) {
    auto other = look_at_socket(path);
    if (other.kind != SocketFile::Kind::socket) continue;
    look_at_folders(other, facts.subject);
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
  add_primary(facts.docker_group);
  add_primary(facts.socket_group);
  facts.in_container = inside_container();
  facts.snap = std::ranges::any_of(snap_clients, there_is) && !there_is("/usr/bin/docker");
  facts.engine_installed = facts.snap || std::ranges::any_of(daemon_files, there_is);
  facts.starter = starter_by({.snap = facts.snap,
                              .systemd = there_is("/run/systemd/system"),
                              .script = there_is("/etc/init.d/docker")});
  facts.selinux = selinux_mode();
  if (facts.subject.pid) facts.apparmor = apparmor_profile(*facts.subject.pid);
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
