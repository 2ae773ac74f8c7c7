#include "fleet/events.hpp"

#include "base/random.hpp"
#include "base/text.hpp"
#include "fleet/labels.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

constexpr std::size_t run_length = 8;
constexpr std::size_t word_max = 64;
constexpr std::size_t object_max = 256;
constexpr std::size_t project_max = 512;
constexpr std::size_t attribute_max = 256;
constexpr std::size_t host_share_min = 40;
/// Hosts that have gone are forgotten with their events when there are more than this.
constexpr std::size_t rings_max = 1'000;

constexpr std::array<std::string_view, 8> silent_actions{
    "exec_", "top", "attach", "detach", "resize", "archive-path", "extract-to-dir", "export"};

/// What of an event's attributes is told, and under which name.
struct Known {
  std::string_view engines;
  std::string_view ours;
};
constexpr std::array known_attributes{
    Known{"name", "name"},     Known{"image", "image"},       Known{"exitCode", "exit_code"},
    Known{"signal", "signal"}, Known{"oldName", "old_name"},  Known{"container", "container"},
    Known{"driver", "driver"}, Known{"type", "network_type"},
};

std::string tidy(std::string_view text, std::size_t max) {
  return text::shortened(text::one_line(text), max);
}

/// What only repeats that a container begins or ends: its volumes, and the network that is none.
bool repeats(const engine::Event& event) {
  if (event.type == "volume") return event.action == "mount" || event.action == "unmount";
  auto driver = event.attributes.find("type");
  return event.type == "network" && driver != event.attributes.end() && driver->second == "null";
}

bool is_silent(const engine::Event& event) {
  return repeats(event) || std::ranges::any_of(silent_actions, [&](std::string_view silent) {
           return event.action.starts_with(silent);
         });
}

std::map<std::string, std::string> told(const engine::Event& event) {
  std::map<std::string, std::string> attributes;
  for (const auto& known : known_attributes) {
    auto found = event.attributes.find(std::string{known.engines});
    if (found == event.attributes.end()) continue;
    attributes.emplace(known.ours, tidy(found->second, attribute_max));
  }
  // `health_status: healthy`; behind another action's colon is what somebody typed.
  constexpr std::string_view health = "health_status: ";
  if (event.action.starts_with(health)) {
    attributes.emplace("health", tidy(event.action.substr(health.size()), word_max));
  }
  return attributes;
}

}  // namespace

EventLog::EventLog(async::Executor executor, Clock clock)
    : clock_{std::move(clock)}, run_{random::word(run_length)}, changed_{std::move(executor)} {}

void EventLog::note(const HostId& host, std::string_view name, const engine::Event& event) {
  if (is_silent(event)) return;
  auto project = event.attributes.find("com.docker.compose.project");
  bool of_project = event.type == "container" && project != event.attributes.end();
  put({.number = 0,
       .at = event.time,
       .host = host,
       .host_name = std::string{name},
       .type = tidy(event.type, word_max),
       .action = tidy(event.action.substr(0, event.action.find(':')), word_max),
       .object = tidy(event.actor_id, object_max),
       // Rights are decided by it: it is cut as that of a container is.
       .project = of_project ? text::shortened(project->second, project_max) : std::string{},
       .attributes = told(event)});
}

void EventLog::note_host(const HostId& host, std::string_view name, std::string_view action,
                         std::map<std::string, std::string> attributes) {
  put({.number = 0,
       .at = clock_.now(),
       .host = host,
       .host_name = std::string{name},
       .type = "host",
       .action = std::string{action},
       .object = {},
       .project = {},
       .attributes = std::move(attributes)});
}

void EventLog::put(HostEvent event) {
  event.number = ++last_;
  if (rings_.size() >= rings_max && !rings_.contains(event.host)) {
    // The one that was silent longest.
    rings_.erase(std::ranges::min_element(rings_, {}, [](const auto& entry) {
      return entry.second.events.empty() ? entry.second.forgotten
                                         : entry.second.events.back().number;
    }));
  }
  auto& ring = rings_[event.host];
  auto share = std::clamp(events_max / rings_.size(), host_share_min, host_events_max);
  ring.events.push_back(std::move(event));
  while (ring.events.size() > share) {
    ring.forgotten = ring.events.front().number;
    ring.events.pop_front();
  }
  changed_.notify();
}

EventLog::Page EventLog::after(std::uint64_t number, std::size_t max) const {
  Page page;
  for (const auto& [host, ring] : rings_) {
    if (ring.forgotten > number) page.gaps.push_back(host);
    auto from = std::ranges::upper_bound(ring.events, number, {}, &HostEvent::number);
    auto count = std::min(static_cast<std::size_t>(ring.events.end() - from), max);
    for (std::size_t i = 0; i < count; ++i) page.events.push_back(&*(from + static_cast<long>(i)));
  }
  std::ranges::sort(page.events, {}, &HostEvent::number);
  if (page.events.size() > max) page.events.resize(max);
  return page;
}

std::string EventLog::cursor(std::uint64_t number) const {
  return fmt::format("{}-{}", run_, number);
}

std::optional<std::uint64_t> EventLog::parse_cursor(std::string_view cursor) const {
  auto dash = cursor.find('-');
  if (dash == cursor.npos || cursor.substr(0, dash) != run_) return std::nullopt;
  auto digits = cursor.substr(dash + 1);
  std::uint64_t number = 0;
  auto [stop, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  bool whole = code == std::errc{} && stop == digits.data() + digits.size();
  if (!whole || number > last_) return std::nullopt;
  return number;
}

}  // namespace gantry::fleet
