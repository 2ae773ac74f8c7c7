#include "api/host_names.hpp"

namespace gantry::api {

access::HostNames host_names(const fleet::Fleet& fleet) {
  auto name_of = [&fleet](const std::string& id) -> std::optional<std::string> {
    for (const auto& host : fleet.hosts()) {
      if (host->config().id.text() == id) return host->config().name;
    }
    return std::nullopt;
  };
  auto id_of = [&fleet](const std::string& name) -> std::optional<std::string> {
    auto host = fleet.find(name);
    return host ? std::optional{host->config().id.text()} : std::nullopt;
  };
  return {.name_of = name_of, .id_of = id_of};
}

}  // namespace gantry::api
