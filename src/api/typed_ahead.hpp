#pragma once

#include "async/event.hpp"
#include "async/task.hpp"
#include "net/websocket.hpp"
#include "sandbox/executor.hpp"

#include <cstddef>
#include <deque>
#include <memory>

namespace gantry::api {

/// What a client of a WebSocket has typed and its program has not taken yet. Reading goes on while
/// the program takes nothing: otherwise nobody would notice that the client has gone away. Above
/// `bytes_max` it does not, and pings tell whether the client is still there.
class TypedAhead {
 public:
  static constexpr std::size_t bytes_max = 1U << 20U;

  explicit TypedAhead(const async::Executor& executor) : changed_{executor} {}

  /// Waits for room while it is full.
  async::task<void> push(std::shared_ptr<sandbox::Keyboard> keyboard, sandbox::Keystrokes keys);
  /// Hands on what was typed as there is room. Runs until it is cancelled; throws when a ping shows
  /// that the client has gone.
  async::task<void> run(net::WebSocket& socket);

 private:
  struct Typed {
    std::shared_ptr<sandbox::Keyboard> keyboard;  ///< Shared with the executor that reads it.
    sandbox::Keystrokes keys;
  };

  bool full() const { return bytes_ > bytes_max; }
  async::task<void> hand_on();
  async::task<void> look_after(net::WebSocket& socket);

  std::deque<Typed> typed_;
  std::size_t bytes_ = 0;
  async::Event changed_;
};

}  // namespace gantry::api
