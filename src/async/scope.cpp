#include "async/scope.hpp"

#include "async/attempt.hpp"
#include "base/error.hpp"
#include "base/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

namespace gantry::async {
namespace asio = boost::asio;
namespace {

/// Waits until `done()`, whatever happens to the waiting coroutine, and leaves its cancellation
/// state as it was.
template <class Done>
task<void> wait_always(Event& event, Done done) {
  auto before = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!done()) co_await event.wait_through_cancellation();
  co_await asio::this_coro::throw_if_cancelled(before);
}

}  // namespace

TaskScope::TaskScope(Executor executor) : executor_{std::move(executor)}, ended_{executor_} {}

TaskScope::~TaskScope() { CHECK(children_.empty()); }

void TaskScope::spawn(std::string name, task<void> work) {
  auto child = std::make_shared<Child>();
  child->name = std::move(name);
  children_.push_back(child);
  auto at_end = [this, child](const std::exception_ptr& failure) {
    if (failure && !was_cancelled(failure)) {
      log::error("task '{}' failed: {}", child->name, describe(failure).sentence());
    }
    children_.remove(child);
    ended_.notify();
  };
  asio::co_spawn(
      executor_, std::move(work),
      asio::bind_cancellation_slot(child->stop.slot(), asio::bind_executor(executor_, at_end)));
  if (closing_) child->stop.emit(asio::cancellation_type::terminal);
}

void TaskScope::cancel() {
  auto running = children_;  // a child may end, and leave the list, while we walk
  for (const auto& child : running) child->stop.emit(asio::cancellation_type::terminal);
}

task<void> TaskScope::close() {
  closing_ = true;
  cancel();
  co_await wait_always(ended_, [this] { return children_.empty(); });
}

task<void> TaskScope::join() {
  while (!children_.empty()) co_await ended_.wait();
}

task<void> shielded(task<void> work) {
  Event ended{co_await asio::this_coro::executor};
  bool done = false;
  std::exception_ptr failure;
  asio::co_spawn(co_await asio::this_coro::executor, std::move(work),
                 [&](const std::exception_ptr& thrown) {
                   failure = thrown;
                   done = true;
                   ended.notify();
                 });
  co_await wait_always(ended, [&] { return done; });
  if (failure) std::rethrow_exception(failure);
}

}  // namespace gantry::async
