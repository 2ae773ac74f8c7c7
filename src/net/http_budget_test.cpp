#include "async/deadline.hpp"
#include "net/http_server_fake.hpp"

#include <functional>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::net::http {
namespace {

using testing::EndsWith;

/// Answers with the size of the body, or why there is none.
async::task<void> measure(Exchange& exchange) {
  bool small = exchange.request().target == "/small";
  auto body = co_await exchange.body(Bytes{small ? 64U << 10U : 1U << 20U});
  if (body) co_await async::pause(Milliseconds{20});
  co_await exchange.respond({.status = body ? 200U : 429U},
                            body ? fmt::format("{} bytes", body->size()) : body.error().code);
}

std::string declared(std::size_t size) { return fmt::format("Content-Length: {}\r\n\r\n", size); }
const std::string in_chunks = "Transfer-Encoding: chunked\r\n\r\n";
std::string chunk_of(std::size_t size) {
  return fmt::format("{:x}\r\n{}\r\n", size, std::string(size, 'x'));
}

/// A server that holds 300,000 bytes of bodies at most.
class HttpBudget : public testing::Test {
 protected:
  /// Sends this behind a request's line and first headers, and leaves it at that.
  std::unique_ptr<Stream> begin(std::string_view rest) {
    auto stream = host_.run(host_.connect()());
    host_.run(stream->write(fmt::format("POST / HTTP/1.1\r\nHost: x\r\n{}", rest)));
    host_.run(async::pause(Milliseconds{50}));
    return stream;
  }
  std::unique_ptr<Stream> all_but_a_byte(std::size_t size) {
    return begin(declared(size) + std::string(size - 1, 'x'));
  }
  std::string ask(std::string_view target, std::string_view rest) {
    return host_.run(host_.say(
        fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}", target, rest)));
  }
  std::string post(std::size_t size) { return ask("/", declared(size) + std::string(size, 'x')); }
  std::string post_in_chunks(std::size_t size, std::string_view target = "/") {
    return ask(target, in_chunks + chunk_of(size) + "0\r\n\r\n");
  }

  /// Posts until the answer is this one: what others hold changes as the server reads.
  void expect_in_the_end(std::string_view ending, const std::function<std::string()>& post_one) {
    auto deadline = steady_now() + Seconds{60};
    auto answer = post_one();
    while (!answer.ends_with(ending) && steady_now() < deadline) answer = post_one();
    EXPECT_THAT(answer, EndsWith(std::string{ending}));
  }

  TestServer host_{&measure, {.held_max = Bytes{300'000}}};
};

TEST_F(HttpBudget, BodiesThatTogetherAreTooLargeAreRefusedUntilThereIsRoom) {
  auto first = all_but_a_byte(200'000);
  expect_in_the_end("server_full", [&] { return post(200'000); });
  EXPECT_THAT(post(90'000), EndsWith("90000 bytes"));
  first->close();
  expect_in_the_end("200000 bytes", [&] { return post(200'000); });
}

TEST_F(HttpBudget, SmallBodiesAlwaysFindRoom) {
  auto first = all_but_a_byte(300'000);
  EXPECT_THAT(post(60'000), EndsWith("60000 bytes"));
  EXPECT_THAT(post_in_chunks(60'000), EndsWith("60000 bytes"));
  EXPECT_THAT(post_in_chunks(60'000, "/small"), EndsWith("60000 bytes"));
  EXPECT_THAT(post_in_chunks(70'000, "/small"), EndsWith("body_too_large"));
}

TEST_F(HttpBudget, ABodyOfUnknownLengthIsCountedAsItComes) {
  EXPECT_THAT(post_in_chunks(200'000), EndsWith("200000 bytes"));
  auto first = begin(in_chunks + chunk_of(200'000));
  expect_in_the_end("server_full", [&] { return post_in_chunks(200'000); });
  EXPECT_THAT(post_in_chunks(90'000), EndsWith("90000 bytes"));
  first->close();
  expect_in_the_end("200000 bytes", [&] { return post_in_chunks(200'000); });
}

TEST_F(HttpBudget, WhatIsOnlyAnnouncedTakesNoRoom) {
  std::vector<std::unique_ptr<Stream>> silent;
  for (int i = 0; i < 3; ++i) {
    silent.push_back(begin(declared(300'000)));
    silent.push_back(begin(in_chunks + chunk_of(1)));
  }
  EXPECT_THAT(post(300'000), EndsWith("300000 bytes"));
  EXPECT_THAT(post_in_chunks(300'000), EndsWith("300000 bytes"));
}

TEST_F(HttpBudget, BodiesThatWereLetInTogetherStayWithinTheRoom) {
  auto first = begin(declared(200'000));
  auto second = all_but_a_byte(200'000);
  host_.run(first->write(std::string(200'000, 'x')));
  std::string answer(1'000, '\0');
  answer.resize(host_.run(first->read_some(answer)));
  EXPECT_THAT(answer, EndsWith("server_full"));
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
