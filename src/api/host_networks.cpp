#include "api/handlers.hpp"
#include "api/host_objects.hpp"
#include "api/host_prune.hpp"
#include "base/text.hpp"
#include "engine/names.hpp"
#include "engine/networks.hpp"
#include "sandbox/labels.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include <arpa/inet.h>
#include <fmt/format.h>

// One network of a host, and who is in it.
namespace gantry::api {
namespace {

constexpr std::size_t subnets_max = 8;
constexpr std::size_t aliases_max = 16;
constexpr std::array<std::string_view, 4> drivers{"bridge", "macvlan", "ipvlan", "overlay"};

/// 4, 6, or 0 when it is no address.
int family_of(const std::string& address) {
  in6_addr bytes{};
  if (inet_pton(AF_INET, address.c_str(), &bytes) == 1) return 4;
  return inet_pton(AF_INET6, address.c_str(), &bytes) == 1 ? 6 : 0;
}

bool is_prefix(std::string_view text) {
  auto slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  auto family = family_of(std::string{text.substr(0, slash)});
  auto digits = text.substr(slash + 1);
  unsigned length = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || end != digits.data() + digits.size()) return false;
  return family != 0 && length <= (family == 4 ? 32U : 128U);
}

/// Addresses that begin with these bits.
struct Prefix {
  std::array<std::uint8_t, 16> bytes{};
  unsigned length = 0;
  int family = 0;
};

/// Of a text for which is_prefix holds.
Prefix prefix_of(const std::string& text) {
  auto slash = text.find('/');
  auto address = text.substr(0, slash);
  Prefix prefix{.family = family_of(address)};
  inet_pton(prefix.family == 4 ? AF_INET : AF_INET6, address.c_str(), prefix.bytes.data());
  std::from_chars(text.data() + slash + 1, text.data() + text.size(), prefix.length);
  return prefix;
}

bool same_bits(const Prefix& a, const Prefix& b, unsigned count) {
  for (unsigned bit = 0; bit < count; ++bit) {
    auto differing = static_cast<unsigned>(a.bytes[bit / 8] ^ b.bytes[bit / 8]);
    if ((differing >> (7 - bit % 8) & 1U) != 0) return false;
  }
  return true;
}

bool within(const Prefix& inner, const Prefix& outer) {
  return inner.family == outer.family && inner.length >= outer.length &&
         same_bits(inner, outer, outer.length);
}

bool overlap(const Prefix& a, const Prefix& b) {
  return a.family == b.family && same_bits(a, b, std::min(a.length, b.length));
}

/// Whether these addresses are nobody's beyond the host: the host's own way to all others must not
/// lead into a bridge, where a container answers in their name.
bool is_private(const engine::Subnet& subnet) {
  constexpr std::array ours{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"};
  // Where clouds tell a machine its secrets, as far as it is within those.
  constexpr std::array metadata{"fd00:ec2::/32", "fd20:ce::/32"};
  auto prefix = prefix_of(subnet.prefix);
  return std::ranges::any_of(ours, [&](auto one) { return within(prefix, prefix_of(one)); }) &&
         std::ranges::none_of(metadata, [&](auto one) { return overlap(prefix, prefix_of(one)); });
}

Result<engine::Subnet> read_subnet(const json::Value& value, std::string where) {
  json::Fields fields{value, std::move(where), json::Keys::strict};
  engine::Subnet subnet;
  subnet.prefix = fields.required_text("prefix", {1, 64});
  subnet.gateway = fields.text("gateway", {1, 64}).value_or("");
  subnet.range = fields.text("range", {1, 64}).value_or("");
  if (!is_prefix(subnet.prefix)) fields.refuse("prefix", "must be like 10.9.0.0/24");
  if (!subnet.gateway.empty() && family_of(subnet.gateway) == 0) {
    fields.refuse("gateway", "must be an address");
  }
  if (!subnet.range.empty() && !is_prefix(subnet.range)) {
    fields.refuse("range", "must be like 10.9.0.128/25");
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return subnet;
}

void read_subnets(json::Fields& fields, engine::NetworkSpec& spec) {
  const auto* items = fields.array("subnets", subnets_max);
  if (items == nullptr) return;
  for (std::size_t i = 0; i < items->size(); ++i) {
    auto subnet = read_subnet((*items)[i], fmt::format("subnets[{}]", i));
    if (!subnet) return fields.adopt(std::move(subnet.error()));
    spec.subnets.push_back(std::move(*subnet));
  }
}

Result<engine::NetworkSpec> read_network(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  engine::NetworkSpec spec;
  spec.name = fields.required_text("name", {1, 128});
  if (!engine::valid_name(spec.name)) {
    fields.refuse("name",
                  "must be letters, digits, '_', '.' and '-', beginning with one of the "
                  "first two");
  }
  if (auto driver = fields.text("driver", {1, 32})) spec.driver = std::move(*driver);
  if (std::ranges::find(drivers, spec.driver) == drivers.end()) {
    fields.refuse("driver", "must be 'bridge', 'macvlan', 'ipvlan' or 'overlay'");
  }
  spec.internal = fields.boolean("internal").value_or(false);
  spec.attachable = fields.boolean("attachable").value_or(false);
  spec.ipv6 = fields.boolean("ipv6").value_or(false);
  read_subnets(fields, spec);
  spec.options = read_options(fields);
  spec.labels = read_labels(fields);
  if (auto read = fields.finish(); !read) return fail(read.error());
  return spec;
}

struct Place {
  engine::NetworkConnection connection;
  engine::Disconnect how = engine::Disconnect::when_possible;
};

Result<Place> read_connection(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  Place place;
  place.connection.container = fields.required_text("container", {1, 128});
  place.connection.aliases = fields.texts("aliases", aliases_max, {1, 128});
  place.connection.ipv4 = fields.text("ipv4", {1, 64}).value_or("");
  place.connection.ipv6 = fields.text("ipv6", {1, 64}).value_or("");
  if (!place.connection.ipv4.empty() && family_of(place.connection.ipv4) != 4) {
    fields.refuse("ipv4", "must be an IPv4 address");
  }
  if (!place.connection.ipv6.empty() && family_of(place.connection.ipv6) != 6) {
    fields.refuse("ipv6", "must be an IPv6 address");
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return place;
}

Result<Place> read_disconnection(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  Place place;
  place.connection.container = fields.required_text("container", {1, 128});
  if (fields.boolean("force").value_or(false)) place.how = engine::Disconnect::force;
  if (auto read = fields.finish(); !read) return fail(read.error());
  return place;
}

json::Object network_json(const engine::Network& network) {
  json::Array subnets;
  for (const auto& subnet : network.subnets) {
    subnets.push_back(json::Object{{"prefix", line_json(subnet.prefix)},
                                   {"gateway", line_json(subnet.gateway)},
                                   {"range", line_json(subnet.range)}});
  }
  return {{"id", network.id},
          {"name", line_json(network.name)},
          {"driver", line_json(network.driver)},
          {"scope", line_json(network.scope)},
          {"created", line_json(network.created)},
          {"internal", network.internal},
          {"attachable", network.attachable},
          {"ipv6", network.ipv6},
          {"subnets", std::move(subnets)},
          {"options", labels_json(network.options)},
          {"labels", labels_json(network.labels)}};
}

json::Array members_json(const engine::Network& network, fleet::Uses uses,
                         const fleet::MayTell& may_tell) {
  json::Array out;
  for (const auto& member : network.members) {
    auto found = std::ranges::find(uses, member.container, &engine::ContainerUse::id);
    if (found == uses.end() || !may_tell(*found)) continue;
    out.push_back(json::Object{{"id", member.container},
                               {"name", line_json(member.name)},
                               {"ipv4", line_json(member.ipv4)},
                               {"ipv6", line_json(member.ipv6)}});
  }
  return out;
}

async::task<Result<engine::Network>> find_network(Call& call, HostPointer host,
                                                  access::Role needed) {
  auto hidden = no_such("network", call.part, *host);
  if (!engine::valid_name(call.part)) co_return fail(std::move(hidden));
  auto network = co_await engine::inspect_network(host->engine(), call.part);
  if (!network && network.error().kind == ErrorKind::not_found) co_return fail(std::move(hidden));
  if (!network) co_return network;
  if (needed != access::Role::viewer) needed = role_to_change(network->labels, needed);
  auto may = check_role(call, *host, project_in(network->labels), needed, hidden);
  if (!may) co_return fail(std::move(may.error()));
  co_return network;
}

async::task<Result<std::vector<fleet::Prunable>>> plan_networks(HostPointer host,
                                                                fleet::PruneWish wish) {
  auto uses = co_await engine::container_uses(host->engine());
  if (!uses) co_return fail(std::move(uses.error()));
  auto networks = co_await engine::list_networks(host->engine());
  if (!networks) co_return fail(std::move(networks.error()));
  co_return fleet::prunable_networks(*networks, *uses, wish);
}

async::task<Result<>> remove_planned(HostPointer host, fleet::Prunable item) {
  co_return co_await engine::remove_network(host->engine(), std::move(item.id));
}

constexpr PruneKind networks{.thing = "network",
                             .nameless = {},
                             .unused = {},
                             .kept_label = sandbox::labels::kind,
                             .plan = &plan_networks,
                             .remove = &remove_planned};

/// The network and the container that a change is about.
struct Both {
  engine::Network network;
  Place place;
};

async::task<Result<Both>> read_change(Call& call, HostPointer host,
                                      Result<Place> (*read)(const json::Value&)) {
  auto network = co_await find_network(call, host, access::Role::operator_);
  if (!network) co_return fail(std::move(network.error()));
  auto place = co_await read_json(call, read);
  if (!place) co_return fail(std::move(place.error()));
  auto container = co_await find_container(call, host->name(), place->connection.container,
                                           access::Role::operator_);
  if (!container) co_return fail(std::move(container.error()));
  place->connection.container = std::move(container->id);
  co_return Both{std::move(*network), std::move(*place)};
}

}  // namespace

Answer get_host_network(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto host = visible_host(call, call.id);
  if (!host) co_return fail(std::move(host.error()));
  auto network = co_await find_network(call, *host, access::Role::viewer);
  if (!network) co_return fail(std::move(network.error()));
  auto uses = co_await engine::container_uses((*host)->engine());
  if (!uses) co_return fail(std::move(uses.error()));
  auto tell = may_tell(call, **host);
  auto answer = network_json(*network);
  answer["members"] = members_json(*network, *uses, tell);
  answer["used_by"] = used_by_json(fleet::users_of_network(*uses, *network, tell));
  co_return json_reply(200, answer);
}

Answer create_host_network(Call& call) {
  auto host = host_for(call, access::Role::operator_);
  if (!host) co_return fail(std::move(host.error()));
  auto spec = co_await read_json(call, &read_network);
  if (!spec) co_return fail(std::move(spec.error()));
  // All but a plain bridge puts containers into networks that the host itself is in, and one of
  // public addresses brings what the host itself sends there to them.
  if (spec->driver != "bridge" || !spec->options.empty() ||
      !std::ranges::all_of(spec->subnets, is_private)) {
    auto may = host_for(call, access::Role::admin);
    if (!may) co_return fail(std::move(may.error()));
  }
  auto change = operation(call, **host, "network.create", spec->name,
                          {{"driver", spec->driver},
                           {"internal", spec->internal},
                           {"options", labels_json(spec->options)}});
  auto id = co_await call.services.operations.run(
      std::move(change), engine::create_network((*host)->engine(), std::move(*spec)));
  if (!id) co_return fail(std::move(id.error()));
  auto network = co_await engine::inspect_network((*host)->engine(), std::move(*id));
  if (!network) co_return fail(std::move(network.error()));
  co_return json_reply(201, network_json(*network));
}

Answer remove_host_network(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto host = visible_host(call, call.id);
  if (!host) co_return fail(std::move(host.error()));
  auto network = co_await find_network(call, *host, access::Role::operator_);
  if (!network) co_return fail(std::move(network.error()));
  if (fleet::is_engines_own(*network)) {
    co_return fail(ErrorKind::conflict, "network_is_the_engines",
                   fmt::format("cannot remove network '{}' on '{}': every engine has it",
                               network->name, (*host)->name()));
  }
  auto uses = co_await engine::container_uses((*host)->engine());
  if (!uses) co_return fail(std::move(uses.error()));
  auto users = fleet::users_of_network(*uses, *network, may_tell(call, **host));
  if (!users.nobody()) {
    co_return fail(fleet::in_use("network", network->name, (*host)->name(), users));
  }
  auto removed = co_await call.services.operations.run(
      operation(call, **host, "network.remove", network->name, {{"id", network->id}}),
      engine::remove_network((*host)->engine(), network->id));
  if (!removed) co_return fail(std::move(removed.error()));
  co_return no_content();
}

Answer connect_host_network(Call& call) {
  auto host = visible_host(call, call.id);
  if (!host) co_return fail(std::move(host.error()));
  auto both = co_await read_change(call, *host, &read_connection);
  if (!both) co_return fail(std::move(both.error()));
  auto& [network, place] = *both;
  auto change = operation(call, **host, "network.connect", network.name,
                          {{"container", place.connection.container},
                           {"ipv4", place.connection.ipv4},
                           {"ipv6", place.connection.ipv6}});
  auto done = co_await call.services.operations.run(
      std::move(change), engine::connect_network((*host)->engine(), network.id, place.connection));
  if (!done) co_return fail(std::move(done.error()));
  co_return no_content();
}

Answer disconnect_host_network(Call& call) {
  auto host = visible_host(call, call.id);
  if (!host) co_return fail(std::move(host.error()));
  auto both = co_await read_change(call, *host, &read_disconnection);
  if (!both) co_return fail(std::move(both.error()));
  auto& [network, place] = *both;
  auto change = operation(call, **host, "network.disconnect", network.name,
                          {{"container", place.connection.container},
                           {"force", place.how == engine::Disconnect::force}});
  auto done = co_await call.services.operations.run(
      std::move(change), engine::disconnect_network((*host)->engine(), network.id,
                                                    place.connection.container, place.how));
  if (!done) co_return fail(std::move(done.error()));
  co_return no_content();
}

Answer prune_host_networks(Call& call) { return prune(call, networks); }

}  // namespace gantry::api
