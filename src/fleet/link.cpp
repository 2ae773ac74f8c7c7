#include "fleet/link.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

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

Link::Link(async::Executor executor, engine::Client& client, Clock clock, LinkPace pace)
    : executor_{std::move(executor)},
      client_{client},
      clock_{std::move(clock)},
      pace_{pace},
      backoff_{pace.first_retry, pace.longest_retry},
      changed_{executor_},
      dirty_{executor_} {
  view_.endpoint = client_.endpoint().text();
}

async::task<void> Link::supervise() {
  for (;;) {
    auto began = steady_now();
    auto ended = co_await async::attempt(follow());
    if (!ended) broke(ended.error());
    // Only a connection that lasted was a good one: an engine that cuts each off is given time.
    if (steady_now() - began > pace_.longest_retry) backoff_.reset();
    co_await backoff_.pause();
  }
}

/// One connection, from its beginning to its end, which is always a failure.
async::task<void> Link::follow() {
  co_await connect();
  // Events first: whatever happens while the list is made comes through them.
  auto events = value_or_throw(
      co_await engine::follow_events(client_, {.types = {"container"}, .labels = {}}));
  touched_.clear();
  list_wanted_ = false;
  co_await list_all();
  view_.engine = EngineState::connected;
  view_.error.reset();
  publish();
  log::info("connected to the engine on '{}': {} {}, API {}, {} containers", view_.endpoint,
            view_.system->name, view_.system->engine_version, view_.api_version->text(),
            view_.items.size());
  co_await async::race(read_events(std::move(events)), refresh_when_changed());
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
  if (event.type != "container" || is_silent(event.action)) return;
  if (!engine::valid_container_reference(event.actor_id)) return;
  touched_[event.actor_id] = event.action == "destroy" ? Change::removed : Change::look_up;
  if (touched_.size() > pace_.single_lookups_max) {
    touched_.clear();
    list_wanted_ = true;
  }
  dirty_.notify();
}

async::task<void> Link::refresh_when_changed() {
  for (;;) {
    co_await wait_for_change();
    co_await async::pause(pace_.gather);
    co_await refresh();
  }
}

async::task<void> Link::wait_for_change() {
  if (list_wanted_ || !touched_.empty()) co_return;
  auto woken = co_await async::attempt(
      async::with_deadline(pace_.relist, "waiting for an event", dirty_.wait()));
  if (!woken) list_wanted_ = true;
}

async::task<void> Link::refresh() {
  auto touched = std::exchange(touched_, {});
  if (std::exchange(list_wanted_, false)) {
    co_await list_all();
  } else {
    for (const auto& [id, change] : touched) {
      if (change == Change::removed) {
        remove(id);
      } else {
        co_await look_up(id);
      }
    }
    view_.as_of = clock_.now();
  }
  publish();
}

async::task<void> Link::list_all() {
  auto listed = co_await engine::list_containers(client_, engine::ListScope::all);
  std::vector<Container> items;
  for (const auto& summary : value_or_throw(std::move(listed))) {
    items.push_back(container_of(summary));
  }
  std::ranges::sort(items, comes_before);
  view_.items = std::move(items);
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

void Link::put(const engine::ContainerSummary& summary) {
  remove(summary.id);
  auto container = container_of(summary);
  auto place = std::ranges::lower_bound(view_.items, container, comes_before);
  view_.items.insert(place, std::move(container));
}

void Link::remove(const std::string& id) {
  std::erase_if(view_.items, [&](const Container& container) { return container.id == id; });
}

void Link::broke(const Error& error) {
  bool known = view_.engine == EngineState::unreachable && view_.error == error;
  view_.engine = EngineState::unreachable;
  view_.stale = true;
  view_.error = error;
  if (known) return;
  log::warn("{}", error.sentence());
  publish();
}

void Link::publish() {
  ++version_;
  changed_.notify();
}

async::task<void> Link::changed() { return changed_.wait(); }

}  // namespace gantry::fleet
