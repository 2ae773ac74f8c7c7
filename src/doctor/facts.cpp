#include "doctor/facts.hpp"

#include <algorithm>
#include <string_view>

namespace gantry::doctor {
namespace {

constexpr unsigned owner_writes = 0200;
constexpr unsigned group_writes = 0020;
constexpr unsigned others_write = 0002;

using Who = AclEntry::Who;

/// acl(5), "Access check algorithm". The mask bounds all but the owner and others.
bool may_by_acl(const SocketFile& socket, Id uid, const std::vector<Id>& groups) {
  auto entry = [&](Who who) { return std::ranges::find(socket.acl, who, &AclEntry::who); };
  auto mask = entry(Who::mask);
  bool unmasked = mask == socket.acl.end() || mask->write;
  for (const auto& one : socket.acl) {
    if (one.who == Who::user && one.id == uid) return one.write && unmasked;
  }
  bool in_a_group = false;
  for (const auto& one : socket.acl) {
    bool applies = (one.who == Who::owning_group && contains(groups, socket.gid)) ||
                   (one.who == Who::group && contains(groups, one.id));
    if (applies && one.write && unmasked) return true;
    in_a_group = in_a_group || applies;
  }
  auto others = entry(Who::others);
  return !in_a_group && others != socket.acl.end() && others->write;
}

}  // namespace

std::string_view word(Sight sight) {
  switch (sight) {
    case Sight::here:
      return "here";
    case Sight::far:
      return "far";
    case Sight::engine:
      return "engine";
  }
  return "";
}

bool contains(const std::vector<Id>& ids, Id id) { return std::ranges::find(ids, id) != ids.end(); }

const SocketFile* Facts::usable_socket() const {
  return socket && socket->kind == SocketFile::Kind::socket ? &*socket : nullptr;
}

bool Facts::is_late(Part part) const { return std::ranges::find(late, part) != late.end(); }

bool Facts::engine_is_outside() const {
  const auto* its_socket = usable_socket();
  bool here = its_socket != nullptr && !its_socket->mounted && engine_installed;
  return in_container && !here;
}

bool Facts::engine_is_here() const {
  bool by_socket = usable_socket() != nullptr && !engine_is_outside();
  return by_socket && !engine.error && engine.name == machine &&
         !engine.os.starts_with("Docker Desktop");
}

std::string_view words(Part part) {
  switch (part) {
    case Part::none:
      break;
    case Part::config:
      return "Docker's files in the home folder";
    case Part::account:
      return "the accounts of this machine";
    case Part::access:
      return "the socket and its group";
    case Part::machine:
      return "the kernel's files";
    case Part::data:
      return "the engine's files";
  }
  return "";
}

bool EngineFacts::has_security(std::string_view wanted) const {
  return std::ranges::any_of(security_options, [&](const std::string& option) {
    return option == wanted || option.starts_with(std::string{"name="}.append(wanted));
  });
}

bool may_connect(const SocketFile& socket, Id uid, const std::vector<Id>& groups) {
  if (socket.tried) return *socket.tried;
  if (uid == root) return true;
  if (!socket.shut_by.empty()) return false;
  if (uid == socket.uid) return (socket.mode & owner_writes) != 0;
  if (!socket.acl.empty()) return may_by_acl(socket, uid, groups);
  if (contains(groups, socket.gid)) return (socket.mode & group_writes) != 0;
  return (socket.mode & others_write) != 0;
}

}  // namespace gantry::doctor
