#include "async/deadline.hpp"
#include "net/http_server_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::net::http {
namespace {

using testing::EndsWith;

/// Answers with the size of the body, or why there is none.
async::task<void> measure(Exchange& exchange) {
  auto body = co_await exchange.body(Bytes{1U << 20U});
  if (body) co_await async::pause(Milliseconds{20});
  co_await exchange.respond({.status = body ? 200U : 429U},
                            body ? fmt::format("{} bytes", body->size()) : body.error().code);
}

/// A server that holds 300,000 bytes of bodies at most.
class HttpBudget : public testing::Test {
 protected:
  /// Begins a request with a body of so many bytes and leaves half of it out.
  std::unique_ptr<Stream> half_a_body(std::string_view target, std::size_t size) {
    auto stream = host_.run(host_.connect()());
    auto head =
        fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", target, size);
    host_.run(stream->write(head + std::string(size / 2, 'x')));
    host_.run(async::pause(Milliseconds{50}));
    return stream;
  }
  std::string post(std::size_t size, std::string_view target = "/") {
    return host_.run(host_.say(fmt::format(
        "POST {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}", target,
        size, std::string(size, 'x'))));
  }
  std::string post_in_chunks(std::size_t size) {
    return host_.run(
        host_.say(fmt::format("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
                              size, std::string(size, 'x'))));
  }

  TestServer host_{&measure, {.held_max = Bytes{300'000}}};
};

TEST_F(HttpBudget, BodiesThatTogetherAreTooLargeAreRefusedUntilThereIsRoom) {
  auto first = half_a_body("/", 200'000);
  EXPECT_THAT(post(200'000), EndsWith("server_full"));
  EXPECT_THAT(post(90'000), EndsWith("90000 bytes"));
  first->close();
  host_.run(async::pause(Milliseconds{50}));
  EXPECT_THAT(post(200'000), EndsWith("200000 bytes"));
}

TEST_F(HttpBudget, SmallBodiesAlwaysFindRoom) {
  auto first = half_a_body("/", 300'000);
  EXPECT_THAT(post(60'000), EndsWith("60000 bytes"));
}

TEST_F(HttpBudget, ABodyOfUnknownLengthIsCountedInSteps) {
  EXPECT_THAT(post_in_chunks(200'000), EndsWith("server_full"));
}

async::task<void> let_go_early(Exchange& exchange) {
  auto body = co_await exchange.body(Bytes{1U << 20U});
  exchange.let_go();
  auto room = exchange.hold(Bytes{300'000});
  auto more = exchange.hold(Bytes{100'000});
  co_await exchange.respond({}, fmt::format("{} {}", room.has_value(), more.has_value()));
}

TEST(HttpHold, WhatIsLetGoIsRoomForOthers) {
  TestServer host{&let_go_early, {.held_max = Bytes{300'000}}};
  auto request = fmt::format(
      "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n{}",
      std::string(200'000, 'x'));
  EXPECT_THAT(host.run(host.say(request)), EndsWith("true false"));
  EXPECT_THAT(host.run(host.say(request)), EndsWith("true false"));
}

}  // namespace
}  // namespace gantry::net::http
