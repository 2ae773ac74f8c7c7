#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

namespace gantry::async {

namespace detail {
/// So many threads may be at such work at a time, those that were left to themselves included.
inline constexpr std::size_t aside_max = 32;
task<void> run_aside(Milliseconds limit, std::string doing, std::function<void()> work);
}  // namespace detail

/// Runs `work` on a thread of its own and waits for it, `limit` at most: for calls of the system's
/// that may hang and can not be interrupted (a mount whose server is gone, a name service).
/// Afterwards, or when the caller is cancelled, the thread is left to itself; so `work` owns all
/// that it uses. `doing` names the work and the place that may hang ("looking at '/mnt/nas'"):
/// while a piece of work of this name is over its time, no other is begun. Throws Failure:
/// timed_out, as with_deadline, or at once; exhausted (`too_many_aside`), where too many are left
/// already.
template <class Work>
task<std::invoke_result_t<Work>> aside(Milliseconds limit, std::string doing, Work work) {
  struct Outcome {
    std::optional<std::invoke_result_t<Work>> value;
    std::exception_ptr failure;
  };
  auto outcome = std::make_shared<Outcome>();  // of the thread as well, which may outlive us
  co_await detail::run_aside(limit, std::move(doing), [outcome, work = std::move(work)] {
    try {
      outcome->value.emplace(work());
    } catch (...) {  // whatever it is: it is carried to whoever waits, and rethrown there
      outcome->failure = std::current_exception();
    }
  });
  if (outcome->failure) std::rethrow_exception(outcome->failure);
  co_return std::move(*outcome->value);
}

}  // namespace gantry::async
