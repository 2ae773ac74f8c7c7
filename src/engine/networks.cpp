#include "engine/networks.hpp"

#include "engine/names.hpp"
#include "engine/read.hpp"

#include <cstdint>

namespace gantry::engine {
namespace {

constexpr Bytes list_max{64U << 20U};

std::string text_in(const json::Object& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string{found->as_string()} : std::string{};
}

std::vector<Subnet> subnets_of(const json::Value& network) {
  std::vector<Subnet> subnets;
  const auto* config = read::object(network.as_object(), "IPAM").if_contains("Config");
  if (config == nullptr || !config->is_array()) return subnets;
  for (const auto& item : config->as_array()) {
    if (!item.is_object()) continue;
    const auto& object = item.as_object();
    subnets.push_back({text_in(object, "Subnet"), text_in(object, "Gateway")});
  }
  return subnets;
}

Result<Network> network_of(const Doing& doing, const json::Value& value) {
  auto fields = read::fields(value, "");
  Network network;
  network.id = read::text(fields, "Id");
  network.name = read::text(fields, "Name");
  network.driver = read::text(fields, "Driver");
  network.internal = read::boolean(fields, "Internal");
  network.ipv6 = read::boolean(fields, "EnableIPv6");
  network.options = read::text_map(fields, "Options");
  if (auto done = fields.finish(); !done) return fail(read::malformed(doing, done.error()));
  network.subnets = subnets_of(value);
  return network;
}

json::Object object_of(const std::map<std::string, std::string>& texts) {
  json::Object out;
  for (const auto& [name, text] : texts) out[name] = text;
  return out;
}

}  // namespace

async::task<Result<std::string>> create_network(Client& client, NetworkSpec spec) {
  Request request;
  request.doing = {"create", "network", spec.name};
  if (auto valid = check_network(request.doing, spec.name); !valid) co_return fail(valid.error());
  request.method = "POST";
  request.path = {"networks", "create"};
  request.body = json::Object{{"Name", spec.name},
                              {"CheckDuplicate", true},
                              {"Driver", "bridge"},
                              {"Internal", false},
                              {"Attachable", false},
                              {"EnableIPv6", false},
                              {"Options", object_of(spec.options)},
                              {"Labels", object_of(spec.labels)}};
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

}  // namespace gantry::engine
