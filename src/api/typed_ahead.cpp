#include "api/typed_ahead.hpp"

#include "async/deadline.hpp"
#include "async/race.hpp"

#include <utility>

namespace gantry::api {
namespace {

constexpr Milliseconds between_looks{2'000};

/// What it costs to hold it.
std::size_t weight(const sandbox::Keystrokes& keys) {
  return sizeof(sandbox::Keystrokes) + keys.bytes.size();
}

}  // namespace

async::task<void> TypedAhead::push(std::shared_ptr<sandbox::Keyboard> keyboard,
                                   sandbox::Keystrokes keys) {
  while (full()) co_await changed_.wait();
  bytes_ += weight(keys);
  typed_.push_back({std::move(keyboard), std::move(keys)});
  changed_.notify();
}

async::task<void> TypedAhead::run(net::WebSocket& socket) {
  co_await async::both(hand_on(), look_after(socket));
}

async::task<void> TypedAhead::hand_on() {
  for (;;) {
    while (typed_.empty()) co_await changed_.wait();
    auto typed = std::move(typed_.front());
    typed_.pop_front();
    auto bytes = weight(typed.keys);
    // Nobody reads any more from what has ended.
    co_await typed.keyboard->send(std::move(typed.keys));
    bytes_ -= bytes;
    changed_.notify();
  }
}

async::task<void> TypedAhead::look_after(net::WebSocket& socket) {
  for (;;) {
    co_await async::pause(between_looks);
    if (full()) co_await socket.ping();
  }
}

}  // namespace gantry::api
