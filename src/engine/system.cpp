#include "engine/system.hpp"

#include "engine/read.hpp"

#include <utility>

namespace gantry::engine {
namespace {

constexpr std::size_t components_max = 64;

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
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return info;
}

}  // namespace gantry::engine
