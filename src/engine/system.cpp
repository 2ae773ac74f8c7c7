#include "engine/system.hpp"

#include "base/text.hpp"
#include "engine/read.hpp"

#include <utility>

namespace gantry::engine {
namespace {

constexpr std::size_t components_max = 64;
constexpr std::size_t registries_max = 64;

std::vector<std::pair<std::string, std::string>> components_of(json::Fields& fields) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto* items = fields.array("Components", components_max);
  if (items == nullptr) return out;
  for (const auto& item : *items) {
    auto component = read::fields(item, fields.path("Components"));
    auto name = read::text(component, "Name");
    out.emplace_back(std::move(name), read::text(component, "Version"));
    if (auto done = component.finish(); !done) fields.adopt(done.error());
  }
  return out;
}

/// What the daemon was told of registries, in its settings or on its command line.
void read_registries(json::Fields& fields, SystemInfo& info) {
  info.http_proxy = text::without_url_password(read::text(fields, "HttpProxy"));
  info.https_proxy = text::without_url_password(read::text(fields, "HttpsProxy"));
  const auto* config = fields.member("RegistryConfig");
  if (config == nullptr || !config->is_object()) return;
  auto registries = read::fields(*config, "RegistryConfig");
  info.registry_mirrors = read::texts(registries, "Mirrors");
  const auto& indexes = read::object(config->as_object(), "IndexConfigs");
  for (const auto& [name, index] : indexes) {
    const auto* object = index.if_object();
    const auto* secure = object == nullptr ? nullptr : object->if_contains("Secure");
    bool insecure = secure != nullptr && secure->is_bool() && !secure->as_bool();
    if (insecure && info.insecure_registries.size() < registries_max) {
      info.insecure_registries.emplace_back(name);
    }
  }
  if (auto done = registries.finish(); !done) fields.adopt(done.error());
}

}  // namespace

async::task<ApiVersion> ping(Client& client) { return client.negotiate(); }

async::task<Result<EngineVersion>> version(Client& client) {
  Request request;
  request.doing = {"read", "the engine's version", ""};
  request.path = {"version"};
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  auto fields = read::fields(*answer, "");
  EngineVersion version;
  version.version = read::text(fields, "Version");
  version.api_version = read::text(fields, "ApiVersion");
  version.min_api_version = read::text(fields, "MinAPIVersion");
  version.os = read::text(fields, "Os");
  version.architecture = read::text(fields, "Arch");
  version.kernel = read::text(fields, "KernelVersion");
  version.components = components_of(fields);
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return version;
}

async::task<Result<SystemInfo>> info(Client& client) {
  Request request;
  request.doing = {"read", "the engine's facts", ""};
  request.path = {"info"};
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  auto fields = read::fields(*answer, "");
  SystemInfo info;
  info.name = read::text(fields, "Name");
  info.engine_version = read::text(fields, "ServerVersion");
  info.os = read::text(fields, "OperatingSystem");
  info.os_type = read::text(fields, "OSType");
  info.architecture = read::text(fields, "Architecture");
  info.kernel = read::text(fields, "KernelVersion");
  info.cgroup_version = read::text(fields, "CgroupVersion");
  info.cgroup_driver = read::text(fields, "CgroupDriver");
  info.storage_driver = read::text(fields, "Driver");
  info.security_options = read::texts(fields, "SecurityOptions");
  info.runtimes = read::keys(fields, "Runtimes");
  info.default_runtime = read::text(fields, "DefaultRuntime");
  info.cpus = read::integer(fields, "NCPU");
  info.memory_bytes = read::integer(fields, "MemTotal");
  info.containers_running = read::integer(fields, "ContainersRunning");
  info.root_dir = read::text(fields, "DockerRootDir");
  info.logging_driver = read::text(fields, "LoggingDriver");
  info.warnings = read::texts(fields, "Warnings");
  info.live_restore = read::boolean(fields, "LiveRestoreEnabled");
  info.swap_limit = read::boolean(fields, "SwapLimit");
  info.memory_limit = read::boolean(fields, "MemoryLimit");
  info.pids_limit = read::boolean(fields, "PidsLimit");
  info.cpu_quota = read::boolean(fields, "CpuCfsQuota");
  read_registries(fields, info);
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return info;
}

}  // namespace gantry::engine
