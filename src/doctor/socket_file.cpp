#include "doctor/socket_file.hpp"

#include "base/text.hpp"
#include "doctor/accounts.hpp"
#include "doctor/acl.hpp"
#include "doctor/files.hpp"

#include <cerrno>
#include <filesystem>

#include <sys/stat.h>

namespace gantry::doctor {
namespace {

namespace fs = std::filesystem;
using Kind = SocketFile::Kind;

Kind kind_of(unsigned mode) {
  if (S_ISSOCK(mode)) return Kind::socket;
  if (S_ISDIR(mode)) return Kind::folder;
  return S_ISREG(mode) ? Kind::file : Kind::other;
}

}  // namespace

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
  out.mode = status.st_mode & ALLPERMS;
  out.owner = user_name(out.uid);
  if (auto group = group_with(out.gid)) out.group = group->name;
  out.acl = read_acl(acl_attribute(path).value_or(""));
  auto mount = mount_of(file_text("/proc/self/mountinfo").value_or(""),
                        out.leads_to.empty() ? path : out.leads_to);
  out.mounted = mount.own;
  out.read_only_mount = mount.read_only;
  return out;
}

}  // namespace gantry::doctor
