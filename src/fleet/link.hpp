#pragma once

#include "async/backoff.hpp"
#include "async/event.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "engine/client.hpp"
#include "engine/events.hpp"
#include "fleet/side_lists.hpp"
#include "fleet/view.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace gantry::fleet {

/// How a link paces itself.
struct LinkPace {
  Milliseconds first_retry{500};
  Milliseconds longest_retry{30'000};
  /// Changes are gathered this long before the engine is asked about them.
  Milliseconds gather{250};
  /// More changes than this at once are answered by one full list,
  std::size_t single_lookups_max = 8;
  /// and after one this long passes before the next.
  Milliseconds between_lists{1'000};
  /// A full list even when no event asks for one: corrects what an event did not tell.
  Milliseconds relist{60'000};
  /// The same for images, networks and volumes, which take an engine longer.
  Milliseconds relist_others{300'000};
  /// So often an engine is asked again about a container that has ended and is listed as running.
  std::size_t doubts_max = 20;
  /// How often a silent engine is asked whether it lives, and how long it may take to say so.
  Milliseconds ping_interval{15'000};
  Milliseconds ping_patience{10'000};
};

/// Containers that nobody is shown, told by their name and labels: they are never asked about.
using Hidden =
    std::function<bool(std::string_view name, const std::map<std::string, std::string>& labels)>;

struct LinkSettings {
  LinkPace pace = {};
  Hidden hidden = {};
  /// Called after every change of the view,
  std::function<void()> on_change = {};
  /// for every event that is not of a hidden container,
  std::function<void(const engine::Event&)> on_event = {};
  /// and whenever the state has become another.
  std::function<void(EngineState)> on_state = {};
};

/// The supervised, live connection to one host's engine: connects, lists once, follows the
/// events, backs off when it breaks, and keeps the view that everybody else reads.
class Link {
 public:
  /// Of one host at most; more are cut off, and the view says so.
  static constexpr std::size_t containers_max = 10'000;

  /// Borrows `client`, which must outlive it.
  Link(async::Executor executor, engine::Client& client, Clock clock, LinkSettings settings = {});
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Never returns by itself; to be spawned once, and cancelled.
  async::task<void> supervise();
  /// Instead of `supervise`: nobody tries to connect.
  void disable();
  /// Takes over what another link to the same host had seen; it is stale until this one connects.
  void inherit(const HostView& view);
  /// A link that waits before its next try does so no longer.
  void retry() { retry_.notify(); }

  const HostView& view() const { return view_; }
  /// Grows with every change of the view.
  std::uint64_t version() const { return version_; }
  /// Returns at the next change; compare `version` first, so that none is missed.
  async::task<void> changed();

 private:
  /// What an event said about a container.
  enum class Change { look_up, removed };

  async::task<void> follow();
  async::task<void> connect();
  async::task<void> read_events(engine::EventStream events);
  async::task<void> keep_current();
  async::task<void> refresh_when_changed();
  async::task<void> refresh_others();
  async::task<void> stay_alive();
  async::task<void> wait_for_change();
  async::task<void> refresh();
  async::task<void> list_all();
  async::task<void> look_up(std::string id);
  void note(const engine::Event& event);
  void note_container(const engine::Event& event);
  void note_end(const engine::Event& event);
  void touch(const std::string& id, Change change);
  void doubt_what_runs();
  void put(const engine::ContainerSummary& summary);
  void remove(const std::string& id);
  bool hides(const engine::ContainerSummary& summary) const;
  bool hides(const engine::Event& event) const;
  void enter(EngineState state);
  void broke(const Error& error);
  void publish();

  async::Executor executor_;
  engine::Client& client_;
  Clock clock_;
  LinkSettings settings_;
  async::Backoff backoff_;
  HostView view_;
  SideLists others_;
  std::uint64_t version_ = 0;
  async::Event changed_;
  async::Event dirty_;
  async::Event retry_;
  /// Containers that events were about, and not asked about yet.
  std::map<std::string, Change> touched_;
  /// Containers of which an event said that they have ended, and how often that was doubted.
  std::map<std::string, std::size_t> ended_;
  bool list_wanted_ = false;
  SteadyTime listed_at_{};
  bool cut_short_ = false;
};

}  // namespace gantry::fleet
