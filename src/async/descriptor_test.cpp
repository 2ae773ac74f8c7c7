#include "async/descriptor.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/testing_fake.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

namespace gantry::async {
namespace {

namespace asio = boost::asio;

task<void> connect_to_nobody() {
  asio::local::stream_protocol::socket socket{co_await asio::this_coro::executor};
  boost::system::error_code refused;
  co_await socket.async_connect({"/nonexistent/socket"},
                                asio::redirect_error(asio::use_awaitable, refused));
}

task<Result<>> wait_after_a_refusal(const Descriptor& descriptor) {
  co_await connect_to_nobody();
  co_return co_await attempt(with_deadline(Milliseconds{20}, "waiting", readable(descriptor)));
}

TEST(Readable, IsNotWokenByWhatBecameOfAnotherDescriptor) {
  Descriptor silent{::eventfd(0, EFD_CLOEXEC)};
  for (int i = 0; i < 5; ++i) {
    auto woken = run_test(wait_after_a_refusal(silent));
    ASSERT_FALSE(woken);
    EXPECT_EQ(woken.error().kind, ErrorKind::timed_out);
  }
}

TEST(Readable, ReturnsWhenThereIsSomething) {
  Descriptor raised{::eventfd(1, EFD_CLOEXEC)};
  EXPECT_TRUE(run_test(attempt(with_deadline(Seconds{10}, "waiting", readable(raised)))));
}

}  // namespace
}  // namespace gantry::async
