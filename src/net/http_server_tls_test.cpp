#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "net/endpoint.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "net/tls_certificates_fake.hpp"

#include <memory>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::net::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr Milliseconds head_limit{200};

async::task<void> tell_transport(Exchange& exchange) {
  if (exchange.request().target == "/large") {
    co_return co_await exchange.respond({}, std::string(3U << 20U, 'x'));
  }
  bool tls = exchange.peer().transport == Transport::tls;
  co_await exchange.respond({}, tls ? "over TLS" : "in plain");
}

class TlsHttpServer : public testing::Test {
 protected:
  explicit TlsHttpServer(ServerLimits limits = {.head = head_limit})
      : server_{loop_.executor(), limits, tell_transport} {
    port_ = value_or_throw(server_.listen_tls("127.0.0.1:0", [this] { return identity_; }));
    serving_.spawn("server", server_.run());
  }
  ~TlsHttpServer() override {
    loop_.run(server_.close(Milliseconds{100}));
    loop_.run(serving_.close());
  }
  Connect connect(std::string_view scheme) {
    auto endpoint =
        value_or_throw(Endpoint::parse(fmt::format("{}://127.0.0.1:{}", scheme, port_)));
    return dialer(loop_.executor(), endpoint, authority_.client());
  }
  std::string get(std::string target) {
    Client client{loop_.executor(), connect("tls"), "127.0.0.1"};
    return loop_.run(client.send({"GET", std::move(target), {}})).body;
  }
  static async::task<std::string> say(Connect connect, std::string bytes) {
    auto stream = co_await connect();
    co_await stream->write(bytes);
    std::string all;
    char piece[1'000];
    while (auto count = co_await stream->read_some(piece)) all.append(piece, count);
    co_return all;
  }

  async::TestLoop loop_;
  TestAuthority authority_;
  TlsServer identity_ = authority_.server();
  Server server_;
  std::uint16_t port_ = 0;
  async::TaskScope serving_{loop_.executor()};
};

TEST_F(TlsHttpServer, AnswersAndKnowsThatItIsTls) { EXPECT_EQ(get("/"), "over TLS"); }

TEST_F(TlsHttpServer, SendsALargeBody) { EXPECT_EQ(get("/large").size(), 3U << 20U); }

TEST_F(TlsHttpServer, SaysGoodbyeWhenItClosesAConnection) {
  auto answer = loop_.run(say(connect("tls"), "GET / HTTP/1.0\r\nHost: x\r\n\r\n"));
  EXPECT_THAT(answer, HasSubstr("over TLS"));
}

TEST_F(TlsHttpServer, UsesAnotherCertificateFromTheNextConnectionOn) {
  EXPECT_EQ(get("/"), "over TLS");
  identity_ = authority_.server({.alternatives = "DNS:other.example"});
  EXPECT_THROW(get("/"), Failure);
}

TEST_F(TlsHttpServer, TellsWhoSpeaksPlainHttpToUseTls) {
  auto answer = loop_.run(say(connect("tcp"), "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer, HasSubstr("https://"));
}

TEST_F(TlsHttpServer, ClosesAConnectionThatSaysNothing) {
  auto began = steady_now();
  EXPECT_EQ(loop_.run(say(connect("tcp"), "")), "");
  EXPECT_GE(steady_now() - began, head_limit);
  EXPECT_LT(steady_now() - began, Seconds{30});
}

TEST_F(TlsHttpServer, ClosesAConnectionThatStopsInTheMiddleOfItsHello) {
  auto began = steady_now();
  EXPECT_EQ(loop_.run(say(connect("tcp"), "\x16\x03\x01")), "");
  EXPECT_GE(steady_now() - began, head_limit);
  EXPECT_LT(steady_now() - began, Seconds{30});
}

/// A server with room for two, and patience.
class FullTlsHttpServer : public TlsHttpServer {
 protected:
  FullTlsHttpServer() : TlsHttpServer{{.connections_max = 2}} {}
};

TEST_F(FullTlsHttpServer, GivesUpHandshakesThatStandStillForWhoComesNext) {
  std::vector<std::unique_ptr<Stream>> still;
  for (const auto* said : {"", "\x16", "\x16\x03\x01\x02", "\x16\x03\x01"}) {
    still.push_back(loop_.run(connect("tcp")()));
    loop_.run(still.back()->write(said));
    loop_.run(async::pause(Milliseconds{30}));
    EXPECT_EQ(get("/"), "over TLS") << still.size();
  }
}

TEST_F(TlsHttpServer, ServesOnAfterHellosThatAreNone) {
  for (const auto& hello :
       {"\x16\x03\x01\x02\x00" + std::string(512, 'x'), "\x16" + std::string(600, '\xff'),
        std::string{"\x16\x03\x01\x00\x00", 5},
        std::string{"\x16\x03\x03\x40\x01", 5} + std::string(20'000, '\0')}) {
    auto said = loop_.run(async::attempt(say(connect("tcp"), hello)));
    // At most an alert (RFC 8446, 6), in the clear.
    EXPECT_TRUE(!said || said->empty() || said->front() == 0x15);
    EXPECT_EQ(get("/"), "over TLS");
  }
}

}  // namespace
}  // namespace gantry::net::http
