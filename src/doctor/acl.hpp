#pragma once

#include "doctor/rights.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Access control lists as the kernel keeps them: in an attribute of the file.
namespace gantry::doctor {

/// The attribute, to be read by `read_acl` or given to another file; empty: there is no list, or
/// the file system knows of none. Nothing where it can not be read: errno says why.
std::optional<std::string> acl_attribute(const std::string& path);
std::optional<std::string> acl_attribute(int descriptor);
/// Gives an open file such an attribute. False: errno says why not.
bool set_acl_attribute(int descriptor, const std::string& attribute);

/// What it says, laid out as in linux/posix_acl_xattr.h; empty when it is none.
std::vector<AclEntry> read_acl(std::string_view attribute);

}  // namespace gantry::doctor
