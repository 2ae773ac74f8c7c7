#include "sandbox/hardening.hpp"

#include "sandbox/embedded.hpp"
#include "sandbox/labels.hpp"

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

constexpr std::int64_t open_files = 1024;
constexpr std::int64_t stack_bytes = 64 << 20;
constexpr int inodes = 16'384;
// The host kills sandboxes before its own daemons when its memory runs out; gantry-init raises
// the program's own score further, so that it survives to tell.
constexpr std::int64_t oom_score = 500;
// gantry-init counts, too.
constexpr int pids_of_ours = 1;

// Read-only and tiny over everything else that would be writable: an image's VOLUME is a folder on
// the host's disk without a quota, /dev/shm is 64 MiB by default.
constexpr auto* shut = "ro,noexec,nosuid,nodev,size=4k,mode=0755";

std::map<std::string, std::string> shut_folders(const ServedImage& image) {
  std::map<std::string, std::string> folders;
  for (const auto& path : image.volumes) folders[path] = shut;
  folders["/dev/shm"] = shut;
  return folders;
}

std::map<std::string, std::string> temporary_folders(const Policy& policy, const ServedImage& image,
                                                     int user) {
  auto sized = fmt::format("nosuid,nodev,size={},nr_inodes={},uid={},gid={}", policy.tmpfs.count,
                           inodes, user, user);
  auto folders = shut_folders(image);
  folders["/box"] = "rw,exec,mode=0700," + sized;
  bool shuts_tmp = policy.filesystem == Filesystem::sandbox;
  folders["/tmp"] = shuts_tmp ? shut : "rw,noexec,mode=0700," + sized;
  return folders;
}

std::vector<engine::Ulimit> ulimits(const Policy& policy) {
  // gantry-init lowers it further, to the policy's `file`; nothing else can be written to anyway.
  auto file = static_cast<std::int64_t>(policy.tmpfs.count);
  return {{"nofile", open_files, open_files},
          {"fsize", file, file},
          {"core", 0, 0},      // no dumps on the host's disk
          {"memlock", 0, 0},   // no pinned memory
          {"msgqueue", 0, 0},  // /dev/mqueue is writable otherwise
          {"stack", stack_bytes, stack_bytes}};
}

void limit_resources(engine::ContainerSpec& spec, const Policy& policy) {
  auto memory = static_cast<std::int64_t>(policy.memory.count);
  spec.memory_bytes = memory;
  spec.memory_swap_bytes = memory;  // the same: no swap on top
  spec.nano_cpus = static_cast<std::int64_t>(policy.cpus * 1e9);
  spec.pids_limit = pids_limit_of(policy);
  spec.ulimits = ulimits(policy);
  spec.oom_score_adj = oom_score;
}

void connect(engine::ContainerSpec& spec, const Policy& policy, const Placement& placement) {
  switch (policy.network) {
    case Network::none:
      spec.network_mode = "none";
      spec.dns = {"127.0.0.1"};  // otherwise /etc/resolv.conf tells the host's resolvers
      return;
    case Network::outbound:
      spec.network_mode = placement.network;
      spec.hostname.reset();  // host name and resolvers are the holder's
      return;
    case Network::full:
      spec.network_mode = "bridge";
      return;
  }
}

void label(engine::ContainerSpec& spec, const Placement& placement, const char* kind) {
  spec.labels = {
      {labels::kind, kind},
      {labels::owner, placement.owner},
      {labels::execution, placement.label},
      {labels::deadline,
       std::to_string(std::chrono::floor<Seconds>(placement.deadline.time_since_epoch()).count())}};
}

