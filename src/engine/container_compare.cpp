// Did the engine make what was asked for? Between the request and the container stand the engine's
// defaults, its authorisation plugins and the image's own configuration, and the last of them is
// an attacker's text. So a container is inspected after it was created, and started only when
// nothing differs, apart from this table of what an honest engine may change:
//
//   field             what may differ                              why
//   hostname          anything, when none was asked for            the engine derives one from the
//   id labels            more than asked for                          the image's labels are added
//   env               nothing                                      an image's variable is a
//   difference:
//                                                                  name it in the request to remove
//                                                                  it
//   memory_swap_bytes 0 or -1 instead of the wish                  no swap accounting in the kernel
//   memory_swappiness absent or -1 instead of 0                    cgroup v2 has no such setting
//   oom_score_adj     higher than asked for                        rootless engines can not lower
//   it pids_limit        0 and "absent" are the same                  both mean: no limit init
//   absent instead of false                      the engine's default is false ipc_mode `private`
//   or `shareable` when not asked for  the engine's default cgroupns_mode     anything, when not
//   asked for                 the engine's default runtime           anything, when not asked for
//   the engine's default shm_bytes         anything, when not asked for                 the
//   engine's default is 64 MiB network_mode      `default` and `bridge` are the same renamed in
//   API 1.44 security_opt      the order; space inside a seccomp profile    engines store it as
//   they like cap_drop/cap_add  the order, `CAP_` before a name, the case    newer engines
//   normalise them tmpfs             the order of the options                     ditto ulimits the
//   order; more than asked for               engine-wide default ulimits restart policy    empty or
//   `no`                                both mean: never masked_paths      any list that is not
//   empty                   the engine's own list must hold
//
// Everything else must be equal, and what no request can ask for must not be there.

#include "base/text.hpp"
#include "engine/containers.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace gantry::engine {
namespace {

constexpr std::size_t shown_max = 200;

std::string cut(const std::string& text) {
  return text::shortened(text::one_line(text), shown_max);
}

std::string shown(const std::string& text) { return fmt::format("'{}'", cut(text)); }
std::string shown(bool value) { return value ? "true" : "false"; }
std::string shown(std::int64_t value) { return std::to_string(value); }
std::string shown(const std::vector<std::string>& texts) {
  return cut(fmt::format("[{}]", fmt::join(texts, ", ")));
}
std::string shown(const Ulimit& limit) {
  return fmt::format("{}={}:{}", limit.name, limit.soft, limit.hard);
}
std::string shown(const VolumeMount& mount) {
  return cut(fmt::format("{} on {}{}{}", mount.volume, mount.target,
                         mount.read_only ? ", read-only" : "", mount.no_copy ? ", no copy" : ""));
}
template <class T>
std::string shown(const std::vector<T>& items) {
  std::vector<std::string> texts;
  texts.reserve(items.size());
  for (const auto& item : items) texts.push_back(shown(item));
  return shown(texts);
}
template <class T>
std::string shown(const std::optional<T>& value) {
  return value ? shown(*value) : "absent";
}

/// Collects what differs.
class Comparison {
 public:
  template <class T>
  void same(std::string field, const T& wanted, const T& got) {
    if (!(wanted == got)) differs(std::move(field), shown(wanted), shown(got));
  }
  /// What was left to the engine may be anything.
  template <class T>
  void same_if_asked(std::string field, const std::optional<T>& wanted,
                     const std::optional<T>& got) {
    if (wanted) same(std::move(field), wanted, got);
  }
  void none(std::string field, const std::vector<std::string>& got) {
    same(std::move(field), std::vector<std::string>{}, got);
  }
  void none(std::string field, std::size_t got) {
    if (got != 0) differs(std::move(field), "none", fmt::format("{} of them", got));
  }
  void differs(std::string field, std::string wanted, std::string got) {
    differences_.push_back({std::move(field), std::move(wanted), std::move(got)});
  }
  std::vector<Difference> take() { return std::move(differences_); }

