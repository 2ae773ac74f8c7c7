#include "sandbox/cgroups.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::sandbox {
namespace fs = std::filesystem;
namespace {

// gantry-init counts, too.
constexpr int pids_of_ours = 1;
constexpr std::int64_t quota_period_us = 100'000;
constexpr std::string_view tcp_limit = "memory.kmem.tcp.limit_in_bytes";
constexpr std::array<std::string_view, 4> v1_controllers{"cpu", "cpuacct", "memory", "pids"};

std::vector<std::string> words_of(std::string_view text, char separator) {
  std::vector<std::string> words;
  std::istringstream stream{std::string{text}};
  for (std::string word; std::getline(stream, word, separator);) words.push_back(word);
  return words;
}

/// mountinfo writes spaces and backslashes of paths as octal numbers.
std::string unescaped(const std::string& path) {
  std::string plain;
  for (std::size_t i = 0; i < path.size(); ++i) {
    int code = 0;
    const char* digits = path.data() + i + 1;
    if (path[i] == '\\' && i + 3 < path.size() &&
        std::from_chars(digits, digits + 3, code, 8).ptr == digits + 3) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += path[i];
    }
  }
  return plain;
}

struct Mount {
  std::string root, point, kind;
  std::vector<std::string> options;
};

/// `36 31 0:33 /root /point rw,relatime shared:1 - cgroup source rw,memory`
std::optional<Mount> mount_of(const std::string& line) {
  auto fields = words_of(line, ' ');
  auto dash = std::ranges::find(fields, "-");
  if (fields.size() < 6 || fields.end() - dash < 4) return std::nullopt;
  return Mount{unescaped(fields[3]), unescaped(fields[4]), dash[1], words_of(dash[3], ',')};
}

/// Where a process whose group is `path` finds it below a mount; nothing outside of it.
std::optional<std::string> folder_in(const Mount& mount, std::string_view path) {
  if (mount.root != "/") {
    if (!path.starts_with(mount.root)) return std::nullopt;
    path.remove_prefix(mount.root.size());
  }
  while (path.ends_with('/')) path.remove_suffix(1);
  return mount.point + std::string{path};
}

Result<> write_file(const std::string& path, std::string_view value) {
  async::Descriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
  if (file && ::write(file.get(), value.data(), value.size()) >= 0) return ok;
  return fail(ErrorKind::unavailable, "cgroup_not_written",
              fmt::format("cannot write '{}' to '{}': {}", value, path, std::strerror(errno)));
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file{path};
  if (!file) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>{file}, {}};
}

std::optional<std::uint64_t> keyed_number(std::string_view text, std::string_view key) {
  for (const auto& line : words_of(text, '\n')) {
    std::uint64_t number = 0;
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ') continue;
    std::from_chars(line.data() + key.size() + 1, line.data() + line.size(), number);
    return number;
  }
  return std::nullopt;
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

bool has_word(const std::string& path, std::string_view wanted) {
  std::istringstream stream{read_file(path).value_or("")};
  for (std::string word; stream >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

/// Makes the controllers of version 2 usable below `folder`. A group that has processes can not
/// pass them on, so this process moves to one beside.
bool pass_on_controllers(const std::string& folder) {
  auto control = folder + "/cgroup.subtree_control";
  for (std::string_view controller : {"memory", "pids", "cpu"}) {
    if (!has_word(folder + "/cgroup.controllers", controller)) continue;
    if (has_word(control, controller)) continue;
    if (write_file(control, fmt::format("+{}", controller))) continue;
    auto aside = folder + "/gantry-server";
    ::mkdir(aside.c_str(), 0755);
    if (!write_file(aside + "/cgroup.procs", fmt::format("{}", ::getpid())) ||
        !write_file(control, fmt::format("+{}", controller))) {
      return false;
    }
  }
  return true;
}

std::string parent_of(const std::string& folder, const std::string& owner) {
  return fmt::format("{}/gantry-{}", folder, owner);
}

std::optional<std::string> make_parent(const std::string& folder, const std::string& owner) {
  auto path = parent_of(folder, owner);
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return std::nullopt;
  return path;
}

/// The old hierarchies may charge the buffers of sockets beside memory, or to nobody. As a share of
/// memory: enough for any program, and little where many use all of it.
constexpr std::uint64_t socket_share = 4;

/// A folder of a cgroup hierarchy can be removed once it is empty; its files go with it.
bool remove_folder(const std::string& path) {
  return ::rmdir(path.c_str()) == 0 || errno == ENOENT;
}

void kill_members(const std::string& folder) {
  for (const auto& line : words_of(read_file(folder + "/cgroup.procs").value_or(""), '\n')) {
    int pid = 0;
    std::from_chars(line.data(), line.data() + line.size(), pid);
    if (pid > 1) ::kill(pid, SIGKILL);
  }
}

/// A server's group and those of its executions; nothing where there is none.
void remove_group(const std::string& path) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{path, failed}) {
    if (!entry.is_directory(failed)) continue;
    kill_members(entry.path());
    remove_folder(entry.path());
  }
  remove_folder(path);
}

}  // namespace

