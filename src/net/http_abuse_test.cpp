#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "net/few_descriptors_fake.hpp"
#include "net/http_server_fake.hpp"

#include <memory>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Peers that are allowed to do what they do, and do it so that a server may get stuck: each is
// served or given up, and the next one is served.
namespace gantry::net::http {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::StartsWith;

constexpr std::string_view open_end = "Host: x\r\n\r\n";
constexpr std::string_view last_end = "Host: x\r\nConnection: close\r\n\r\n";

std::string request(std::string_view line, std::string_view rest) {
  return fmt::format("{}\r\n{}", line, rest);
}

async::task<void> flood(Exchange& exchange) {
  co_await exchange.begin_stream({});
  for (;;) co_await exchange.send(std::string(64U << 10U, 'x'));
}

async::task<void> handle(std::size_t& handled, Exchange& exchange) {
  ++handled;
  const auto& target = exchange.request().target;
  if (target == "/empty") co_return co_await exchange.respond({.status = 204}, "");
  if (target == "/flood") co_return co_await flood(exchange);
  if (target == "/wait") co_return co_await exchange.peer_gone();
  auto body = co_await exchange.body(Bytes{1U << 20U});
  co_await exchange.respond({}, target + *body);
}

class HttpAbuse : public testing::Test {
 protected:
  explicit HttpAbuse(ServerLimits limits = {})
      : host_{[this](Exchange& exchange) { return handle(handled_, exchange); }, limits} {}

  std::string say(std::string bytes) { return host_.run(host_.say(std::move(bytes))); }
  bool serves() { return say(request("GET /served HTTP/1.1", last_end)).ends_with("/served"); }
  /// A connection that says this, and nothing more.
  std::unique_ptr<Stream> begin(std::string_view bytes) {
    auto stream = host_.run(host_.connect()());
    host_.run(stream->write(bytes));
    host_.run(async::pause(Milliseconds{30}));
    return stream;
  }

  std::size_t handled_ = 0;
  TestServer host_;
};

async::task<std::string> read_all(Stream& stream) {
  std::string answer;
  char piece[512];
  while (auto count = co_await stream.read_some(piece)) answer.append(piece, count);
  co_return answer;
}

TEST_F(HttpAbuse, BlanksAroundALengthAreNoPartOfIt) {
  auto fields = "Host: x\r\nConnection: close\r\nContent-Length: \t 5 \t\r\n\r\nhello";
  EXPECT_THAT(say(request("POST /echo HTTP/1.1", fields)), EndsWith("/echohello"));
}

async::task<std::string> say_and_finish(Connect connect, std::string bytes) {
  auto stream = co_await connect();
  co_await stream->write(bytes);
  stream->finish_writing();
  co_return co_await read_all(*stream);
}
TEST_F(HttpAbuse, WhoHasFinishedWritingIsStillAnswered) {
  auto ask = [this](std::string bytes) {
    return host_.run(say_and_finish(host_.connect(), std::move(bytes)));
  };
  auto hello = request("GET /hello HTTP/1.1", open_end);
  EXPECT_THAT(ask(hello + hello), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("/hello")));
  EXPECT_EQ(handled_, 2U);
  EXPECT_EQ(ask("GET /hello HTTP/1.1\r\nHo"), "");
  EXPECT_EQ(ask(request("POST /echo HTTP/1.1", "Host: x\r\nContent-Length: 9\r\n\r\nx")), "");
  EXPECT_TRUE(serves());
}

constexpr std::string_view empty_answer = "HTTP/1.1 204 No Content\r\n\r\n";

