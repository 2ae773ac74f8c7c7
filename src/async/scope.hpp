#pragma once

#include "async/event.hpp"
#include "async/task.hpp"

#include <list>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/cancellation_signal.hpp>

namespace gantry::async {

/// Owns coroutines that run beside their creator: logs how they fail, cancels them, waits for
/// them. Declare it after everything its tasks use. Not thread-safe: it belongs to the loop.
class TaskScope {
 public:
  explicit TaskScope(Executor executor);
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  /// All tasks must have ended (`close`): a destructor can not wait.
  ~TaskScope();

  /// Start `work`; it must own what it uses or use what outlives this scope. `name` is for the
  /// log. After `close` has begun the work is cancelled at once.
  void spawn(std::string name, task<void> work);
  /// Ask every task to stop, without waiting.
  void cancel();
  /// Cancel everything and wait until all have ended; also when the caller itself is cancelled.
  task<void> close();
  /// Wait until all have ended by themselves.
  task<void> join();
  std::size_t size() const { return children_.size(); }
  const Executor& executor() const { return executor_; }

 private:
  struct Child {
    std::string name;
    boost::asio::cancellation_signal stop;
  };

  Executor executor_;
  // Shared with the handler that runs at a child's end, which may come while we walk the list.
  std::list<std::shared_ptr<Child>> children_;
  Event ended_;
  bool closing_ = false;
};

/// Runs `work` to its end even when the caller is cancelled meanwhile (clean-up: removing a
/// container, writing a final row). The work must carry its own deadline. A caller that may already
/// be cancelled uses `finally` instead: its co_await would throw before anything began.
task<void> shielded(task<void> work);

namespace detail {
template <class T>
task<void> keep(task<T> work, std::optional<T>& into) {
  into.emplace(co_await std::move(work));
}
}  // namespace detail

template <class T>
task<T> shielded(task<T> work) {
  std::optional<T> value;
  co_await shielded(detail::keep(std::move(work), value));
  co_return std::move(*value);
}

}  // namespace gantry::async
