#include "async/testing_fake.hpp"

// The loop itself: everything of Asio a test program needs is in this file.
#include "async/deadline.hpp"

#include <exception>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace gantry::async {
namespace asio = boost::asio;

constexpr auto patience = Seconds{20};

struct TestLoop::Loop {
  asio::io_context context{1};
};

TestLoop::TestLoop() : loop_{std::make_unique<Loop>()} {}
TestLoop::~TestLoop() = default;

Executor TestLoop::executor() const { return loop_->context.get_executor(); }

void TestLoop::run(task<void> work) {
  bool ended = false;
  std::exception_ptr failure;
  asio::co_spawn(loop_->context, std::move(work), [&](const std::exception_ptr& thrown) {
    ended = true;
    failure = thrown;
    loop_->context.stop();
  });
  loop_->context.restart();
  loop_->context.run_for(patience);
  if (!ended) throw std::runtime_error{"the test's coroutine did not end"};
  if (failure) std::rethrow_exception(failure);
}

task<void> until(std::function<bool()> reached) {
  auto latest = steady_now() + Seconds{5};
  while (!reached()) {
    if (steady_now() > latest) throw std::runtime_error{"what the test waits for did not happen"};
    co_await pause(Milliseconds{1});
  }
}

}  // namespace gantry::async
