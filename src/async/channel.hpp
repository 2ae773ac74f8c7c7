#pragma once

#include "async/event.hpp"
#include "async/task.hpp"

#include <deque>
#include <optional>

namespace gantry::async {

/// A bounded queue between coroutines of the loop. Not thread-safe.
template <class T>
class Channel {
 public:
  Channel(const Executor& executor, std::size_t capacity)
      : changed_{executor}, capacity_{capacity} {}

  /// False when full or closed: the sender decides what to drop.
  bool try_send(T item) {
    if (closed_ || items_.size() >= capacity_) return false;
    items_.push_back(std::move(item));
    changed_.notify();
    return true;
  }
  /// Waits for room; false when the channel was closed.
  task<bool> send(T item) {
    while (!closed_ && items_.size() >= capacity_) co_await changed_.wait();
    co_return try_send(std::move(item));
  }
  /// The next item; nothing when closed and drained.
  task<std::optional<T>> receive() {
    while (items_.empty() && !closed_) co_await changed_.wait();
    if (items_.empty()) co_return std::nullopt;
    std::optional<T> item{std::move(items_.front())};
    items_.pop_front();
    changed_.notify();
    co_return item;
  }
  void close() {
    closed_ = true;
    changed_.notify();
  }
  std::size_t size() const { return items_.size(); }

 private:
  Event changed_;
  std::deque<T> items_;
  std::size_t capacity_;
  bool closed_ = false;
};

}  // namespace gantry::async
