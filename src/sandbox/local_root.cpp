#include "sandbox/local_root.hpp"

#include "nursery/birth.h"
#include "sandbox/embedded.hpp"
#include "sandbox/hardening.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" {
extern const char gantry_nursery_begin[];
extern const char gantry_nursery_end[];
extern const char gantry_nursery_library_begin[];
extern const char gantry_nursery_library_end[];
}

namespace gantry::sandbox {
namespace {

constexpr const char* path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct RootFile {
  std::string_view name;
  std::string_view content;
  int mode = 0444;
};

// Nothing of the host's own: names of users and of other machines are none of a program's business.
constexpr RootFile synthetic_files[] = {
    {"/etc/passwd",
     "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
     "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
    {"/etc/group", "root:x:0:\nnogroup:x:65534:\n"},
    {"/etc/hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"},
    {"/etc/hostname", "sandbox\n"},
    {"/etc/resolv.conf", "nameserver 127.0.0.1\n"},
    {"/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"},
};

// What programs of /usr need to find their libraries and each other.
constexpr const char* borrowed_files[] = {"/etc/ld.so.cache", "/etc/alternatives"};

// Only these: all others are gone before the first namespace is made.
constexpr const char* capabilities[] = {"CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP",
                                        "CAP_NET_ADMIN"};

/// With it the kernel keeps programs from lowering their score for the OOM killer. Not every
/// server has it.
constexpr const char* resource_capability = "CAP_SYS_RESOURCE";

bool has_resource_capability() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  return ::syscall(SYS_capget, &header, data.data()) == 0 &&
         (data[CAP_TO_INDEX(CAP_SYS_RESOURCE)].permitted & CAP_TO_MASK(CAP_SYS_RESOURCE)) != 0;
}

/// A file that exists only as long as its descriptor.
Result<async::Descriptor> file_with(std::string_view content) {
  async::Descriptor file{::memfd_create("gantry", MFD_CLOEXEC)};
  auto size = static_cast<ssize_t>(content.size());
  if (!file || ::write(file.get(), content.data(), content.size()) != size ||
      ::lseek(file.get(), 0, SEEK_SET) != 0) {
    return fail(ErrorKind::unavailable, "no_memory_file",
                fmt::format("cannot make a file in memory: {}", std::strerror(errno)));
  }
  return file;
}

void add(std::vector<std::string>& argv, std::initializer_list<std::string_view> words) {
  for (auto word : words) argv.emplace_back(word);
}

std::vector<std::string> bubblewrap(Privilege privilege) {
  std::vector<std::string> argv{"bwrap"};
  // The nursery is PID 1 of a namespace that ends with the server, and everything in it.
  add(argv, {"--unshare-pid", "--as-pid-1", "--die-with-parent", "--new-session"});
  add(argv, {"--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup-try"});
  if (privilege == Privilege::user_namespace) {
    add(argv, {"--unshare-user", "--uid", "0", "--gid", "0"});
    // Without it the kernel lets no child map user 0 of the nursery.
    add(argv, {"--cap-drop", "ALL", "--cap-add", "CAP_SETFCAP"});
  } else {
    add(argv, {"--cap-drop", "ALL"});
    if (has_resource_capability()) add(argv, {"--cap-add", resource_capability});
  }
  for (const auto* capability : capabilities) add(argv, {"--cap-add", capability});
  add(argv, {"--ro-bind", "/usr", "/usr"});
  for (std::string_view folder : {"bin", "sbin", "lib", "lib32", "lib64"}) {
    if (::access(fmt::format("/usr/{}", folder).c_str(), F_OK) != 0) continue;
    add(argv, {"--symlink", fmt::format("usr/{}", folder), fmt::format("/{}", folder)});
  }
  add(argv, {"--proc", "/proc", "--dev", "/dev", "--dir", "/box", "--dir", "/tmp"});
  // Named, because bubblewrap makes folders that it finds missing for nobody but root.
  add(argv, {"--perms", "0755", "--dir", "/etc"});
  for (const auto* file : borrowed_files) add(argv, {"--ro-bind-try", file, file});
  // An interpreter finds its program where it was booted, and that is not where the server began.
  add(argv, {"--chdir", "/box"});
  return argv;
}

std::vector<RootFile> files_of_ours(const std::vector<std::string>& names) {
  std::vector<RootFile> files{std::begin(synthetic_files), std::end(synthetic_files)};
  files.push_back({names[0], {gantry_nursery_begin, gantry_nursery_end}, 0555});
  files.push_back({names[1], {gantry_nursery_library_begin, gantry_nursery_library_end}, 0555});
  std::size_t at = 2;
  for (const auto& file : embedded::init_files()) {
    files.push_back({names[at++], file.content, file.mode});
  }
  return files;
}

/// Where our own files lie in the root.
std::vector<std::string> names_of_ours() {
  std::vector<std::string> names;
  for (const auto* name : {"nursery", "nursery.so"}) {
    names.push_back(fmt::format("{}/{}", init_folder, name));
  }
  for (const auto& file : embedded::init_files()) {
    names.push_back(fmt::format("{}/{}", init_folder, file.name));
  }
  return names;
}

void add_command(std::vector<std::string>& argv, Interpreter interpreter,
                 const std::vector<std::string>& names) {
  if (interpreter == Interpreter::none) return add(argv, {"--", names[0]});
  auto boot = boot_of({.interpreter = interpreter}, ServedImage{});
  add(argv, {"--setenv", "LD_PRELOAD", names[1]});
  for (const auto& [name, value] : boot->env) add(argv, {"--setenv", name, value});
  argv.emplace_back("--");
  for (const auto& word : boot->command) argv.push_back(word);
}

}  // namespace

Privilege own_privilege() { return ::geteuid() == 0 ? Privilege::root : Privilege::user_namespace; }

Result<LocalRoot> local_root(Interpreter interpreter, Privilege privilege, int socket) {
  LocalRoot root;
  root.spec.argv = bubblewrap(privilege);
  // As a program of the sandbox has them, for what an interpreter reads while it boots.
  root.spec.env = {fmt::format("PATH={}", path), "LANG=C.UTF-8", "HOME=/box", "TMPDIR=/tmp"};
  root.spec.descriptors = {socket};
  auto names = names_of_ours();
  auto& argv = root.spec.argv;
  add(argv, {"--perms", "0755", "--dir", init_folder});
  for (const auto& file : files_of_ours(names)) {
    auto opened = file_with(file.content);
    if (!opened) return fail(opened.error());
    auto number = nursery_socket + static_cast<int>(root.spec.descriptors.size());
    add(argv, {"--perms", fmt::format("{:04o}", file.mode), "--file", fmt::format("{}", number),
               file.name});
    root.spec.descriptors.push_back(opened->get());
    root.files.push_back(std::move(*opened));
  }
  add(argv, {"--remount-ro", "/dev", "--remount-ro", "/"});
  add_command(argv, interpreter, names);
  return root;
}

}  // namespace gantry::sandbox
