#include "api/event_telling.hpp"

#include "api/json_text.hpp"
#include "fleet/fleet.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace gantry::api {
namespace {

constexpr std::size_t at_once = 256;

bool names(const std::vector<std::string>& list, std::string_view word) {
  return list.empty() || std::ranges::find(list, word) != list.end();
}

json::Object event_json(const fleet::HostEvent& event, std::string_view host) {
  json::Object attributes;
  for (const auto& [name, value] : event.attributes) attributes[name] = value;
  json::Object json{{"at", rfc3339(event.at)}, {"host", host},
                    {"type", event.type},      {"action", event.action},
                    {"id", event.object},      {"attributes", std::move(attributes)}};
  if (!event.project.empty()) json["project"] = event.project;
  return json;
}

}  // namespace

json::Object gap_json(std::string_view reason) {
  return {{"reason", reason}, {"hosts", json::Array{}}};
}

struct EventTelling::Standing {
  std::shared_ptr<fleet::Host> host;  // of the fleet, and of whoever looks at it now
  const access::Rights& rights;

  /// Whether they may know of something there; of a host that has gone only who sees all.
  bool sees(std::string_view project) const {
    if (!host) return !rights.restricted();
    return rights.role_on(host->name(), host->config().groups, project).has_value();
  }
  bool sees_host() const {
    if (!host) return !rights.restricted();
    return rights.sees_host(host->name(), host->config().groups);
  }
};

EventTelling::EventTelling(Call& call, EventFilter filter, std::uint64_t number)
    : call_{call},
      log_{call.services.fleet.events()},
      filter_{std::move(filter)},
      number_{number} {}

EventTelling::Standing EventTelling::standing(const access::Rights& rights,
                                              const fleet::HostId& host) const {
  return {call_.services.fleet.find(host), rights};
}

bool EventTelling::wanted(const fleet::HostEvent& event, const Standing& host) const {
  auto name = host.host ? std::string_view{host.host->name()} : event.host_name;
  if (!names(filter_.hosts, name) || !names(filter_.types, event.type)) return false;
  if (!names(filter_.actions, event.action)) return false;
  return event.type == "host" ? host.sees_host() : host.sees(event.project);
}

void EventTelling::tell_gaps(const fleet::EventLog::Page& page, const access::Rights& rights,
                             std::vector<Told>& told) const {
  json::Array hosts;
  for (const auto& id : page.gaps) {
    auto host = standing(rights, id);
    if (!host.host || !host.sees_host() || !names(filter_.hosts, host.host->name())) continue;
    hosts.emplace_back(host.host->name());
  }
  if (hosts.empty()) return;
  told.push_back(
      {number_, "gap", json::Object{{"reason", "forgotten"}, {"hosts", std::move(hosts)}}});
}

std::vector<EventTelling::Told> EventTelling::next() {
  std::vector<Told> told;
  if (!behind()) return told;
  auto rights = call_.rights();
  auto page = log_.after(number_, at_once);
  tell_gaps(page, rights, told);
  std::map<fleet::HostId, Standing> hosts;
  for (const auto* event : page.events) {
    const auto& host = hosts.try_emplace(event->host, standing(rights, event->host)).first->second;
    if (!wanted(*event, host)) continue;
    auto name = host.host ? host.host->name() : event->host_name;
    told.push_back({event->number, "event", event_json(*event, name)});
  }
  number_ = page.events.empty() ? log_.last() : page.events.back()->number;
  return told;
}

}  // namespace gantry::api
