#include "doctor/facts.hpp"

#include <algorithm>
#include <string_view>

namespace gantry::doctor {
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

bool is_own_engine(const SocketFile& socket, const Subject& who) {
  return who.uid != root && socket.uid == who.uid;
}

bool opens_by_group(const SocketFile& socket) {
  return socket.gid != root && grants_group(socket.rights(), Right::write);
}

bool may_connect(const SocketFile& socket, Id uid, const std::vector<Id>& groups) {
  if (socket.tried) return *socket.tried;
  bool shut_out = uid != root && !socket.shut_by.empty();
  return !shut_out && grants(socket.rights(), Right::write, uid, groups);
}

}  // namespace gantry::doctor
