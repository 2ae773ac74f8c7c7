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

std::map<std::string, std::string> temporary_folders(const Policy& policy, const ServedImage& image,
                                                     int user) {
  auto sized = fmt::format("nosuid,nodev,size={},nr_inodes={},uid={},gid={}", policy.tmpfs.count,
                           inodes, user, user);
  // Read-only and tiny over everything else that would be writable: an image's VOLUME is a
  // folder on the host's disk without a quota, /dev/shm is 64 MiB by default.
  constexpr auto* shut = "ro,noexec,nosuid,nodev,size=4k,mode=0755";
  std::map<std::string, std::string> folders;
  for (const auto& path : image.volumes) folders[path] = shut;
  folders["/dev/shm"] = shut;
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

void isolate(engine::ContainerSpec& spec, const Policy& policy) {
  spec.cap_drop = {"ALL"};
  // Our own list, whatever the engine's version thinks is safe (docs/adr/0008).
  spec.security_opt = {"no-new-privileges:true",
                       fmt::format("seccomp={}", embedded::seccomp_profile())};
  spec.read_only_root = true;  // overlay2 has no quota
  if (policy.network == Network::full) {
    spec.network_mode = "bridge";
  } else {
    spec.network_mode = "none";
    spec.dns = {"127.0.0.1"};  // otherwise /etc/resolv.conf tells the host's resolvers
  }
  if (policy.runtime == Runtime::runsc) spec.runtime = "runsc";
  spec.ipc_mode = "private";
  spec.cgroupns_mode = "private";
  spec.log_driver = "none";  // the output has its own way and its own cap
}

}  // namespace

std::int64_t pids_limit_of(const Policy& policy) { return policy.pids + pids_of_ours; }

engine::ContainerSpec hardened_container(const Policy& policy, const ServedImage& image,
                                         const Placement& placement) {
  engine::ContainerSpec spec;
  spec.image = image.id;  // by id: a tag may move between our look and the engine's
  // Numeric, and never the image's own USER.
  spec.user = fmt::format("{0}:{0}", placement.user_id);
  // None of the image's variables reaches gantry-init (LD_PRELOAD, GCONV_PATH …); the program
  // gets them from us. A name without a value removes it.
  for (const auto& entry : image.env) spec.env.push_back(entry.substr(0, entry.find('=')));
  spec.env.emplace_back("HOME=/box");
  spec.entrypoint = std::vector<std::string>{init_path};
  spec.working_dir = "/box";  // a WORKDIR of /proc/self/fd/N was CVE-2024-21626
  spec.hostname = "sandbox";
  spec.healthcheck = engine::Healthcheck::none;
  spec.stop_signal = "SIGKILL";
  spec.stop_timeout_seconds = 0;
  spec.attach_stdin = spec.attach_stdout = spec.attach_stderr = true;
  spec.open_stdin = spec.stdin_once = true;
  spec.init = false;  // gantry-init is PID 1 itself
  spec.tmpfs = temporary_folders(policy, image, placement.user_id);
  spec.mounts = {{placement.init_volume, init_folder}};
  spec.labels = {
      {labels::kind, "sandbox"},
      {labels::owner, placement.owner},
      {labels::execution, placement.label},
      {labels::deadline,
       std::to_string(std::chrono::floor<Seconds>(placement.deadline.time_since_epoch()).count())}};
  limit_resources(spec, policy);
  isolate(spec, policy);
  return spec;
}

}  // namespace gantry::sandbox
