#include "fleet/link.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

/// Events that change nothing a list tells; health checks alone make three a second.
constexpr std::array<std::string_view, 9> silent_actions{"exec_",          "top",    "attach",
                                                         "detach",         "resize", "archive-path",
                                                         "extract-to-dir", "export", "commit"};

bool is_silent(std::string_view action) {
  return std::ranges::any_of(silent_actions,
                             [&](std::string_view silent) { return action.starts_with(silent); });
}

bool comes_before(const Container& a, const Container& b) {
  return std::tie(b.created, b.id) < std::tie(a.created, a.id);
}

}  // namespace

Link::Link(async::Executor executor, engine::Client& client, Clock clock, LinkSettings settings)
    : executor_{std::move(executor)},
      client_{client},
      clock_{std::move(clock)},
      settings_{std::move(settings)},
      backoff_{settings_.pace.first_retry, settings_.pace.longest_retry},
      others_{executor_, client_},
      changed_{executor_},
      dirty_{executor_},
      retry_{executor_} {
  view_.endpoint = client_.endpoint().text();
  view_.since = clock_.now();
}

void Link::disable() { enter(EngineState::disabled); }

void Link::inherit(const HostView& view) {
  view_.containers = view.containers;
  view_.images = view.images;
  view_.networks = view.networks;
  view_.volumes = view.volumes;
  view_.as_of = view.as_of;
  view_.api_version = view.api_version;
  view_.system = view.system;
}

void Link::enter(EngineState state) {
  if (view_.state == state) return;
  view_.since = clock_.now();
  view_.state = state;
  if (settings_.on_state) settings_.on_state(state);
}

async::task<void> Link::supervise() {
  for (;;) {
    auto began = steady_now();
    auto ended = co_await async::attempt(follow());
    if (!ended) broke(ended.error());
    // Only a connection that lasted was a good one: an engine that cuts each off is given time.
    if (steady_now() - began > settings_.pace.longest_retry) backoff_.reset();
    co_await async::race(backoff_.pause(), retry_.wait());
  }
}

/// One connection, from its beginning to its end, which is always a failure.
async::task<void> Link::follow() {
  co_await connect();
  // Events first: whatever happens while the list is made comes through them.
  auto events = value_or_throw(co_await engine::follow_events(
      client_, {.types = {"container", "image", "network", "volume"}, .labels = {}}));
  touched_.clear();
  ended_.clear();
  list_wanted_ = false;
  others_.want_all();
  co_await list_all();
  enter(EngineState::connected);
  view_.error.reset();
  publish();
  log::info("connected to the engine on '{}': {} {}, API {}, {} containers", view_.endpoint,
            view_.system->name, view_.system->engine_version, view_.api_version->text(),
            view_.containers.size());
  co_await async::race(read_events(std::move(events)), keep_current());
}

async::task<void> Link::keep_current() {
  co_await async::both(async::both(refresh_when_changed(), refresh_others()), stay_alive());
}

async::task<void> Link::connect() {
  view_.api_version = co_await client_.negotiate();
  auto facts = co_await engine::info(client_);
  view_.system = value_or_throw(std::move(facts));
}

async::task<void> Link::read_events(engine::EventStream events) {
  while (auto event = co_await events.next()) note(*event);
  throw Failure{{ErrorKind::unavailable,
                 "engine_stream_broken",
                 "cannot follow the engine's events: the engine has ended them",
                 {}}};
}

void Link::note(const engine::Event& event) {
  if (hides(event)) return;
  if (settings_.on_event) settings_.on_event(event);
  if (event.type == "container") {
    note_container(event);
  } else {
    others_.note(event);
  }
}

void Link::note_container(const engine::Event& event) {
  if (is_silent(event.action) || !engine::valid_container_reference(event.actor_id)) return;
  note_end(event);
  touch(event.actor_id, event.action == "destroy" ? Change::removed : Change::look_up);
}

void Link::note_end(const engine::Event& event) {
  if (event.action == "start") {
    ended_.erase(event.actor_id);
  } else if (event.action == "die" && ended_.size() < containers_max) {
    ended_[event.actor_id] = 0;
  }
}

void Link::touch(const std::string& id, Change change) {
  if (list_wanted_) return;
  touched_[id] = change;
  if (touched_.size() > settings_.pace.single_lookups_max) {
    touched_.clear();
    list_wanted_ = true;
  }
  dirty_.notify();
}

/// Engines tell of an end before they list it (Docker 20.10 while it cleans up, for tenths of a
/// second): who asked in between asks again, for no other event comes.
void Link::doubt_what_runs() {
  std::map<std::string, std::size_t> doubted;
  for (const auto& container : view_.containers) {
    auto ended = ended_.find(container.id);
    if (ended == ended_.end() || container.state != "running") continue;
    if (ended->second >= settings_.pace.doubts_max) continue;
    doubted.emplace(container.id, ended->second + 1);
  }
  ended_ = std::move(doubted);
  for (const auto& [id, doubts] : ended_) {
    if (!touched_.contains(id)) touch(id, Change::look_up);
  }
}

