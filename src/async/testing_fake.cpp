#include "async/testing_fake.hpp"

// The loop itself: everything of Asio a test program needs is in this file.
#include "async/deadline.hpp"

#include <exception>
#include <memory>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace gantry::async {
namespace asio = boost::asio;

// Only so that a test that fails ends: a busy machine may take its time.
constexpr auto patience = Seconds{100};
constexpr auto until_patience = Seconds{60};

struct TestLoop::Loop {
  asio::io_context context{1};
};

TestLoop::TestLoop() : loop_{std::make_unique<Loop>()} {}
TestLoop::~TestLoop() = default;

Executor TestLoop::executor() const { return loop_->context.get_executor(); }

void TestLoop::run(task<void> work) {
  struct End {
    bool reached = false;
    std::exception_ptr failure;
  };
  // Owned by this call and by the work, which may outlive it by the time a fixture takes to end.
  auto end = std::make_shared<End>();
  asio::co_spawn(loop_->context, std::move(work), [this, end](const std::exception_ptr& thrown) {
    *end = {true, thrown};
    loop_->context.stop();
  });
  loop_->context.restart();
  loop_->context.run_for(patience);
  if (!end->reached) throw std::runtime_error{"the test's coroutine did not end"};
  if (end->failure) std::rethrow_exception(end->failure);
}

task<void> until(std::function<bool()> reached) {
  auto latest = steady_now() + until_patience;
  while (!reached()) {
    if (steady_now() > latest) throw std::runtime_error{"what the test waits for did not happen"};
    co_await pause(Milliseconds{1});
  }
}

}  // namespace gantry::async
