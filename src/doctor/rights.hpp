#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

/// Who may do what with a file: owner, group, mode and access control list (acl(5)).
namespace gantry::doctor {

using Id = std::uint32_t;
inline constexpr Id root = 0;
/// Nobody's: to the kernel it says that there is none (chown(2)).
inline constexpr Id no_id = std::numeric_limits<Id>::max();
/// Whether one of them is it.
bool contains(const std::vector<Id>& ids, Id id);

/// One entry of an access control list.
struct AclEntry {
  enum class Who : std::uint8_t { owner, user, owning_group, group, mask, others };
  Who who = Who::owner;
  Id id = 0;  ///< Of `user` and `group`.
  bool write = false;
  bool enter = false;
};

/// What the way to a socket takes.
enum class Right : std::uint8_t {
  write,  ///< Of the socket, to connect (unix(7)).
  enter,  ///< Of each folder on the way.
};

/// What a file says about it.
struct Rights {
  Id uid = 0;
  Id gid = 0;
  unsigned mode = 0;                   ///< Permission bits.
  std::span<const AclEntry> acl = {};  ///< Empty: it has no list.
};

/// Whether somebody with `uid` and `groups` has a right, by acl(5), "Access check algorithm".
bool grants(const Rights& file, Right right, Id uid, const std::vector<Id>& groups);
/// Whether the file's group has it. With a list the mode tells of the list's mask instead.
bool grants_group(const Rights& file, Right right);

}  // namespace gantry::doctor
