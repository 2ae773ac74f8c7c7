#include "api/containers.hpp"

#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "fleet/fleet.hpp"
#include "sandbox/labels.hpp"
#include "sandbox/slots.hpp"

// The containers of this machine.
namespace gantry::api {
namespace {

json::Object port_json(const engine::Port& port) {
  json::Object item{{"private", port.container_port}, {"protocol", port.protocol}};
  if (port.host_port) item["public"] = *port.host_port;
  if (!port.host_ip.empty()) item["ip"] = port.host_ip;
  return item;
}

json::Object container_json(const fleet::Container& container) {
  json::Array ports;
  for (const auto& port : container.ports) ports.push_back(port_json(port));
  json::Object labels;
  for (auto [name, value] : container.labels) labels[name] = value;
  json::Object item{{"id", container.id},         {"name", container.name},
                    {"image", container.image},   {"state", container.state},
                    {"status", container.status}, {"created_at", rfc3339(container.created)},
                    {"ports", std::move(ports)},  {"labels", std::move(labels)}};
  if (container.project) item["project"] = *container.project;
  if (container.service) item["service"] = *container.service;
  return item;
}

}  // namespace

bool is_sandbox(std::string_view name, const std::map<std::string, std::string>& labels) {
  // A container inherits its image's labels: the label alone would let an image hide.
  return labels.contains(sandbox::labels::kind) && sandbox::Slots::is_container_name(name);
}

json::Object containers_json(const fleet::HostView& view) {
  json::Array items;
  for (const auto& container : view.containers) items.push_back(container_json(container));
  return {{"items", std::move(items)}, {"stale", view.stale}, {"as_of", time_or_null(view.as_of)}};
}

Answer list_containers(Call& call) {
  co_return json_reply(200, containers_json(call.services.fleet.local_view()));
}

}  // namespace gantry::api
