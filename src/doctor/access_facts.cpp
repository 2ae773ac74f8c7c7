#include "doctor/access_facts.hpp"

#include "doctor/accounts.hpp"
#include "doctor/acl.hpp"
#include "doctor/container.hpp"
#include "doctor/files.hpp"
#include "doctor/machine.hpp"
#include "doctor/services.hpp"
#include "doctor/socket_file.hpp"
#include "doctor/usual.hpp"
#include "net/endpoint.hpp"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::doctor {
namespace {

namespace fs = std::filesystem;
using Scheme = net::Endpoint::Scheme;

/// Where packages put the daemon, or what starts it.
constexpr std::array daemon_files{"/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd",
                                  "/lib/systemd/system/docker.service"};
/// A snap has the client and the daemon; on some machines snaps are elsewhere.
constexpr std::array snap_clients{"/snap/bin/docker", "/var/lib/snapd/snap/bin/docker"};
/// Of Kubernetes: its socket speaks something else.
constexpr std::string_view no_engine = "dockershim.sock";

bool there_is(const char* path) { return ::access(path, F_OK) == 0; }

/// Where engines listen: at the usual place, for the subject alone, and second ones beside the
/// first.
std::vector<std::string> usual_places(const Subject& who, const fs::path& runtime_folder) {
  std::vector<std::string> places{std::string{usual_socket}};
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

/// The folders on the way to a place, from the top.
std::vector<std::string> folders_to(const fs::path& place) {
  std::vector<std::string> folders;
  fs::path folder;
  for (const auto& part : place.parent_path()) {
    folder /= part;
    folders.push_back(folder.string());
  }
  return folders;
}

SocketFile::Bar bar_of(const Rights& folder, Id uid) {
  if (uid == folder.uid) return SocketFile::Bar::owner;
  return folder.acl.empty() ? SocketFile::Bar::mode : SocketFile::Bar::list;
}

/// To connect takes the right to enter each folder on the way.
void look_at_folders(SocketFile& socket, const Subject& who) {
  for (const auto& folder : folders_to(socket.leads_to.empty() ? socket.path : socket.leads_to)) {
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0) return;
    bool all = (status.st_mode & S_IXOTH) != 0;
    if (!all && socket.behind.empty()) socket.behind = folder;
    // A list that can not be read may let in anybody.
    auto list = acl_attribute(folder);
    if (!list || !socket.shut_by.empty()) continue;
    auto acl = read_acl(*list);
    Rights rights{
        .uid = status.st_uid, .gid = status.st_gid, .mode = status.st_mode & ALLPERMS, .acl = acl};
    if (grants(rights, Right::enter, who.uid, who.groups())) continue;
    socket.shut_by = folder;
    socket.bar = bar_of(rights, who.uid);
  }
}

/// The kernel's own word, where it is this process that wants to connect: it knows of namespaces.
void try_socket(SocketFile& socket, const Subject& who) {
  if (who.pid != ::getpid()) return;
  socket.tried = ::faccessat(AT_FDCWD, socket.path.c_str(), W_OK, AT_EACCESS) == 0;
  if (*socket.tried) socket.shut_by.clear();
}

/// Who looks may not get as far as the socket; so far it gets.
void look_what_hides(SocketFile& socket) {
  for (const auto& folder : folders_to(socket.path)) {
    if (::faccessat(AT_FDCWD, folder.c_str(), X_OK, AT_EACCESS) == 0) continue;
    socket.shut_by = folder;
    return;
  }
}

SocketFile look_at_place(const std::string& path, const Subject& who) {
  auto socket = look_at_socket(path);
  if (socket.kind == SocketFile::Kind::hidden) look_what_hides(socket);
  if (socket.kind != SocketFile::Kind::socket) return socket;
  look_at_folders(socket, who);
  try_socket(socket, who);
  return socket;
}

/// A name service would have to list all that it knows.
void add_primary(std::optional<Group>& group) {
  if (group) group->primary = whose_group_is(group->gid, file_text("/etc/passwd").value_or(""));
}

void look_at_sockets(Facts& facts, const fs::path& runtime_folder) {
  auto endpoint = net::Endpoint::parse(facts.endpoint.text);
  if (endpoint && endpoint->scheme() == Scheme::unix_socket) {
    facts.socket = look_at_place(endpoint->path(), facts.subject);
    if (const auto* socket = facts.usable_socket()) facts.socket_group = group_with(socket->gid);
  }
  for (const auto& path : usual_places(facts.subject, runtime_folder)) {
    auto other = look_at_place(path, facts.subject);
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
  facts.docker_group = group_named(std::string{usual_group});
  add_primary(facts.docker_group);
  add_primary(facts.socket_group);
  facts.in_container = inside_container();
  bool snap = std::ranges::any_of(snap_clients, there_is);
  bool package = std::ranges::any_of(daemon_files, there_is);
  facts.engine_installed = snap || package;
  facts.starter = starter_by({.snap = snap,
                              .package = package,
                              .systemd = there_is("/run/systemd/system"),
                              .script = there_is("/etc/init.d/docker")});
  facts.selinux = selinux_mode();
  if (facts.subject.pid) facts.apparmor = apparmor_profile(*facts.subject.pid);
}

void find_rootless(Facts& facts) {
  auto own = [&](const SocketFile& socket) { return is_own_engine(socket, facts.subject); };
  const auto* used = facts.usable_socket();
  facts.rootless.in_force = used != nullptr && own(*used);
  auto other = std::ranges::find_if(facts.other_sockets, own);
  if (other != facts.other_sockets.end()) facts.rootless.socket = other->path;
}

}  // namespace gantry::doctor