 private:
  std::vector<Difference> differences_;
};

std::vector<std::string> sorted(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  return texts;
}

/// `cap_net_raw` -> `NET_RAW`, in order.
std::vector<std::string> capabilities(std::vector<std::string> names) {
  for (auto& name : names) {
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
    if (name.starts_with("CAP_")) name.erase(0, 4);
  }
  return sorted(std::move(names));
}

/// A seccomp profile as compact JSON with its keys in order of the text; any other option as is.
std::vector<std::string> security_options(std::vector<std::string> options) {
  constexpr std::string_view seccomp = "seccomp=";
  for (auto& option : options) {
    if (!option.starts_with(seccomp)) continue;
    auto profile =
        json::parse(std::string_view{option}.substr(seccomp.size()), json::Keys::tolerant);
    if (profile) option = fmt::format("{}{}", seccomp, json::serialize(*profile));
  }
  return sorted(std::move(options));
}

std::vector<std::string> tmpfs_mounts(const std::map<std::string, std::string>& tmpfs) {
  std::vector<std::string> out;
  for (const auto& [path, options] : tmpfs) {
    std::set<std::string_view> ordered;
    for (auto option : text::split(options, ',')) ordered.insert(option);
    out.push_back(fmt::format("{}:{}", path, fmt::join(ordered, ",")));
  }
  return out;
}

void compare_config(Comparison& comparison, const ContainerSpec& wanted,
                    const ContainerDetails& details) {
  const auto& got = details.settings;
  comparison.same("image", wanted.image, got.image);
  comparison.same_if_asked("user", wanted.user, got.user);
  comparison.same("env", sorted(wanted.env), sorted(got.env));
  comparison.same_if_asked("entrypoint", wanted.entrypoint, got.entrypoint);
  // Without an entrypoint of our own the image's command may fill an empty one.
  if (wanted.entrypoint || !wanted.cmd.empty()) comparison.same("cmd", wanted.cmd, got.cmd);
  comparison.same_if_asked("working_dir", wanted.working_dir, got.working_dir);
  comparison.same_if_asked("hostname", wanted.hostname, got.hostname);
  for (const auto& [name, value] : wanted.labels) {
    auto found = got.labels.find(name);
    auto has = found == got.labels.end() ? "absent" : shown(found->second);
    if (found == got.labels.end() || found->second != value) {
      comparison.differs(fmt::format("labels[{}]", cut(name)), shown(value), has);
    }
  }
  comparison.same("attach_stdin", wanted.attach_stdin, got.attach_stdin);
  comparison.same("attach_stdout", wanted.attach_stdout, got.attach_stdout);
  comparison.same("attach_stderr", wanted.attach_stderr, got.attach_stderr);
  comparison.same("open_stdin", wanted.open_stdin, got.open_stdin);
  comparison.same("stdin_once", wanted.stdin_once, got.stdin_once);
  comparison.same("tty", wanted.tty, got.tty);
  if (wanted.healthcheck == Healthcheck::none) {
    comparison.same("healthcheck", std::vector<std::string>{"NONE"}, details.healthcheck_test);
  }
  comparison.same_if_asked("stop_signal", wanted.stop_signal, got.stop_signal);
  comparison.same_if_asked("stop_timeout_seconds", wanted.stop_timeout_seconds,
                           got.stop_timeout_seconds);
  comparison.same("network_disabled", wanted.network_disabled, got.network_disabled);
}

void compare_limits(Comparison& comparison, const ContainerSpec& wanted, const ContainerSpec& got) {
  comparison.same_if_asked("memory_bytes", wanted.memory_bytes, got.memory_bytes);
  auto swap = got.memory_swap_bytes.value_or(0);
  if (swap != 0 && swap != -1) {
    comparison.same_if_asked("memory_swap_bytes", wanted.memory_swap_bytes, got.memory_swap_bytes);
  }
  bool no_swappiness = got.memory_swappiness.value_or(-1) == -1;
  if (!no_swappiness || wanted.memory_swappiness.value_or(0) != 0) {
    comparison.same_if_asked("memory_swappiness", wanted.memory_swappiness, got.memory_swappiness);
  }
  comparison.same_if_asked("nano_cpus", wanted.nano_cpus, got.nano_cpus);
  if (wanted.pids_limit) {
    comparison.same("pids_limit", *wanted.pids_limit, got.pids_limit.value_or(0));
  }
  if (wanted.oom_score_adj && got.oom_score_adj.value_or(0) < *wanted.oom_score_adj) {
    comparison.same("oom_score_adj", wanted.oom_score_adj, got.oom_score_adj);
  }
  for (const auto& limit : wanted.ulimits) {
    if (std::ranges::find(got.ulimits, limit) != got.ulimits.end()) continue;
    comparison.differs("ulimits", shown(limit), shown(got.ulimits));
  }
  comparison.same_if_asked("shm_bytes", wanted.shm_bytes, got.shm_bytes);
}

void compare_isolation(Comparison& comparison, const ContainerSpec& wanted,
                       const ContainerSpec& got) {
  comparison.same("cap_drop", capabilities(wanted.cap_drop), capabilities(got.cap_drop));
  comparison.same("cap_add", capabilities(wanted.cap_add), capabilities(got.cap_add));
  comparison.same("security_opt", security_options(wanted.security_opt),
                  security_options(got.security_opt));
  comparison.same("read_only_root", wanted.read_only_root, got.read_only_root);
  comparison.same("tmpfs", tmpfs_mounts(wanted.tmpfs), tmpfs_mounts(got.tmpfs));
  auto network = [](const std::optional<std::string>& mode) {
    return mode.value_or("default") == "bridge" ? "default" : mode.value_or("default");
  };
  comparison.same("network_mode", network(wanted.network_mode), network(got.network_mode));
  for (const auto& [name, value] : wanted.sysctls) {
    auto found = got.sysctls.find(name);
    auto set = found == got.sysctls.end() ? std::string{} : found->second;
    comparison.same("sysctls", value, set);
  }
  comparison.same("dns", wanted.dns, got.dns);
  comparison.same("extra_hosts", wanted.extra_hosts, got.extra_hosts);
  comparison.same_if_asked("ipc_mode", wanted.ipc_mode, got.ipc_mode);
  if (!wanted.ipc_mode && got.ipc_mode != "private" && got.ipc_mode != "shareable") {
    comparison.differs("ipc_mode", "private", shown(got.ipc_mode));
  }
  comparison.same_if_asked("cgroupns_mode", wanted.cgroupns_mode, got.cgroupns_mode);
  comparison.same_if_asked("log_driver", wanted.log_driver, got.log_driver);
  if (wanted.log_driver && wanted.log_options != got.log_options) {
    comparison.differs("log_options", fmt::format("{} options", wanted.log_options.size()),
                       fmt::format("{} options, or other ones", got.log_options.size()));
  }
  if (wanted.init) comparison.same("init", *wanted.init, got.init.value_or(false));
  comparison.same("auto_remove", wanted.auto_remove, got.auto_remove);
  comparison.same_if_asked("runtime", wanted.runtime, got.runtime);
}

void compare_mounts(Comparison& comparison, const ContainerSpec& wanted,
                    const ContainerDetails& details) {
  comparison.same("mounts", wanted.mounts, details.settings.mounts);
  // What is really mounted: an image's VOLUME comes as an anonymous volume on the host's disk.
  for (const auto& mount : details.mounts) {
    auto asked = std::ranges::any_of(wanted.mounts, [&](const VolumeMount& one) {
      return mount.type == "volume" && one.volume == mount.name && one.target == mount.target &&
             mount.writable != one.read_only;
    });
    if (asked) continue;
    comparison.differs("mounts", "none",
                       cut(fmt::format("{} '{}' on {}, {}", mount.type, mount.name, mount.target,
                                       mount.writable ? "writable" : "read-only")));
  }
}

void compare_unasked(Comparison& comparison, const ContainerSpec& spec,
                     const UnaskedSettings& got) {
  comparison.same("privileged", false, got.privileged);
  comparison.same("publish_all_ports", false, got.publish_all_ports);
  comparison.none("binds", got.binds);
  comparison.none("volumes_from", got.volumes_from);
  comparison.none("group_add", got.group_add);
  comparison.none("links", got.links);
  comparison.none("devices", got.devices);
  comparison.none("device_requests", got.device_requests);
  comparison.none("device_cgroup_rules", got.device_cgroup_rules);
  comparison.none("port_bindings", got.port_bindings);
  comparison.same("pid_mode", spec.pid_mode.value_or(""), got.pid_mode);
  comparison.same("uts_mode", std::string{}, got.uts_mode);
  comparison.same("userns_mode", std::string{}, got.userns_mode);
  if (got.restart_policy != "no") {
    comparison.same("restart_policy", std::string{}, got.restart_policy);
  }
  auto unmasked = [](const auto& paths) { return paths && paths->empty(); };
  if (unmasked(got.masked_paths)) comparison.differs("masked_paths", "the engine's own", "none");
  if (unmasked(got.readonly_paths)) {
    comparison.differs("readonly_paths", "the engine's own", "none");
  }
}

}  // namespace

std::vector<Difference> compare(const ContainerSpec& spec, const ContainerDetails& details) {
  Comparison comparison;
  compare_config(comparison, spec, details);
  compare_limits(comparison, spec, details.settings);
  compare_isolation(comparison, spec, details.settings);
  compare_mounts(comparison, spec, details);
  compare_unasked(comparison, spec, details.unasked);
  return comparison.take();
}

std::string describe(const std::vector<Difference>& differences) {
  std::vector<std::string> sentences;
  sentences.reserve(differences.size());
  for (const auto& [field, wanted, got] : differences) {
    sentences.push_back(fmt::format("{} is {} instead of {}", field, got, wanted));
  }
  return fmt::format("{}", fmt::join(sentences, "; "));
}

}  // namespace gantry::engine
