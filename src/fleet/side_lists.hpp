#pragma once

#include "async/event.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "engine/client.hpp"
#include "engine/events.hpp"
#include "fleet/view.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gantry::fleet {

/// A host's images, networks and volumes: listed when an event says that they have changed, and
/// now and then. An engine (or a proxy before it) that refuses one of the lists is no broken link:
/// the view says so.
class SideLists {
 public:
  /// Of each sort, of one host.
  static constexpr std::size_t images_max = 5'000;
  static constexpr std::size_t networks_max = 5'000;
  static constexpr std::size_t volumes_max = 10'000;

  SideLists(const async::Executor& executor, engine::Client& client)
      : client_{client}, wanted_{executor} {}

  /// Notes what an event says has changed.
  void note(const engine::Event& event);
  /// Everything is to be listed again.
  void want_all();
  /// Waits until there is something to list, at most `longest`: then everything is.
  async::task<void> wait(Milliseconds longest);
  /// Lists what has changed into `view`; true when something came.
  async::task<bool> refresh(HostView& view);
  /// What could not be listed, or not whole: one sentence each.
  std::vector<std::string> warnings() const;

 private:
  enum class Sort : std::uint8_t { images, networks, volumes };
  static constexpr std::size_t sorts = 3;

  async::task<Result<>> list(Sort sort, HostView& view);

  engine::Client& client_;
  async::Event wanted_;
  std::array<bool, sorts> stale_{};
  std::array<std::optional<std::string>, sorts> troubles_;
};

}  // namespace gantry::fleet