async::task<void> Link::refresh_when_changed() {
  for (;;) {
    co_await wait_for_change();
    co_await async::pause(settings_.pace.gather);
    co_await refresh();
  }
}

async::task<void> Link::refresh_others() {
  for (;;) {
    co_await others_.wait(settings_.pace.relist_others);
    co_await async::pause(settings_.pace.gather);
    if (!co_await others_.refresh(view_)) continue;
    publish();
    co_await async::pause(settings_.pace.between_lists);
  }
}

/// An engine that hangs keeps its connections: only a question that stays without an answer shows.
async::task<void> Link::stay_alive() {
  for (;;) {
    co_await async::pause(settings_.pace.ping_interval);
    engine::Request ping{.doing = {"ping", "the engine", ""}, .path = {"_ping"}};
    ping.patience = settings_.pace.ping_patience;
    value_or_throw(co_await client_.call(std::move(ping)));
  }
}

async::task<void> Link::wait_for_change() {
  if (list_wanted_ || !touched_.empty()) co_return;
  auto woken = co_await async::attempt(
      async::with_deadline(settings_.pace.relist, "waiting for an event", dirty_.wait()));
  if (!woken) list_wanted_ = true;
}

async::task<void> Link::refresh() {
  if (list_wanted_) {
    auto next = listed_at_ + settings_.pace.between_lists;
    auto early = std::chrono::ceil<Milliseconds>(next - steady_now());
    if (early > Milliseconds{0}) co_await async::pause(early);
    list_wanted_ = false;
    touched_.clear();
    co_await list_all();
  } else {
    for (const auto& [id, change] : std::exchange(touched_, {})) {
      if (change == Change::removed) {
        remove(id);
      } else {
        co_await look_up(id);
      }
    }
    view_.as_of = clock_.now();
  }
  if (!ended_.empty()) doubt_what_runs();
  publish();
}

async::task<void> Link::list_all() {
  auto listed = value_or_throw(co_await engine::list_containers(client_, engine::ListScope::all));
  listed_at_ = steady_now();
  std::vector<Container> items;
  items.reserve(std::min(listed.size(), containers_max));
  std::size_t total = 0;
  std::set<std::string_view> ids;  // a list is what an engine likes to answer
  for (const auto& summary : listed) {
    if (!ids.insert(summary.id).second) continue;
    if (hides(summary) || ++total > containers_max) continue;
    items.push_back(container_of(summary));
  }
  std::ranges::sort(items, comes_before);
  view_.containers = std::move(items);
  cut_short_ = total > containers_max;
  view_.stale = false;
  view_.as_of = clock_.now();
}

async::task<void> Link::look_up(std::string id) {
  auto summary = co_await engine::list_container(client_, id);
  if (summary) {
    put(*summary);
  } else if (summary.error().kind == ErrorKind::not_found) {
    remove(id);
  } else {
    throw Failure{summary.error()};
  }
}

bool Link::hides(const engine::Event& event) const {
  if (!settings_.hidden || event.type != "container") return false;
  auto name = event.attributes.find("name");
  return name != event.attributes.end() && settings_.hidden(name->second, event.attributes);
}

bool Link::hides(const engine::ContainerSummary& summary) const {
  return settings_.hidden && std::ranges::any_of(summary.names, [&](const std::string& name) {
           return settings_.hidden(name, summary.labels);
         });
}

void Link::put(const engine::ContainerSummary& summary) {
  remove(summary.id);
  if (hides(summary) || view_.containers.size() >= containers_max) return;
  auto container = container_of(summary);
  auto place = std::ranges::lower_bound(view_.containers, container, comes_before);
  view_.containers.insert(place, std::move(container));
}

void Link::remove(const std::string& id) {
  std::erase_if(view_.containers, [&](const Container& container) { return container.id == id; });
}

void Link::broke(const Error& error) {
  bool known = view_.state == EngineState::unreachable && view_.error == error;
  enter(EngineState::unreachable);
  view_.stale = true;
  view_.error = error;
  if (known) return;
  log::warn("{}", error.sentence());
  publish();
}

void Link::publish() {
  view_.warnings = others_.warnings();
  if (cut_short_) {
    view_.warnings.push_back(
        fmt::format("only {} of this host's containers are shown", containers_max));
  }
  ++version_;
  changed_.notify();
  if (settings_.on_change) settings_.on_change();
}

async::task<void> Link::changed() { return changed_.wait(); }

}  // namespace gantry::fleet
