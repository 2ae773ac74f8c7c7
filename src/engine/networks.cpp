#include "engine/networks.hpp"

#include "engine/names.hpp"
#include "engine/read.hpp"
#include "engine/write.hpp"

#include <cstdint>

namespace gantry::engine {
namespace {

using write::object_of;

constexpr Bytes list_max{64U << 20U};

std::vector<Subnet> subnets_of(const json::Value& network) {
  std::vector<Subnet> subnets;
  const auto* config = read::object(network.as_object(), "IPAM").if_contains("Config");
  if (config == nullptr || !config->is_array()) return subnets;
  for (const auto& item : config->as_array()) {
    if (!item.is_object()) continue;
    const auto& object = item.as_object();
    subnets.push_back({read::text_in(object, "Subnet"), read::text_in(object, "Gateway"),
                       read::text_in(object, "IPRange")});
  }
  return subnets;
}

std::vector<NetworkMember> members_of(const json::Value& network) {
  std::vector<NetworkMember> members;
  for (const auto& [id, value] : read::object(network.as_object(), "Containers")) {
    if (!value.is_object()) continue;
    const auto& object = value.as_object();
    members.push_back({std::string{id}, read::text_in(object, "Name"),
                       read::text_in(object, "IPv4Address"), read::text_in(object, "IPv6Address")});
  }
  return members;
}

Result<Network> network_of(const Doing& doing, const json::Value& value) {
  auto fields = read::fields(value, "");
  Network network;
  network.id = read::text(fields, "Id");
  network.name = read::text(fields, "Name");
  network.driver = read::text(fields, "Driver");
  network.scope = read::text(fields, "Scope");
  network.created = read::text(fields, "Created");
  network.internal = read::boolean(fields, "Internal");
  network.attachable = read::boolean(fields, "Attachable");
  network.ipv6 = read::boolean(fields, "EnableIPv6");
  network.options = read::text_map(fields, "Options");
  network.labels = read::text_map(fields, "Labels");
  if (auto done = fields.finish(); !done) return fail(read::malformed(doing, done.error()));
  network.subnets = subnets_of(value);
  network.members = members_of(value);
  return network;
}

json::Object addresses_of(const NetworkSpec& spec) {
  json::Array config;
  for (const auto& subnet : spec.subnets) {
    json::Object item{{"Subnet", subnet.prefix}};
    if (!subnet.gateway.empty()) item["Gateway"] = subnet.gateway;
    if (!subnet.range.empty()) item["IPRange"] = subnet.range;
    config.push_back(std::move(item));
  }
  return {{"Driver", "default"}, {"Config", std::move(config)}};
}

json::Object body_of(const NetworkSpec& spec) {
  json::Object body{{"Name", spec.name},
                    {"CheckDuplicate", true},
                    {"Driver", spec.driver},
                    {"Internal", spec.internal},
                    {"Attachable", spec.attachable},
                    {"EnableIPv6", spec.ipv6},
                    {"Options", object_of(spec.options)},
                    {"Labels", object_of(spec.labels)}};
  if (!spec.subnets.empty()) body["IPAM"] = addresses_of(spec);
  return body;
}

async::task<Result<>> without_answer(Client& client, Request request) {
  auto answer = co_await client.call(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  co_return ok;
}

}  // namespace

async::task<Result<std::string>> create_network(Client& client, NetworkSpec spec) {
  Request request;
  request.doing = {"create", "network", spec.name};
  if (auto valid = check_network(request.doing, spec.name); !valid) co_return fail(valid.error());
  request.method = "POST";
  request.path = {"networks", "create"};
  request.body = body_of(spec);
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  auto fields = read::fields(*answer, "");
  auto id = read::text(fields, "Id");
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return id;
}

async::task<Result<std::vector<Network>>> list_networks(Client& client) {
  Request request;
  request.doing = {"list", "networks", ""};
  request.path = {"networks"};
  request.answer_max = list_max;
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  if (!answer->is_array()) {
    co_return fail(read::malformed(doing, Error{ErrorKind::invalid, "", "it is no list", ""}));
  }
  std::vector<Network> networks;
  for (const auto& item : answer->as_array()) {
    auto network = network_of(doing, item);
    if (!network) co_return fail(std::move(network.error()));
    networks.push_back(std::move(*network));
  }
  co_return networks;
}

async::task<Result<Network>> inspect_network(Client& client, std::string network) {
  Request request;
  request.doing = {"inspect", "network", network};
  if (auto valid = check_network(request.doing, network); !valid) co_return fail(valid.error());
  request.path = {"networks", std::move(network)};
  request.answer_max = list_max;
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  co_return network_of(doing, *answer);
}

async::task<Result<>> remove_network(Client& client, std::string network) {
  Request request;
  request.doing = {"remove", "network", network};
  if (auto valid = check_network(request.doing, network); !valid) co_return valid;
  request.method = "DELETE";
  request.path = {"networks", std::move(network)};
  co_return co_await without_answer(client, std::move(request));
}

async::task<Result<>> connect_network(Client& client, std::string network,
                                      NetworkConnection connection) {
  Request request;
  request.doing = {"connect a container to", "network", network};
  if (auto valid = check_network(request.doing, network); !valid) co_return valid;
  if (auto valid = check_container(request.doing, connection.container); !valid) co_return valid;
  request.method = "POST";
  request.path = {"networks", std::move(network), "connect"};
  json::Object place;
  if (!connection.aliases.empty()) {
    json::Array aliases;
    for (auto& alias : connection.aliases) aliases.emplace_back(std::move(alias));
    place["Aliases"] = std::move(aliases);
  }
  json::Object addresses;
  if (!connection.ipv4.empty()) addresses["IPv4Address"] = connection.ipv4;
  if (!connection.ipv6.empty()) addresses["IPv6Address"] = connection.ipv6;
  if (!addresses.empty()) place["IPAMConfig"] = std::move(addresses);
  request.body =
      json::Object{{"Container", connection.container}, {"EndpointConfig", std::move(place)}};
  co_return co_await without_answer(client, std::move(request));
}

async::task<Result<>> disconnect_network(Client& client, std::string network, std::string container,
                                         Disconnect how) {
  Request request;
  request.doing = {"disconnect a container from", "network", network};
  if (auto valid = check_network(request.doing, network); !valid) co_return valid;
  if (auto valid = check_container(request.doing, container); !valid) co_return valid;
  request.method = "POST";
  request.path = {"networks", std::move(network), "disconnect"};
  request.body = json::Object{{"Container", container}, {"Force", how == Disconnect::force}};
  co_return co_await without_answer(client, std::move(request));
}

}  // namespace gantry::engine
