#include "net/websocket.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "net/http_server_fake.hpp"
#include "net/websocket_frames.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::net {
namespace {

using testing::StartsWith;

async::task<void> echo(http::Exchange& exchange) {
  auto socket = co_await exchange.accept_websocket(
      {.message_max = Bytes{1000}, .keep_alive = Milliseconds{400}});
  while (auto message = co_await socket.receive()) {
    if (message->data == "leave") co_return co_await socket.close(1001, "as you like");
    co_await socket.send(message->kind, message->data);
  }
}

class WebSockets : public testing::Test {
 protected:
  http::TestServer host_{[](http::Exchange& exchange) { return echo(exchange); }};
};

async::task<WebSocket> open(http::TestServer& host) {
  co_return co_await websocket_connect(co_await host.connect()(), "localhost", "/live",
                                       "http://localhost", {});
}

async::task<void> converse(http::TestServer& host) {
  auto socket = co_await open(host);
  co_await socket.send(WebSocket::Kind::text, "hällo");
  auto text = co_await socket.receive();
  EXPECT_EQ(text->data, "hällo");
  EXPECT_EQ(text->kind, WebSocket::Kind::text);
  co_await socket.send(WebSocket::Kind::binary, std::string(900, '\xff'));
  auto binary = co_await socket.receive();
  EXPECT_EQ(binary->data.size(), 900U);
  EXPECT_EQ(binary->kind, WebSocket::Kind::binary);
  co_await socket.close(1000, "done");
}
TEST_F(WebSockets, CarryTextAndBinaryMessages) { host_.run(converse(host_)); }

async::task<void> be_closed(http::TestServer& host) {
  auto socket = co_await open(host);
  co_await socket.send(WebSocket::Kind::text, "leave");
  EXPECT_FALSE(co_await socket.receive());
  EXPECT_FALSE(co_await socket.receive());
}
TEST_F(WebSockets, EndWithNothingWhenThePeerSaysGoodBye) { host_.run(be_closed(host_)); }

async::task<void> stay_silent(http::TestServer& host) {
  auto socket = co_await open(host);
  auto quiet = co_await async::attempt(async::with_deadline(
      Milliseconds{1'500}, "listening",
      [](WebSocket& it) -> async::task<void> { co_await it.receive(); }(socket)));
  EXPECT_EQ(quiet.error().kind, ErrorKind::timed_out);
  co_await socket.send(WebSocket::Kind::text, "still here");
  EXPECT_EQ((co_await socket.receive())->data, "still here");
}
TEST_F(WebSockets, KeepASilentPeerThatAnswersPings) { host_.run(stay_silent(host_)); }

std::string handshake(std::string_view fields) {
  return fmt::format("GET /live HTTP/1.1\r\nHost: x\r\n{}\r\n", fields);
}
constexpr std::string_view key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string good = fmt::format(
    "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n{}",
    key);

TEST_F(WebSockets, AnswerTheHandshakeOfTheRfc) {
  auto answer = host_.run(host_.say(handshake(good)));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 Switching Protocols\r\n"));
  EXPECT_THAT(answer, testing::HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
}

TEST_F(WebSockets, DropAPeerThatAnswersNoPing) {
  auto answer = host_.run(host_.say(handshake(good)));
  EXPECT_THAT(answer, testing::EndsWith(websocket_frame(Opcode::ping, "", std::nullopt)));
}

TEST_F(WebSockets, RefuseAHandshakeThatIsNone) {
  auto answer = [&](std::string_view fields) {
    return host_.run(host_.say(handshake(fields))).substr(9, 3);
  };
  EXPECT_EQ(answer(""), "426");
  EXPECT_EQ(answer("Connection: Upgrade\r\nUpgrade: h2c\r\n"), "426");
  EXPECT_EQ(answer(fmt::format("Connection: Upgrade\r\nUpgrade: websocket\r\n"
                               "Sec-WebSocket-Version: 12\r\n{}",
                               key)),
            "426");
  EXPECT_EQ(answer("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
            "400");
  EXPECT_EQ(answer(good + std::string{key}), "400");
  EXPECT_EQ(answer("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: short\r\n"),
            "400");
  EXPECT_EQ(answer(good + "Content-Length: 3\r\n"), "400");
}

TEST_F(WebSockets, TakeNoExtension) {
  auto answer = host_.run(host_.say(handshake(
      good + "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: x\r\n")));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(answer, testing::Not(testing::HasSubstr("Sec-WebSocket-Extensions")));
  EXPECT_THAT(answer, testing::Not(testing::HasSubstr("Sec-WebSocket-Protocol")));
}

struct Breach {
  std::string name;
  std::string bytes;
  std::uint16_t code;
};

std::string masked(Opcode opcode, std::string_view payload) {
  return websocket_frame(opcode, payload, 0x12345678U);
}
std::string with_first_byte(std::string frame, unsigned byte) {
  frame[0] = static_cast<char>(byte);
  return frame;
}

std::vector<Breach> breaches() {
  auto hello = masked(Opcode::text, "hello");
  return {
      {"unmasked", websocket_frame(Opcode::text, "hello", std::nullopt), 1002},
      {"reserved_bit", with_first_byte(hello, 0xc1), 1002},
      {"reserved_opcode", with_first_byte(hello, 0x83), 1002},
      {"reserved_control_opcode", with_first_byte(hello, 0x8b), 1002},
      {"fragmented_ping", with_first_byte(masked(Opcode::ping, ""), 0x09), 1002},
      {"long_ping", masked(Opcode::ping, std::string(126, 'x')), 1002},
      {"nothing_to_continue", masked(Opcode::continuation, "x"), 1002},
      {"message_inside_a_message", with_first_byte(hello, 0x01) + hello, 1002},
      {"message_over_the_cap", masked(Opcode::text, std::string(1001, 'x')), 1009},
      {"fragments_over_the_cap",
       with_first_byte(masked(Opcode::text, std::string(600, 'x')), 0x01) +
           masked(Opcode::continuation, std::string(401, 'x')),
       1009},
      {"length_of_2_to_the_63", std::string{"\x81\xff\x80\0\0\0\0\0\0\0", 10} + "mask", 1009},
      {"bad_utf8", masked(Opcode::text, "\xc0\xaf"), 1007},
      {"bad_utf8_over_fragments",
       with_first_byte(masked(Opcode::text, "\xce"), 0x01) + masked(Opcode::continuation, "\xce"),
       1007},
      {"close_of_one_byte", masked(Opcode::close, "x"), 1002},
      {"close_0", masked(Opcode::close, close_payload(0, "")), 1002},
      {"close_999", masked(Opcode::close, close_payload(999, "")), 1002},
      {"close_1005", masked(Opcode::close, close_payload(1005, "")), 1002},
      {"close_1006", masked(Opcode::close, close_payload(1006, "")), 1002},
      {"close_1015", masked(Opcode::close, close_payload(1015, "")), 1002},
      {"close_5000", masked(Opcode::close, close_payload(5000, "")), 1002},
      {"close_with_bad_utf8", masked(Opcode::close, close_payload(1000, "\xff")), 1007},
  };
}

class WebSocketBreach : public WebSockets, public testing::WithParamInterface<Breach> {};

TEST_P(WebSocketBreach, IsAnsweredWithItsCloseCode) {
  auto answer = host_.run(host_.say(handshake(good) + GetParam().bytes));
  auto frame = answer.substr(answer.find("\r\n\r\n") + 4);
  ASSERT_GE(frame.size(), 4U);
  EXPECT_EQ(frame[0], '\x88');
  EXPECT_EQ(frame.substr(2, 2), close_payload(GetParam().code, ""));
}

INSTANTIATE_TEST_SUITE_P(Frames, WebSocketBreach, testing::ValuesIn(breaches()),
                         [](const auto& instance) { return instance.param.name; });

TEST_F(WebSockets, AnswerEveryPingAndThenTheNextMessage) {
  std::string bytes = handshake(good);
  for (int i = 0; i < 20'000; ++i) bytes += masked(Opcode::ping, "p");
  auto answer = host_.run(host_.say(bytes + masked(Opcode::text, "leave")));
  auto frames = answer.substr(answer.find("\r\n\r\n") + 4);
  auto pong = websocket_frame(Opcode::pong, "p", std::nullopt);
  ASSERT_EQ(frames.size() / pong.size(), 20'000U + 5);
  EXPECT_EQ(frames.substr(0, pong.size()), pong);
  EXPECT_THAT(frames, testing::EndsWith("as you like"));
}

async::task<std::string> finish_after(http::TestServer& host, std::string bytes) {
  auto stream = co_await host.connect()();
  co_await stream->write(bytes);
  stream->finish_writing();
  std::string answer;
  char piece[512];
  while (auto count = co_await stream->read_some(piece)) answer.append(piece, count);
  co_return answer;
}
TEST_F(WebSockets, EndWhenThePeerHasFinishedWriting) {
  auto ended = finish_after(host_, handshake(good) + masked(Opcode::text, "x"));
  EXPECT_THAT(host_.run(std::move(ended)),
              testing::EndsWith(websocket_frame(Opcode::text, "x", std::nullopt)));
}

async::task<void> tell_without_end(http::Exchange& exchange, bool& ended) {
  auto socket = co_await exchange.accept_websocket({.write = Milliseconds{80}});
  auto told = co_await async::attempt([](WebSocket& it) -> async::task<void> {
    for (;;) co_await it.send(WebSocket::Kind::binary, std::string(60'000, 'x'));
  }(socket));
  ended = !told;
}
TEST(WebSocketFlood, EndsForAPeerThatDoesNotRead) {
  bool ended = false;
  http::TestServer host{
      [&](http::Exchange& exchange) { return tell_without_end(exchange, ended); }};
  auto stream = host.run(host.connect()());
  host.run(stream->write(handshake(good)));
  host.run(async::until([&] { return ended; }));
}

TEST(WebSocketReader, PutsFragmentsTogetherAroundAPing) {
  WebSocketReader reader{WebSocketRole::server, Bytes{100}};
  auto bytes = with_first_byte(masked(Opcode::text, "hel"), 0x01) + masked(Opcode::ping, "p") +
               masked(Opcode::continuation, "lo");
  for (char byte : bytes) ASSERT_FALSE(reader.feed({&byte, 1}));
  EXPECT_EQ(reader.next()->data, "p");
  EXPECT_EQ(reader.next()->data, "hello");
  EXPECT_FALSE(reader.next());
}

TEST(WebSocketReader, TakesAMillionEmptyFragmentsWithoutGrowing) {
  WebSocketReader reader{WebSocketRole::server, Bytes{100}};
  ASSERT_FALSE(reader.feed(with_first_byte(masked(Opcode::text, ""), 0x01)));
  auto empty = with_first_byte(masked(Opcode::continuation, ""), 0x00);
  for (int i = 0; i < 1'000'000; ++i) ASSERT_FALSE(reader.feed(empty));
  EXPECT_FALSE(reader.next());
}

TEST(WebSocketReader, ReadsFramesOfEveryLengthForm) {
  for (std::size_t size : {0U, 125U, 126U, 65535U, 65536U, 100'000U}) {
    WebSocketReader reader{WebSocketRole::client, Bytes{1U << 20U}};
    auto frame = websocket_frame(Opcode::binary, std::string(size, 'x'), std::nullopt);
    ASSERT_FALSE(reader.feed(frame));
    EXPECT_EQ(reader.next()->data.size(), size);
  }
}

}  // namespace
}  // namespace gantry::net