async::task<std::size_t> ask_often(Connect connect, std::size_t times) {
  constexpr std::size_t at_once = 500;
  std::string requests;
  for (std::size_t i = 0; i < at_once; ++i) {
    requests += request("GET /empty HTTP/1.1", open_end);
  }
  auto stream = co_await connect();
  std::string piece(64U << 10U, '\0');
  std::size_t read = 0;
  for (std::size_t asked = at_once; asked <= times; asked += at_once) {
    co_await stream->write(requests);
    while (read < asked * empty_answer.size()) {
      read += co_await stream->read_some(piece);
    }
  }
  co_return read / empty_answer.size();
}
TEST_F(HttpAbuse, OneConnectionMayAskAHundredThousandTimes) {
  EXPECT_EQ(host_.run(ask_often(host_.connect(), 100'000)), 100'000U);
  EXPECT_EQ(handled_, 100'000U);
}

/// A server with room for one connection.
class FullHttpAbuse : public HttpAbuse {
 protected:
  FullHttpAbuse() : HttpAbuse{ServerLimits{.connections_max = 1}} {}
};

TEST_F(FullHttpAbuse, WhoIsBeingServedKeepsTheirPlace) {
  auto first = begin(request("GET /wait HTTP/1.1", last_end));
  EXPECT_THAT(say(request("GET /next HTTP/1.1", last_end)), StartsWith("HTTP/1.1 503 "));
}

TEST_F(FullHttpAbuse, WhoIsOnlyWaitedForMakesRoom) {
  for (const auto& says : {std::string{}, request("GET /hello HTTP/1.1", open_end),
                           std::string{"GET /hello HTTP/1.1\r\nHost: "},
                           request("POST /echo HTTP/1.1", "Host: x\r\nContent-Length: 9\r\n\r\nx"),
                           request("GET /flood HTTP/1.1", open_end)}) {
    auto first = begin(says);
    EXPECT_TRUE(serves()) << says;
  }
}

/// A server with room for two.
class AlmostFullHttpAbuse : public HttpAbuse {
 protected:
  AlmostFullHttpAbuse() : HttpAbuse{ServerLimits{.connections_max = 2}} {}
};

TEST_F(AlmostFullHttpAbuse, WhoAsksNothingGoesBeforeWhoHasBegunToAsk) {
  auto asks = begin("GET /hello HTTP/1.1\r\nHo");
  auto idle = begin("");
  EXPECT_TRUE(serves());
  EXPECT_EQ(host_.run(read_all(*idle)), "");
  host_.run(asks->write("st: x\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(host_.run(read_all(*asks)), EndsWith("/hello"));
}

TEST_F(AlmostFullHttpAbuse, WhoAsksNothingForLongerGoesFirst) {
  auto first = begin("");
  auto second = begin(request("GET /hello HTTP/1.1", open_end));
  auto third = begin(request("GET /hello HTTP/1.1", open_end));
  EXPECT_EQ(host_.run(read_all(*first)), "");
  host_.run(second->write(request("GET /again HTTP/1.1", last_end)));
  EXPECT_THAT(host_.run(read_all(*second)), EndsWith("/again"));
}

async::task<void> fail_as_a_closed_socket_does() {
  throw boost::system::system_error{boost::asio::error::operation_aborted};
  co_return;
}
async::task<std::string> ask_with_few_descriptors(TestServer& host) {
  // UBSan needs descriptors for types it has not met before.
  co_await async::attempt(fail_as_a_closed_socket_does());
  const std::string hello = "GET /hello HTTP/1.0\r\n\r\n";
  auto early = co_await host.connect()();
  co_await early->write(hello);
  co_await read_all(*early);
  early.reset();
  auto idle = co_await host.connect()();
  co_await async::pause(Milliseconds{30});
  FewDescriptors few{1};
  auto late = co_await host.connect()();
  co_await late->write(hello);
  co_return co_await read_all(*late);
}
TEST_F(HttpAbuse, IdleConnectionsGiveTheirDescriptorsToWhoComesNext) {
  EXPECT_THAT(host_.run(ask_with_few_descriptors(host_)), EndsWith("/hello"));
}

/// A server with room for few.
class BusyHttpAbuse : public HttpAbuse {
 protected:
  BusyHttpAbuse() : HttpAbuse{ServerLimits{.connections_max = 50}} {}
};

TEST_F(BusyHttpAbuse, NoNumberOfIdleConnectionsKeepsAnybodyOut) {
  std::vector<std::unique_ptr<Stream>> idle;
  for (int i = 0; i < 500; ++i) {
    idle.push_back(host_.run(host_.connect()()));
    if (i % 2 == 0) host_.run(idle.back()->write("GET / HTTP/1.1\r\nX: "));
    if (i % 100 == 0) EXPECT_TRUE(serves()) << i;
  }
  EXPECT_TRUE(serves());
}

}  // namespace
}  // namespace gantry::net::http
