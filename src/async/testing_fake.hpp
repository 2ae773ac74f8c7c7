#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>

/// Running coroutines to their end inside a unit test.
namespace gantry::async {

/// An event loop of its own for one test.
class TestLoop {
 public:
  TestLoop();
  ~TestLoop();
  TestLoop(const TestLoop&) = delete;
  TestLoop& operator=(const TestLoop&) = delete;

  Executor executor() const;
  /// Runs `work`, and whatever it started, until `work` has ended; rethrows what it throws.
  /// Throws std::runtime_error when that takes longer than 100 s.
  void run(task<void> work);

  template <class T>
  T run(task<T> work) {
    std::optional<T> value;
    run(keep(std::move(work), value));
    return std::move(*value);
  }

 private:
  struct Loop;

  template <class T>
  static task<void> keep(task<T> work, std::optional<T>& into) {
    into.emplace(co_await std::move(work));
  }

  std::unique_ptr<Loop> loop_;
};

/// `auto answer = async::run_test(client.version());`
template <class T>
T run_test(task<T> work) {
  TestLoop loop;
  if constexpr (std::is_void_v<T>) {
    loop.run(std::move(work));
  } else {
    return loop.run(std::move(work));
  }
}

/// Waits until `reached()` is true, looking every millisecond; throws std::runtime_error after
/// 60 s. For tests that watch something happen beside them.
task<void> until(std::function<bool()> reached);

}  // namespace gantry::async