CgroupLayout read_cgroup_layout(std::string_view mountinfo, std::string_view membership) {
  std::map<std::string, std::string> paths;  // by controller; "" is version 2
  for (const auto& line : words_of(membership, '\n')) {
    auto fields = words_of(line, ':');
    if (fields.size() < 3) continue;
    for (const auto& controller : words_of(fields[1], ',')) paths[controller] = fields[2];
    if (fields[1].empty()) paths[""] = fields[2];
  }
  CgroupLayout layout;
  for (const auto& line : words_of(mountinfo, '\n')) {
    auto mount = mount_of(line);
    if (!mount) continue;
    if (mount->kind == "cgroup2" && paths.contains("")) {
      layout.v2 = folder_in(*mount, paths[""]);
    } else if (mount->kind == "cgroup") {
      for (auto controller : v1_controllers) {
        if (std::ranges::find(mount->options, controller) == mount->options.end()) continue;
        auto folder = folder_in(*mount, paths[std::string{controller}]);
        if (folder) layout.v1[std::string{controller}] = *folder;
      }
    }
  }
  return layout;
}

CgroupLayout own_cgroup_layout() {
  return read_cgroup_layout(read_file("/proc/self/mountinfo").value_or(""),
                            read_file("/proc/self/cgroup").value_or(""));
}

std::string CgroupCapabilities::words() const {
  std::vector<std::string_view> words;
  if (memory) words.emplace_back("memory");
  if (swap) words.emplace_back("swap");
  if (sockets) words.emplace_back("sockets");
  if (pids) words.emplace_back("pids");
  if (cpu_quota) words.emplace_back("cpu quota");
  if (cpu_time) words.emplace_back("cpu time");
  return words.empty() ? "none" : fmt::format("{}", fmt::join(words, ", "));
}

Cgroups Cgroups::open(const CgroupLayout& layout, const std::string& owner) {
  Cgroups groups;
  for (const auto& [controller, folder] : layout.v1) {
    if (auto parent = make_parent(folder, owner)) groups.v1_[controller] = *parent;
  }
  bool wanted = std::ranges::any_of(
      v1_controllers, [&](auto controller) { return !groups.v1_.contains(controller); });
  if (layout.v2 && wanted && pass_on_controllers(*layout.v2)) {
    auto parent = make_parent(*layout.v2, owner);
    if (parent && pass_on_controllers(*parent)) groups.v2_ = parent;
  }
  // What a group really has is seen in one.
  auto probe = groups.make("probe");
  if (!probe) return groups;
  auto& can = groups.capabilities_;
  can.memory = exists(probe->file("memory", "memory.limit_in_bytes", "memory.max"));
  can.swap = exists(probe->file("memory", "memory.memsw.limit_in_bytes", "memory.swap.max"));
  can.sockets = exists(probe->file("memory", tcp_limit, "memory.max"));
  can.pids = exists(probe->file("pids", "pids.max", "pids.max"));
  can.cpu_quota = exists(probe->file("cpu", "cpu.cfs_quota_us", "cpu.max"));
  can.cpu_time = exists(probe->file("cpuacct", "cpuacct.usage", "cpu.stat"));
  return groups;
}

Result<Cgroup> Cgroups::make(const std::string& name) {
  Cgroup group;
  group.capabilities_ = capabilities_;
  std::set<std::string> made;  // cpu and cpuacct may be one hierarchy
  auto make_folder = [&](const std::string& parent) -> Result<std::string> {
    auto path = fmt::format("{}/{}", parent, name);
    if (made.contains(path)) return path;
    bool there = ::mkdir(path.c_str(), 0755) == 0;
    // One that was left over has counted before.
    if (!there && errno == EEXIST && remove_folder(path)) there = ::mkdir(path.c_str(), 0755) == 0;
    if (there) return *made.insert(path).first;
    auto error = errno;
    for (const auto& other : made) remove_folder(other);
    return fail(ErrorKind::unavailable, "no_cgroup",
                fmt::format("cannot make control group '{}': {}", path, std::strerror(error)),
                "let the server's user make groups there");
  };
  for (const auto& [controller, parent] : v1_) {
    auto path = make_folder(parent);
    if (!path) return fail(path.error());
    group.v1_[controller] = *path;
  }
  if (v2_) {
    auto path = make_folder(*v2_);
    if (!path) return fail(path.error());
    group.v2_ = *path;
  }
  return group;
}

void Cgroups::remove_leftovers(const CgroupLayout& layout, const std::string& owner) {
  for (const auto& [controller, folder] : layout.v1) remove_group(parent_of(folder, owner));
  if (layout.v2) remove_group(parent_of(*layout.v2, owner));
}

void Cgroups::close() {
  for (const auto& [controller, parent] : v1_) remove_group(parent);
  if (v2_) remove_group(*v2_);
}

Cgroup& Cgroup::operator=(Cgroup&& other) noexcept {
  if (this != &other) {
    abandon();
    v1_ = std::exchange(other.v1_, {});
    v2_ = std::exchange(other.v2_, std::nullopt);
    capabilities_ = other.capabilities_;
    set_ = std::move(other.set_);
  }
  return *this;
}

