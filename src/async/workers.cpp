#include "async/workers.hpp"

#include "async/event.hpp"
#include "base/error.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>

namespace gantry::async {
namespace asio = boost::asio;

struct Workers::Threads {
  explicit Threads(std::size_t count) : pool{count} {}
  asio::thread_pool pool;
};

Workers::Workers(std::size_t threads, std::size_t queue_max)
    : threads_{std::make_unique<Threads>(threads)}, queue_max_{queue_max} {}

Workers::~Workers() { threads_->pool.join(); }

std::exception_ptr Workers::capture(const std::function<void()>& work) noexcept {
  try {
    work();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

task<void> Workers::submit(std::function<void()> work) {
  if (waiting_ >= queue_max_) {
    throw Failure{{ErrorKind::exhausted, "workers_busy",
                   "cannot start background work: too much of it is waiting", "try again later"}};
  }
  auto loop = co_await asio::this_coro::executor;
  Event ended{loop};
  bool done = false;
  ++waiting_;
  asio::post(threads_->pool, [&, work = std::move(work)] {
    work();
    asio::post(loop, [&] {
      done = true;
      --waiting_;
      ended.notify();
    });
  });
  auto before = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!done) co_await ended.wait_through_cancellation();
  co_await asio::this_coro::throw_if_cancelled(before);
}

}  // namespace gantry::async
