#include "api/containers.hpp"

#include "api/handlers.hpp"
#include "api/hosts_json.hpp"
#include "api/json_text.hpp"
#include "base/text.hpp"
#include "fleet/fleet.hpp"
#include "sandbox/labels.hpp"
#include "sandbox/slots.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

// The containers of all hosts.
namespace gantry::api {
namespace {

constexpr int usual_limit = 200;
constexpr int limit_max = 1'000;
constexpr std::size_t words_max = 8;
constexpr std::size_t labels_max = 16;
constexpr std::array<std::string_view, 7> states{"created",  "running", "paused", "restarting",
                                                 "removing", "exited",  "dead"};

json::Object port_json(const engine::Port& port) {
  json::Object item{{"private", port.container_port}, {"protocol", port.protocol}};
  if (port.host_port) item["public"] = *port.host_port;
  if (!port.host_ip.empty()) item["ip"] = port.host_ip;
  return item;
}

std::unexpected<Error> refused(std::string_view parameter, std::string_view reason) {
  return fail(ErrorKind::invalid, "invalid_parameter",
              fmt::format("parameter '{}' {}", parameter, reason));
}

/// `a,b`: none, when there is no such parameter.
std::vector<std::string> items_of(const std::optional<std::string>& list) {
  std::vector<std::string> items;
  if (!list) return items;
  for (auto item : text::split(*list, ',')) items.emplace_back(item);
  return items;
}

Result<> read_states(Query& from, fleet::ContainerQuery& query) {
  for (auto& state : items_of(from.text("state"))) {
    if (std::ranges::find(states, state) == states.end()) {
      return refused("state", fmt::format("must be of {}", fmt::join(states, ", ")));
    }
    query.states.push_back(std::move(state));
  }
  for (const auto& word : items_of(from.text("health"))) {
    auto health = fleet::parse_health(word);
    if (!health) return refused("health", "must be of none, starting, healthy, unhealthy");
    query.healths.push_back(*health);
  }
  return ok;
}

Result<> read_search(Query& from, fleet::ContainerQuery& query) {
  for (const auto& label : from.texts("label", labels_max)) {
    auto equals = label.find('=');
    fleet::LabelMatch match{.name = label.substr(0, equals)};
    if (match.name.empty()) return refused("label", "must be NAME or NAME=VALUE");
    if (equals != std::string::npos) match.value = label.substr(equals + 1);
    query.labels.push_back(std::move(match));
  }
  auto searched = from.text("q").value_or("");
  for (auto word : text::split(searched, ' ')) {
    if (!word.empty()) query.words.emplace_back(word);
  }
  if (query.words.size() > words_max) {
    return refused("q", fmt::format("must have at most {} words", words_max));
  }
  return ok;
}

Result<> read_order(Query& from, fleet::ContainerQuery& query) {
  if (auto word = from.text("sort")) {
    auto sort = fleet::parse_sort(*word);
    if (!sort) return refused("sort", "must be one of name, created, state, host, image");
    query.sort = *sort;
  }
  auto order = from.text("order").value_or("asc");
  if (order != "asc" && order != "desc") return refused("order", "must be asc or desc");
  query.order = order == "asc" ? fleet::Order::ascending : fleet::Order::descending;
  auto limit = from.integer("limit", 1, limit_max).value_or(usual_limit);
  query.limit = static_cast<std::size_t>(limit);
  query.cursor = from.text("cursor").value_or("");
  return ok;
}

}  // namespace

json::Object container_json(std::string_view host, const fleet::Container& container) {
  json::Array ports;
  for (const auto& port : container.ports) ports.push_back(port_json(port));
  json::Object labels;
  for (auto [name, value] : container.labels) labels[name] = value;
  json::Object item{{"host", host},
                    {"id", container.id},
                    {"name", container.name},
                    {"image", container.image},
                    {"state", container.state},
                    {"status", container.status},
                    {"health", word(container.health)},
                    {"created_at", rfc3339(container.created)},
                    {"ports", std::move(ports)},
                    {"labels", std::move(labels)}};
  if (container.project) item["project"] = *container.project;
  if (container.service) item["service"] = *container.service;
  return item;
}

bool is_sandbox(std::string_view name, const std::map<std::string, std::string>& labels) {
  // A container inherits its image's labels: the label alone would let an image hide.
  return labels.contains(sandbox::labels::kind) && sandbox::Slots::is_container_name(name);
}

json::Object containers_json(const fleet::ContainerPage& page, const access::Rights& rights) {
  json::Array items;
  items.reserve(page.items.size());
  for (const auto& found : page.items) {
    items.push_back(container_json(found.host->name(), *found.container));
  }
  json::Array hosts;
  for (const auto& host : page.hosts) hosts.push_back(host_freshness_json(*host, rights));
  json::Object out{{"items", std::move(items)}, {"next", nullptr},
                   {"total", page.total},       {"hosts", std::move(hosts)},
                   {"stale", page.stale},       {"as_of", time_or_null(page.as_of)}};
  if (page.next) out["next"] = *page.next;
  return out;
}

Result<fleet::ContainerQuery> read_container_query(Query& from) {
  fleet::ContainerQuery query{.host = from.text("host").value_or(""),
                              .group = from.text("group").value_or(""),
                              .project = from.text("project").value_or("")};
  for (auto read : {&read_states, &read_search, &read_order}) {
    if (auto done = read(from, query); !done) return fail(done.error());
  }
  if (auto read = from.finish(); !read) return fail(read.error());
  return query;
}

Answer list_containers(Call& call) {
  auto query = read_container_query(call.query);
  if (!query) co_return fail(std::move(query.error()));
  auto hosts = call.services.fleet.hosts();
  auto rights = call.rights();
  auto page = fleet::find_containers(hosts, *query, rights);
  if (!page) co_return fail(std::move(page.error()));
  co_return json_reply(200, containers_json(*page, rights));
}

}  // namespace gantry::api
