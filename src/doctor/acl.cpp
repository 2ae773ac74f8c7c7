#include "doctor/acl.hpp"

#include <array>
#include <cerrno>
#include <cstddef>

#include <linux/limits.h>
#include <sys/xattr.h>

namespace gantry::doctor {
namespace {

constexpr const char* attribute_name = "system.posix_acl_access";
constexpr std::size_t header_bytes = 4;
constexpr std::size_t entry_bytes = 8;
constexpr unsigned known_version = 2;
constexpr unsigned write_bit = 2;
constexpr unsigned enter_bit = 1;

struct TagTraits {
  unsigned tag;
  AclEntry::Who who;
};
constexpr std::array tags{
    TagTraits{0x01, AclEntry::Who::owner},        TagTraits{0x02, AclEntry::Who::user},
    TagTraits{0x04, AclEntry::Who::owning_group}, TagTraits{0x08, AclEntry::Who::group},
    TagTraits{0x10, AclEntry::Who::mask},         TagTraits{0x20, AclEntry::Who::others}};

unsigned little_endian(std::string_view bytes) {
  unsigned out = 0;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
    out = out << 8U | static_cast<unsigned char>(*byte);
  }
  return out;
}

/// `get` fills a buffer as getxattr(2) does; no attribute is larger than this one.
template <class Get>
std::optional<std::string> attribute_by(Get get) {
  std::string value(XATTR_SIZE_MAX, '\0');
  auto got = get(value.data(), value.size());
  bool none = got < 0 && (errno == ENODATA || errno == EOPNOTSUPP);
  if (got < 0 && !none) return std::nullopt;
  value.resize(none ? 0 : static_cast<std::size_t>(got));
  return value;
}

}  // namespace

std::optional<std::string> acl_attribute(const std::string& path) {
  return attribute_by([&](char* into, std::size_t size) {
    return ::getxattr(path.c_str(), attribute_name, into, size);
  });
}

std::optional<std::string> acl_attribute(int descriptor) {
  return attribute_by([&](char* into, std::size_t size) {
    return ::fgetxattr(descriptor, attribute_name, into, size);
  });
}

bool set_acl_attribute(int descriptor, const std::string& attribute) {
  return ::fsetxattr(descriptor, attribute_name, attribute.data(), attribute.size(), 0) == 0;
}

std::vector<AclEntry> read_acl(std::string_view attribute) {
  bool known = attribute.size() >= header_bytes &&
               (attribute.size() - header_bytes) % entry_bytes == 0 &&
               little_endian(attribute.substr(0, header_bytes)) == known_version;
  if (!known) return {};
  std::vector<AclEntry> out;
  for (auto rest = attribute.substr(header_bytes); !rest.empty(); rest.remove_prefix(entry_bytes)) {
    auto tag = little_endian(rest.substr(0, 2));
    auto rights = little_endian(rest.substr(2, 2));
    for (const auto& traits : tags) {
      if (traits.tag != tag) continue;
      out.push_back({.who = traits.who,
                     .id = little_endian(rest.substr(4, 4)),
                     .write = (rights & write_bit) != 0,
                     .enter = (rights & enter_bit) != 0});
    }
  }
  return out;
}

}  // namespace gantry::doctor
