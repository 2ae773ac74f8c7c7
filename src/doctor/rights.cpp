#include "doctor/rights.hpp"

#include <algorithm>

#include <sys/stat.h>

namespace gantry::doctor {
namespace {

using Who = AclEntry::Who;

struct Bits {
  unsigned owner;
  unsigned group;
  unsigned others;
};
constexpr Bits bits_of(Right right) {
  return right == Right::write ? Bits{S_IWUSR, S_IWGRP, S_IWOTH} : Bits{S_IXUSR, S_IXGRP, S_IXOTH};
}

bool gives(const AclEntry& entry, Right right) {
  return right == Right::write ? entry.write : entry.enter;
}

/// What the only entry of a kind gives; `otherwise` where there is none.
bool given_to(const Rights& file, Who who, Right right, bool otherwise) {
  auto found = std::ranges::find(file.acl, who, &AclEntry::who);
  return found == file.acl.end() ? otherwise : gives(*found, right);
}

/// The mask bounds all but the owner and others.
bool grants_by_list(const Rights& file, Right right, Id uid, const std::vector<Id>& groups) {
  bool unmasked = given_to(file, Who::mask, right, true);
  for (const auto& one : file.acl) {
    if (one.who == Who::user && one.id == uid) return gives(one, right) && unmasked;
  }
  bool in_a_group = false;
  for (const auto& one : file.acl) {
    bool applies = (one.who == Who::owning_group && contains(groups, file.gid)) ||
                   (one.who == Who::group && contains(groups, one.id));
    if (applies && gives(one, right) && unmasked) return true;
    in_a_group = in_a_group || applies;
  }
  return !in_a_group && given_to(file, Who::others, right, false);
}

}  // namespace

bool contains(const std::vector<Id>& ids, Id id) { return std::ranges::find(ids, id) != ids.end(); }

bool grants(const Rights& file, Right right, Id uid, const std::vector<Id>& groups) {
  auto bits = bits_of(right);
  if (uid == root) return true;
  if (uid == file.uid) return (file.mode & bits.owner) != 0;
  if (!file.acl.empty()) return grants_by_list(file, right, uid, groups);
  return (file.mode & (contains(groups, file.gid) ? bits.group : bits.others)) != 0;
}

bool grants_group(const Rights& file, Right right) {
  if (file.acl.empty()) return (file.mode & bits_of(right).group) != 0;
  return given_to(file, Who::owning_group, right, false) && given_to(file, Who::mask, right, true);
}

}  // namespace gantry::doctor
