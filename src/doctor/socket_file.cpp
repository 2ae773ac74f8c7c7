#include "doctor/socket_file.hpp"

#include "base/text.hpp"
#include "doctor/accounts.hpp"
#include "doctor/files.hpp"

#include <array>
#include <cerrno>
#include <filesystem>

#include <sys/stat.h>
#include <sys/xattr.h>

namespace gantry::doctor {
namespace {

namespace fs = std::filesystem;
using Kind = SocketFile::Kind;

constexpr unsigned permission_bits = 07777;
constexpr std::size_t acl_header = 4;
constexpr std::size_t acl_entry = 8;
constexpr unsigned acl_version = 2;
constexpr unsigned acl_write = 2;

unsigned little_endian(std::string_view bytes) {
  unsigned out = 0;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
    out = out << 8U | static_cast<unsigned char>(*byte);
  }
  return out;
}

struct TagTraits {
  unsigned tag;
  AclEntry::Who who;
};
constexpr std::array tags{
    TagTraits{0x01, AclEntry::Who::owner},        TagTraits{0x02, AclEntry::Who::user},
    TagTraits{0x04, AclEntry::Who::owning_group}, TagTraits{0x08, AclEntry::Who::group},
    TagTraits{0x10, AclEntry::Who::mask},         TagTraits{0x20, AclEntry::Who::others}};

Kind kind_of(unsigned mode) {
  if (S_ISSOCK(mode)) return Kind::socket;
  if (S_ISDIR(mode)) return Kind::folder;
  return S_ISREG(mode) ? Kind::file : Kind::other;
}

std::string acl_attribute(const std::string& path) {
  std::string value(4096, '\0');
  auto got = ::getxattr(path.c_str(), "system.posix_acl_access", value.data(), value.size());
  value.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return value;
}

}  // namespace

std::vector<AclEntry> read_acl(std::string_view attribute) {
  bool known = attribute.size() >= acl_header && (attribute.size() - acl_header) % acl_entry == 0 &&
               little_endian(attribute.substr(0, acl_header)) == acl_version;
  if (!known) return {};
  std::vector<AclEntry> out;
  for (auto rest = attribute.substr(acl_header); !rest.empty(); rest.remove_prefix(acl_entry)) {
    auto tag = little_endian(rest.substr(0, 2));
    for (const auto& traits : tags) {
      if (traits.tag != tag) continue;
      out.push_back({.who = traits.who,
                     .id = little_endian(rest.substr(4, 4)),
                     .write = (little_endian(rest.substr(2, 2)) & acl_write) != 0});
    }
  }
  return out;
}

MountOf mount_of(std::string_view mountinfo, std::string_view path) {
  constexpr std::size_t place = 4;
  constexpr std::size_t options = 5;
  MountOf found;
  std::size_t longest = 0;
  for (auto line : text::split(mountinfo, '\n')) {
    auto words = text::split(line, ' ');
    if (words.size() <= options) continue;
    auto at = words[place];
    bool covers = path == at || at == "/" ||
                  (path.starts_with(at) && path.substr(at.size()).starts_with('/'));
    // Of two mounts at one place the later one is seen.
    if (!covers || at.size() < longest) continue;
    longest = at.size();
    auto flags = text::split(words[options], ',');
    found = {.own = path == at, .read_only = !flags.empty() && flags.front() == "ro"};
  }
  return found;
}

SocketFile look_at_socket(const std::string& path) {
  SocketFile out{.path = path};
  std::error_code failed;
  auto real = fs::weakly_canonical(path, failed);
  if (!failed && real != fs::path{path}.lexically_normal()) out.leads_to = real.string();
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    out.kind = errno == EACCES ? Kind::hidden : Kind::missing;
    return out;
  }
  out.kind = kind_of(status.st_mode);
  out.uid = status.st_uid;
  out.gid = status.st_gid;
  out.mode = status.st_mode & permission_bits;
  out.owner = user_name(out.uid);
  if (auto group = group_with(out.gid)) out.group = group->name;
  out.acl = read_acl(acl_attribute(path));
  auto mount = mount_of(file_text("/proc/self/mountinfo").value_or(""),
                        out.leads_to.empty() ? path : out.leads_to);
  out.mounted = mount.own;
  out.read_only_mount = mount.read_only;
  return out;
}

}  // namespace gantry::doctor
