#include "doctor/ask_engine.hpp"

#include "engine/client.hpp"
#include "engine/system.hpp"

#include <utility>

namespace gantry::doctor {

async::task<EngineFacts> ask_engine(engine::Client& client) {
  auto info = value_or_throw(co_await engine::info(client));
  auto version = value_or_throw(co_await engine::version(client));
  EngineFacts facts{.error = {},
                    .name = info.name,
                    .version = version.version,
                    .api_version = version.api_version,
                    .oldest_api_version = version.min_api_version,
                    .os = info.os,
                    .storage_driver = info.storage_driver,
                    .cgroup_version = info.cgroup_version,
                    .cgroup_driver = info.cgroup_driver,
                    .data_root = info.root_dir,
                    .log_driver = info.logging_driver,
                    .live_restore = info.live_restore,
                    .security_options = info.security_options,
                    .warnings = info.warnings,
                    .proxy = info.https_proxy.empty() ? info.http_proxy : info.https_proxy,
                    .registry_mirrors = info.registry_mirrors,
                    .insecure_registries = info.insecure_registries};
  for (auto& [name, number] : version.components) facts.components.push_back({name, number});
  co_return facts;
}

}  // namespace gantry::doctor