bool Cgroup::remove() {
  std::erase_if(v1_, [](const auto& folder) { return remove_folder(folder.second); });
  if (v2_ && remove_folder(*v2_)) v2_.reset();
  return v1_.empty() && !v2_;
}

void Cgroup::abandon() {
  if (remove()) return;
  // Somebody is in it who should not be.
  for (const auto& [controller, path] : v1_) kill_members(path);
  if (v2_) kill_members(*v2_);
  auto where = v2_ ? *v2_ : v1_.begin()->second;
  log::warn("cannot remove control group '{}' yet: somebody is in it", where);
  v1_.clear();
  v2_.reset();
}

std::string Cgroup::file(std::string_view controller, std::string_view v1,
                         std::string_view v2) const {
  auto found = v1_.find(controller);
  if (found != v1_.end()) return fmt::format("{}/{}", found->second, v1);
  return fmt::format("{}/{}", v2_.value_or("/nonexistent"), v2);
}

Result<> Cgroup::limit(const Policy& policy) {
  auto memory = fmt::format("{}", policy.memory.count);
  bool old_memory = v1_.contains("memory");
  auto quota = static_cast<std::int64_t>(policy.cpus * static_cast<double>(quota_period_us));
  struct Setting {
    bool possible;
    std::string path;
    std::string value;
  };
  const Setting settings[] = {
      {capabilities_.memory, file("memory", "memory.limit_in_bytes", "memory.max"), memory},
      // The old hierarchy limits memory and swap together, the new one swap alone.
      {capabilities_.swap, file("memory", "memory.memsw.limit_in_bytes", "memory.swap.max"),
       old_memory ? memory : "0"},
      {capabilities_.sockets && old_memory, file("memory", tcp_limit, {}),
       fmt::format("{}", policy.memory.count / socket_share)},
      {capabilities_.pids, file("pids", "pids.max", "pids.max"),
       fmt::format("{}", policy.pids + pids_of_ours)},
      {capabilities_.cpu_quota, file("cpu", "cpu.cfs_quota_us", "cpu.max"),
       v1_.contains("cpu") ? fmt::format("{}", quota)
                           : fmt::format("{} {}", quota, quota_period_us)},
  };
  // Memory alone may never exceed memory and swap together: one order is right when the limit
  // falls, the other when it rises, and what failed at first is written again.
  std::vector<const Setting*> again;
  for (const auto& setting : settings) {
    if (!setting.possible || set_[setting.path] == setting.value) continue;
    if (write_file(setting.path, setting.value)) {
      set_[setting.path] = setting.value;
    } else {
      again.push_back(&setting);
    }
  }
  for (const auto* setting : again) {
    if (auto written = write_file(setting->path, setting->value); !written) return written;
    set_[setting->path] = setting->value;
  }
  return ok;
}

Result<std::vector<std::pair<BirthRole, async::Descriptor>>> Cgroup::open() const {
  std::vector<std::pair<BirthRole, async::Descriptor>> descriptors;
  auto open_file = [&](BirthRole role, const std::string& path, int flags) {
    async::Descriptor file{::open(path.c_str(), flags | O_CLOEXEC)};
    bool opened = static_cast<bool>(file);
    if (opened) descriptors.emplace_back(role, std::move(file));
    return opened;
  };
  bool whole = true;
  std::set<std::string> entered;  // cpu and cpuacct may be one hierarchy
  for (const auto& [controller, path] : v1_) {
    if (!entered.insert(path).second) continue;
    whole = open_file(birth_attach, path + "/cgroup.procs", O_WRONLY) && whole;
  }
  if (v2_) whole = open_file(birth_attach, *v2_ + "/cgroup.procs", O_WRONLY) && whole;
  if (!whole) {
    return fail(ErrorKind::unavailable, "no_cgroup",
                fmt::format("cannot open a control group: {}", std::strerror(errno)));
  }
  open_file(v1_.contains("cpuacct") ? birth_cpu_ns : birth_cpu_us,
            file("cpuacct", "cpuacct.usage", "cpu.stat"), O_RDONLY);
  open_file(birth_peak, file("memory", "memory.max_usage_in_bytes", "memory.peak"), O_RDONLY);
  open_file(birth_oom, file("memory", "memory.oom_control", "memory.events"), O_RDONLY);
  // There gantry-init adds up what its sockets hold and what is charged.
  if (!v1_.contains("memory")) return descriptors;
  open_file(birth_used, file("memory", "memory.usage_in_bytes", {}), O_RDONLY);
  open_file(birth_limit, file("memory", "memory.limit_in_bytes", {}), O_RDONLY);
  open_file(birth_files, file("memory", "memory.stat", {}), O_RDONLY);
  return descriptors;
}

std::uint64_t Cgroup::oom_kills() const {
  auto text = read_file(file("memory", "memory.oom_control", "memory.events"));
  return text ? keyed_number(*text, "oom_kill").value_or(0) : 0;
}

}  // namespace gantry::sandbox
