#include "api/container_form.hpp"

#include "base/text.hpp"
#include "sandbox/slots.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>

namespace gantry::api {
namespace {

using engine::NewContainer;
using json::Fields;

constexpr json::TextBounds word_text{1, 256};
constexpr json::TextBounds path_text{1, 4096};
constexpr json::TextBounds long_text{0, 32'768};
constexpr std::int64_t bytes_max = std::int64_t{1} << 50U;
constexpr json::IntegerBounds duration_bounds{0, 86'400'000};
/// The least an engine takes.
constexpr std::int64_t memory_min = std::int64_t{6} << 20U;

constexpr std::array<std::string_view, 4> restart_words{"no", "always", "unless-stopped",
                                                        "on-failure"};

/// One of `words`; empty when it is not there or was refused.
template <class Words>
std::string choice(Fields& fields, std::string_view key, const Words& words) {
  auto text = fields.text(key, word_text);
  if (!text) return {};
  for (std::string_view known : words) {
    if (known == *text) return *text;
  }
  fields.refuse(key, fmt::format("must be one of {}", fmt::join(words, ", ")));
  return {};
}

void close(Fields& parent, Fields& child) {
  if (auto done = child.finish(); !done) parent.adopt(done.error());
}

Fields nested(const json::Value& value, const Fields& parent, std::string_view key) {
  return {value, parent.path(key), json::Keys::strict};
}

std::optional<std::uint16_t> port_of(Fields& fields, std::string_view key) {
  auto number = fields.integer(key, {1, 65'535});
  if (!number) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

void read_ports(Fields& form, NewContainer& wanted) {
  constexpr std::array<std::string_view, 3> protocols{"tcp", "udp", "sctp"};
  const auto* items = form.array("ports", 256);
  if (items == nullptr) return;
  for (const auto& item : *items) {
    auto fields = nested(item, form, "ports");
    engine::PublishedPort port;
    auto number = port_of(fields, "container_port");
    if (!number && !fields.refused()) fields.refuse("container_port", "is missing");
    port.container_port = number.value_or(0);
    if (auto protocol = choice(fields, "protocol", protocols); !protocol.empty()) {
      port.protocol = protocol;
    }
    port.host_port = port_of(fields, "host_port");
    port.host_ip = fields.text("host_ip", {0, 45}).value_or("");
    close(form, fields);
    wanted.ports.push_back(std::move(port));
  }
}

void read_mount(Fields& fields, NewContainer& wanted) {
  constexpr std::array<std::string_view, 3> types{"volume", "bind", "tmpfs"};
  auto type = choice(fields, "type", types);
  if (type.empty() && !fields.refused()) fields.refuse("type", "is missing");
  auto target = fields.required_text("target", path_text);
  auto source = fields.text("source", path_text);
  bool read_only = fields.boolean("read_only").value_or(false);
  auto size = fields.integer("size_bytes", {4096, bytes_max});
  if (type == "tmpfs") {
    if (source) fields.refuse("source", "has no meaning for a tmpfs");
    auto options = fmt::format("{},nosuid,nodev", read_only ? "ro" : "rw");
    if (size) options += fmt::format(",size={}", *size);
    wanted.tmpfs[target] = options;
    return;
  }
  if (size) fields.refuse("size_bytes", "has a meaning only for a tmpfs");
  if (!source && !fields.refused()) fields.refuse("source", "is missing");
  if (type == "volume") {
    wanted.volumes.push_back({.volume = source.value_or(""),
                              .target = target,
                              .read_only = read_only,
                              .no_copy = false});
  } else {
    wanted.binds.push_back(
        {.source = source.value_or(""), .target = target, .read_only = read_only});
  }
}

void read_mounts(Fields& form, NewContainer& wanted) {
  const auto* items = form.array("mounts", 64);
  if (items == nullptr) return;
  for (const auto& item : *items) {
    auto fields = nested(item, form, "mounts");
    read_mount(fields, wanted);
    close(form, fields);
  }
}

std::optional<engine::RestartPolicy> read_restart(Fields& form) {
  const auto* value = form.member("restart");
  if (value == nullptr) return std::nullopt;
  auto fields = nested(*value, form, "restart");
  engine::RestartPolicy restart{.name = choice(fields, "policy", restart_words)};
  if (restart.name.empty() && !fields.refused()) fields.refuse("policy", "is missing");
  restart.retries_max = fields.integer("retries_max", {0, 1'000'000}).value_or(0);
  if (restart.retries_max != 0 && restart.name != "on-failure" && !fields.refused()) {
    fields.refuse("retries_max", "has a meaning only for 'on-failure'");
  }
  close(form, fields);
  return restart;
}

std::optional<std::int64_t> read_cpus(Fields& fields) {
  auto cpus = fields.number("cpus", {0.01, 4096});
  if (!cpus) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(*cpus * 1e9));
}

void read_limits(Fields& form, NewContainer& wanted) {
  const auto* value = form.member("limits");
  if (value == nullptr) return;
  auto fields = nested(*value, form, "limits");
  wanted.memory_bytes = fields.integer("memory_bytes", {memory_min, bytes_max});
  wanted.memory_swap_bytes = fields.integer("memory_swap_bytes", {-1, bytes_max});
  wanted.nano_cpus = read_cpus(fields);
  wanted.pids_limit = fields.integer("pids", {1, 4'194'304});
  wanted.cpu_shares = fields.integer("cpu_shares", {2, 262'144});
  wanted.shm_bytes = fields.integer("shm_bytes", {4096, bytes_max});
  close(form, fields);
}

void read_healthcheck(Fields& form, NewContainer& wanted) {
  const auto* value = form.member("healthcheck");
  if (value == nullptr) return;
  auto fields = nested(*value, form, "healthcheck");
  engine::HealthcheckSettings check;
  auto command = fields.texts("command", 256, long_text);
  auto shell = fields.text("shell", long_text);
  bool disabled = fields.boolean("disabled").value_or(false);
  if ((command.empty() ? 0 : 1) + (shell ? 1 : 0) + (disabled ? 1 : 0) != 1 && !fields.refused()) {
    fields.refuse("command", "or 'shell' or 'disabled' must be given, and one of them only");
  }
  if (disabled) check.test = {"NONE"};
  if (shell) check.test = {"CMD-SHELL", *shell};
  if (!command.empty()) {
    check.test = {"CMD"};
    for (auto& word : command) check.test.push_back(std::move(word));
  }
  auto duration = [&](std::string_view key) {
    return Milliseconds{fields.integer(key, duration_bounds).value_or(0)};
  };
  check.interval = duration("interval_ms");
  check.timeout = duration("timeout_ms");
  check.start_period = duration("start_period_ms");
  check.retries = fields.integer("retries", {1, 1000}).value_or(0);
  close(form, fields);
  wanted.healthcheck = std::move(check);
}

void read_capabilities(Fields& form, NewContainer& wanted) {
  const auto* value = form.member("capabilities");
  if (value == nullptr) return;
  auto fields = nested(*value, form, "capabilities");
  wanted.cap_add = fields.texts("add", 64, {1, 64});
  wanted.cap_drop = fields.texts("drop", 64, {1, 64});
  close(form, fields);
}

void read_devices(Fields& form, NewContainer& wanted) {
  const auto* items = form.array("devices", 64);
  if (items == nullptr) return;
  for (const auto& item : *items) {
    auto fields = nested(item, form, "devices");
    engine::DeviceMapping device;
    device.host_path = fields.required_text("host_path", path_text);
    device.container_path = fields.text("container_path", path_text).value_or(device.host_path);
    auto permissions = fields.text("permissions", {1, 3}).value_or("rwm");
    if (permissions.find_first_not_of("rwm") != std::string::npos) {
      fields.refuse("permissions", "must be of 'r', 'w' and 'm'");
    }
    device.permissions = std::move(permissions);
    close(form, fields);
    wanted.devices.push_back(std::move(device));
  }
}

void read_reach(Fields& form, NewContainer& wanted) {
  constexpr std::array<std::string_view, 1> host_only{"host"};
  constexpr std::array<std::string_view, 2> filters{"seccomp", "apparmor"};
  wanted.privileged = form.boolean("privileged").value_or(false);
  wanted.host_pid = !choice(form, "pid_namespace", host_only).empty();
  wanted.host_ipc = !choice(form, "ipc_namespace", host_only).empty();
  for (const auto& filter : form.texts("unconfined", 2, word_text)) {
    if (filter == filters[0]) {
      wanted.seccomp_unconfined = true;
    } else if (filter == filters[1]) {
      wanted.apparmor_unconfined = true;
    } else {
      form.refuse("unconfined", "must be of 'seccomp' and 'apparmor'");
    }
  }
  read_capabilities(form, wanted);
  read_devices(form, wanted);
}

void read_program(Fields& form, NewContainer& wanted) {
  wanted.image = form.required_text("image", {1, 512});
  if (form.member("entrypoint") != nullptr) {
    wanted.entrypoint = form.texts("entrypoint", 1024, long_text);
  }
  wanted.command = form.texts("command", 1024, long_text);
  for (auto& [name, value] : form.text_map("env", 1024, long_text)) {
    if (name.empty() || name.contains('=')) form.refuse("env", "must have names without '='");
    wanted.env.push_back(fmt::format("{}={}", name, value));
  }
  for (auto& [name, value] : form.text_map("labels", 256, long_text)) wanted.labels[name] = value;
  wanted.user = form.text("user", word_text);
  wanted.working_dir = form.text("working_dir", path_text);
  wanted.hostname = form.text("hostname", {1, 63});
  wanted.tty = form.boolean("tty").value_or(false);
  wanted.open_stdin = form.boolean("stdin_open").value_or(false);
  wanted.init = form.boolean("init");
  wanted.stop_signal = form.text("stop_signal", {1, 16});
  if (wanted.stop_signal && !fleet::valid_signal(*wanted.stop_signal)) {
    form.refuse("stop_signal", "must be a signal's name or number");
  }
  wanted.stop_timeout_seconds = form.integer("stop_timeout_seconds", {0, 3600});
  wanted.read_only_root = form.boolean("read_only_root").value_or(false);
  wanted.no_new_privileges = form.boolean("no_new_privileges").value_or(false);
}

void read_network(Fields& form, NewContainer& wanted) {
  wanted.network = form.text("network", {1, 128});
  wanted.network_aliases = form.texts("network_aliases", 32, {1, 253});
  wanted.dns = form.texts("dns", 8, {2, 45});
  for (const auto& [name, address] : form.text_map("extra_hosts", 64, {1, 253})) {
    if (name.empty() || name.contains(':')) form.refuse("extra_hosts", "must have names");
    wanted.extra_hosts.push_back(fmt::format("{}:{}", name, address));
  }
  read_ports(form, wanted);
}

std::vector<fleet::Danger> read_dangers(Fields& form) {
  std::vector<fleet::Danger> named;
  for (const auto& text : form.texts("dangers", 16, word_text)) {
    if (auto danger = fleet::parse_danger(text)) {
      named.push_back(*danger);
    } else {
      form.refuse("dangers", "must be of the words in the contract");
    }
  }
  return named;
}

/// A name that is a sandbox's is not given to others: nobody would be shown them.
bool names_container(std::string_view text) {
  return text.size() <= 128 && engine::valid_container_reference(text) &&
         !sandbox::Slots::is_container_name(text);
}

constexpr std::string_view bad_name =
    "must be letters, digits, '_', '.' and '-', beginning with one of the first two, and not a "
    "sandbox's name";

engine::ResourceUpdate read_update(Fields& fields) {
  engine::ResourceUpdate update;
  update.memory_bytes = fields.integer("memory_bytes", {memory_min, bytes_max});
  update.memory_swap_bytes = fields.integer("memory_swap_bytes", {-1, bytes_max});
  update.nano_cpus = read_cpus(fields);
  update.pids_limit = fields.integer("pids", {-1, 4'194'304});
  update.cpu_shares = fields.integer("cpu_shares", {2, 262'144});
  update.restart = read_restart(fields);
  bool something = update.memory_bytes || update.memory_swap_bytes || update.nano_cpus ||
                   update.pids_limit || update.cpu_shares || update.restart;
  if (!something && !fields.refused()) fields.refuse("memory_bytes", "or another limit is missing");
  return update;
}

}  // namespace

Result<ContainerForm> read_container_form(const json::Value& body) {
  Fields form{body, "", json::Keys::strict};
  ContainerForm out;
  out.name = form.text("name", {1, 128}).value_or("");
  if (!out.name.empty() && !names_container(out.name)) {
    form.refuse("name", bad_name);
  }
  read_program(form, out.wanted);
  read_network(form, out.wanted);
  read_mounts(form, out.wanted);
  read_limits(form, out.wanted);
  read_healthcheck(form, out.wanted);
  read_reach(form, out.wanted);
  if (auto restart = read_restart(form)) out.wanted.restart = std::move(*restart);
  out.dangers = read_dangers(form);
  if (!form.boolean("start").value_or(true)) out.start = fleet::Creation::Start::no;
  if (auto done = form.finish(); !done) return fail(done.error());
  return out;
}

fleet::ActionParameters read_action_parameters(json::Fields& fields, std::string_view action) {
  fleet::ActionParameters parameters;
  if (action == "stop" || action == "restart") {
    auto grace = fields.integer("grace_seconds", {0, fleet::grace_max.count()});
    if (grace) parameters.grace = Seconds{*grace};
  } else if (action == "kill") {
    parameters.signal = fields.text("signal", {1, 16}).value_or(parameters.signal);
    if (!fleet::valid_signal(parameters.signal)) {
      fields.refuse("signal", "must be a signal's name (SIGTERM, TERM) or number (1 to 64)");
    }
  } else if (action == "rename") {
    parameters.name = fields.required_text("name", {1, 128});
    if (!names_container(parameters.name)) fields.refuse("name", bad_name);
  } else if (action == "remove") {
    parameters.remove.force = fields.boolean("force").value_or(false);
    parameters.remove.volumes = fields.boolean("volumes").value_or(false);
  } else if (action == "update") {
    parameters.update = read_update(fields);
  }
  return parameters;
}

}  // namespace gantry::api
