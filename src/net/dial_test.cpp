#include "async/attempt.hpp"
#include "async/race.hpp"
#include "async/testing_fake.hpp"
#include "net/endpoint.hpp"
#include "net/socket_stream.hpp"
#include "net/tls_certificates_fake.hpp"

#include <filesystem>
#include <fstream>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::net {
namespace {

namespace asio = boost::asio;

class Dialer : public testing::Test {
 public:
  Dialer() {
    std::string name = std::filesystem::temp_directory_path() / "gantry-dial-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~Dialer() override { std::filesystem::remove_all(folder_); }

 protected:
  std::string socket() const { return folder_ / "engine.sock"; }
  Result<std::unique_ptr<Stream>> dial(std::string_view endpoint) {
    auto connect = dialer(loop_.executor(), *Endpoint::parse(endpoint));
    return loop_.run(async::attempt(connect()));
  }
  std::string code(std::string_view endpoint) {
    auto stream = dial(endpoint);
    return stream ? "connected" : stream.error().code;
  }

  async::TestLoop loop_;
  std::filesystem::path folder_;
};

TEST_F(Dialer, ConnectsToAUnixSocket) {
  asio::local::stream_protocol::acceptor acceptor{loop_.executor(), socket()};
  EXPECT_EQ(code("unix://" + socket()), "connected");
}

TEST_F(Dialer, ConnectsToATcpPort) {
  asio::ip::tcp::acceptor acceptor{loop_.executor(), {asio::ip::address_v4::loopback(), 0}};
  auto port = std::to_string(acceptor.local_endpoint().port());
  EXPECT_EQ(code("tcp://127.0.0.1:" + port), "connected");
  EXPECT_EQ(code("tcp://localhost:" + port), "connected");
}

async::task<void> accept_tls(asio::ip::tcp::acceptor& acceptor, TlsServer server) {
  auto socket = co_await acceptor.async_accept(asio::use_awaitable);
  auto stream = co_await tls_accept(socket_stream(std::move(socket)), std::move(server));
  co_await stream->write("hello");
}

async::task<void> read_hello(Connect connect, std::string& heard) {
  auto stream = co_await connect();
  char piece[100];
  while (auto count = co_await stream->read_some(piece)) heard.append(piece, count);
}

TEST_F(Dialer, SpeaksTlsWithAnEndpointThatDoes) {
  asio::ip::tcp::acceptor acceptor{loop_.executor(), {asio::ip::address_v4::loopback(), 0}};
  auto endpoint =
      *Endpoint::parse(fmt::format("tls://127.0.0.1:{}", acceptor.local_endpoint().port()));
  TestAuthority authority;
  std::string heard;
  loop_.run(async::both(accept_tls(acceptor, authority.server()),
                        read_hello(dialer(loop_.executor(), endpoint, authority.client()), heard)));
  EXPECT_EQ(heard, "hello");
}

TEST_F(Dialer, TrustsOnlyTheSystemsAuthoritiesWhenNobodyNamedOthers) {
  asio::ip::tcp::acceptor acceptor{loop_.executor(), {asio::ip::address_v4::loopback(), 0}};
  auto endpoint =
      *Endpoint::parse(fmt::format("tls://127.0.0.1:{}", acceptor.local_endpoint().port()));
  std::string heard;
  auto refused =
      loop_.run(async::attempt(async::both(read_hello(dialer(loop_.executor(), endpoint), heard),
                                           accept_tls(acceptor, TestAuthority{}.server()))));
  EXPECT_EQ(refused.error().code, "tls_unknown_authority");
}

TEST_F(Dialer, SaysThatTheSocketDoesNotExist) {
  EXPECT_EQ(code("unix://" + socket()), "socket_missing");
}

TEST_F(Dialer, SaysThatNobodyListensOnTheSocket) {
  {
    asio::local::stream_protocol::acceptor gone{loop_.executor(), socket()};
  }
  EXPECT_EQ(code("unix://" + socket()), "not_listening");
}

TEST_F(Dialer, SaysThatAFileOrAFolderIsNotASocket) {
  std::ofstream{socket()} << "not a socket";
  EXPECT_EQ(code("unix://" + socket()), "not_a_socket");
  EXPECT_EQ(code("unix://" + folder_.string()), "not_a_socket");
}

TEST_F(Dialer, SaysThatNobodyListensOnThePort) {
  asio::ip::tcp::acceptor acceptor{loop_.executor(), {asio::ip::address_v4::loopback(), 0}};
  auto port = std::to_string(acceptor.local_endpoint().port());
  acceptor.close();
  EXPECT_EQ(code("tcp://127.0.0.1:" + port), "not_listening");
}

TEST_F(Dialer, SaysThatThePermissionsOfTheSocketForbidIt) {
  asio::local::stream_protocol::acceptor acceptor{loop_.executor(), socket()};
  ::chmod(socket().c_str(), 0600);
  ::chmod(folder_.c_str(), 0755);
  if (::geteuid() != 0) GTEST_SKIP() << "needs to begin as root, to become somebody else";
  ASSERT_EQ(::seteuid(65534), 0);
  auto answered = code("unix://" + socket());
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(answered, "socket_permission");
}

TEST_F(Dialer, CallsEveryOtherTroubleUnreachable) {
  // Nobody routes to a group of machines by TCP.
  EXPECT_EQ(code("tcp://224.0.0.1:1"), "unreachable");
}

TEST_F(Dialer, NamesTheEndpointAndARemedy) {
  auto stream = dial("unix://" + socket());
  ASSERT_FALSE(stream);
  EXPECT_NE(stream.error().message.find(socket()), std::string::npos);
  EXPECT_FALSE(stream.error().remedy.empty());
}

}  // namespace
}  // namespace gantry::net