/// What everything of ours on an engine has in common, whatever runs in it.
engine::ContainerSpec bare_container(const ServedImage& image, const Placement& placement) {
  engine::ContainerSpec spec;
  spec.image = image.id;  // by id: a tag may move between our look and the engine's
  // None of the image's variables reaches a program of ours (LD_PRELOAD, GCONV_PATH …). A name
  // without a value removes it.
  for (const auto& entry : image.env) spec.env.push_back(entry.substr(0, entry.find('=')));
  spec.hostname = "sandbox";
  spec.healthcheck = engine::Healthcheck::none;
  spec.stop_signal = "SIGKILL";
  spec.stop_timeout_seconds = 0;
  spec.attach_stdin = spec.attach_stdout = spec.attach_stderr = true;
  spec.open_stdin = spec.stdin_once = true;
  spec.init = false;  // our program is PID 1 itself
  spec.mounts = {{placement.init_volume, init_folder}};
  spec.cap_drop = {"ALL"};
  spec.read_only_root = true;  // overlay2 has no quota
  spec.ipc_mode = "private";
  spec.cgroupns_mode = "private";
  spec.log_driver = "none";  // the output has its own way and its own cap
  return spec;
}

/// A container in which only gantry-holder runs. The engine's own seccomp profile holds: ours has
/// no netlink sockets.
engine::ContainerSpec helper_container(const ServedImage& image, const Placement& placement) {
  constexpr std::int64_t memory = 32 << 20;
  constexpr std::int64_t processes = 32;  // of runc, before it becomes ours: a thread each
  auto spec = bare_container(image, placement);
  spec.user = "0:0";  // a capability is root's, where programs are not told otherwise
  spec.working_dir = "/";
  spec.security_opt = {"no-new-privileges:true"};
  spec.tmpfs = shut_folders(image);
  spec.memory_bytes = memory;
  spec.memory_swap_bytes = memory;
  spec.nano_cpus = 1'000'000'000;
  spec.pids_limit = processes;
  spec.oom_score_adj = oom_score;
  label(spec, placement, "network");
  return spec;
}

}  // namespace

std::int64_t pids_limit_of(const Policy& policy) { return policy.pids + pids_of_ours; }

engine::ContainerSpec hardened_container(const Policy& policy, const ServedImage& image,
                                         const Placement& placement) {
  auto spec = bare_container(image, placement);
  // Numeric, and never the image's own USER.
  spec.user = fmt::format("{0}:{0}", placement.user_id);
  spec.env.emplace_back("HOME=/box");
  spec.entrypoint = std::vector<std::string>{init_path};
  spec.working_dir = "/box";  // a WORKDIR of /proc/self/fd/N was CVE-2024-21626
  spec.tmpfs = temporary_folders(policy, image, placement.user_id);
  // Our own list, whatever the engine's version thinks is safe (docs/adr/0008).
  spec.security_opt = {"no-new-privileges:true",
                       fmt::format("seccomp={}", embedded::seccomp_profile())};
  if (policy.runtime == Runtime::runsc) spec.runtime = "runsc";
  label(spec, placement, "sandbox");
  limit_resources(spec, policy);
  connect(spec, policy, placement);
  return spec;
}

engine::ContainerSpec holder_container(const ServedImage& image, const Placement& placement,
                                       const HolderWishes& wishes) {
  auto spec = helper_container(image, placement);
  spec.entrypoint = std::vector<std::string>{holder_path, "hold"};
  spec.entrypoint->insert(spec.entrypoint->end(), wishes.blocked.begin(), wishes.blocked.end());
  spec.cap_add = {"NET_ADMIN"};  // given up when the routes are set
  spec.network_mode = placement.network;
  spec.dns = wishes.dns;
  // Answers come by the gateway, to which no route leads: a filter that asks the routes drops them.
  spec.sysctls = {{"net.ipv4.conf.all.rp_filter", "0"}};
  return spec;
}

engine::ContainerSpec survey_container(const ServedImage& image, const Placement& placement) {
  auto spec = helper_container(image, placement);
  spec.entrypoint = std::vector<std::string>{holder_path, "survey"};
  spec.hostname.reset();  // the host's, as its network
  spec.network_mode = "host";
  spec.host_network = engine::HostNetwork::read_only;
  return spec;
}

}  // namespace gantry::sandbox
