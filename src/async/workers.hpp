#pragma once

#include "async/task.hpp"

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>

namespace gantry::async {

/// The other threads our code runs on, beside those of `aside`: a few that may block (SQLite,
/// password hashing, DNS, file trees, long computations). Owns its threads; joins them when
/// destroyed.
class Workers {
 public:
  /// `queue_max` pieces of work may wait; more are refused with Failure of kind exhausted.
  Workers(std::size_t threads, std::size_t queue_max);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Runs `work` on one of the threads and answers what it returns or throws. It can not be
  /// interrupted: a cancelled caller still waits for it, so it may use the caller's locals.
  template <class Work>
  task<std::invoke_result_t<Work>> run(Work work) {
    using Value = std::invoke_result_t<Work>;
    std::exception_ptr failure;
    if constexpr (std::is_void_v<Value>) {
      co_await submit([&] { failure = capture(work); });
      if (failure) std::rethrow_exception(failure);
    } else {
      std::optional<Value> value;
      co_await submit([&] { failure = capture([&] { value.emplace(work()); }); });
      if (failure) std::rethrow_exception(failure);
      co_return std::move(*value);
    }
  }

 private:
  struct Threads;

  static std::exception_ptr capture(const std::function<void()>& work) noexcept;
  task<void> submit(std::function<void()> work);

  std::unique_ptr<Threads> threads_;
  std::size_t waiting_ = 0;
  std::size_t queue_max_;
};

}  // namespace gantry::async
