// Our TLS against what everybody else's is: OpenSSL's own server, and curl.
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/process.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "net/endpoint.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "net/tls_certificates_fake.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

async::task<void> greet(net::http::Exchange& exchange) {
  co_await exchange.respond({}, "hello over TLS");
}

class TlsOfOthers : public testing::Test {
 protected:
  TlsOfOthers() {
    std::string name = fs::temp_directory_path() / "gantry-tls-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    auto identity = authority_.issue();
    std::ofstream{folder_ / "ca.pem"} << authority_.certificate();
    std::ofstream{folder_ / "cert.pem"} << identity.certificates;
    std::ofstream{folder_ / "key.pem"} << identity.key.reveal();
  }
  ~TlsOfOthers() override { fs::remove_all(folder_); }

  std::string file(const char* name) const { return folder_ / name; }

  async::TestLoop loop_;
  net::TestAuthority authority_;
  fs::path folder_;
};

class Curl : public TlsOfOthers {
 protected:
  Curl() {
    port_ = value_or_throw(server_.listen_tls("127.0.0.1:0", [this] { return certificate_; }));
    serving_.spawn("server", server_.run());
  }
  ~Curl() override {
    loop_.run(server_.close(Milliseconds{100}));
    loop_.run(serving_.close());
  }
  async::ProcessOutcome curl(std::vector<std::string> arguments) {
    std::vector<std::string> argv{"curl", "--silent", "--show-error", "--max-time", "10"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.push_back(fmt::format("https://localhost:{}/", port_));
    return value_or_throw(loop_.run(async::run_process({.argv = argv, .env = {}}, 4'096)));
  }

  net::TlsServer certificate_ = authority_.server();
  net::http::Server server_{loop_.executor(), {}, greet};
  std::uint16_t port_ = 0;
  async::TaskScope serving_{loop_.executor()};
};

TEST_F(Curl, IsAnsweredWhenItTrustsOurAuthority) {
  auto answer = curl({"--cacert", file("ca.pem")});
  EXPECT_TRUE(answer.status.success()) << answer.output;
  EXPECT_EQ(answer.output, "hello over TLS");
}

TEST_F(Curl, IsAnsweredInVersion12AndRefusedBelow) {
  EXPECT_EQ(curl({"--cacert", file("ca.pem"), "--tls-max", "1.2"}).output, "hello over TLS");
  auto old = curl({"--cacert", file("ca.pem"), "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0"});
  EXPECT_EQ(old.status.code, 35) << old.output;
}

TEST_F(Curl, RefusesUsWhenItDoesNotTrustOurAuthority) { EXPECT_EQ(curl({}).status.code, 60); }

class OpensslServer : public TlsOfOthers {
 protected:
  /// Starts it and answers its port.
  std::string start(std::vector<std::string> arguments) {
    std::vector<std::string> argv{"openssl",     "s_server",      "-accept",
                                  "127.0.0.1:0", "-cert",         file("cert.pem"),
                                  "-key",        file("key.pem"), "-www"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    auto started = async::Process::start(loop_.executor(), {.argv = argv, .env = {}});
    server_.emplace(std::move(started.value()));
    return loop_.run(async::with_deadline(Seconds{10}, "starting openssl", read_port(*server_)));
  }
  /// From its line `ACCEPT 127.0.0.1:40123`.
  static async::task<std::string> read_port(async::Process& server) {
    std::string said;
    char piece[1'000];
    for (;;) {
      auto accept = said.find("ACCEPT 127.0.0.1:");
      auto end = said.find('\n', accept == said.npos ? said.size() : accept);
      if (end != said.npos) co_return said.substr(accept + 17, end - accept - 17);
      auto count = co_await server.read_some(piece);
      if (count == 0) throw std::runtime_error{said};
      said.append(piece, count);
    }
  }
  Result<net::http::Response> get(const std::string& port, net::TlsClient client) {
    auto endpoint = value_or_throw(net::Endpoint::parse("tls://localhost:" + port));
    net::http::Client http{loop_.executor(),
                           net::dialer(loop_.executor(), endpoint, std::move(client)), "localhost"};
    return loop_.run(async::attempt(http.send({"GET", "/", {}})));
  }

  std::optional<async::Process> server_;
};

TEST_F(OpensslServer, AnswersUs) {
  auto answer = get(start({}), authority_.client());
  ASSERT_TRUE(answer) << answer.error().sentence();
  EXPECT_THAT(answer->body, HasSubstr("TLSv1.3"));
}

TEST_F(OpensslServer, AnswersUsInVersion12WithACipherOfOurs) {
  auto answer = get(start({"-tls1_2"}), authority_.client());
  ASSERT_TRUE(answer) << answer.error().sentence();
  EXPECT_THAT(answer->body, HasSubstr("ECDHE-"));
}

TEST_F(OpensslServer, GetsOurCertificateWhereItWantsOne) {
  auto port = start({"-Verify", "1", "-CAfile", file("ca.pem"), "-verify_return_error"});
  EXPECT_FALSE(get(port, authority_.client()));
  auto client = net::TlsClient::make({.system = net::SystemAuthorities::ignored,
                                      .authorities = authority_.certificate(),
                                      .identity = authority_.issue()});
  auto answer = get(port, client.value());
  EXPECT_TRUE(answer) << answer.error().sentence();
}

TEST_F(OpensslServer, IsNotTrustedWithoutItsAuthority) {
  auto answer = get(start({}), net::TlsClient::make({}).value());
  EXPECT_EQ(answer.error().code, "tls_unknown_authority");
}

}  // namespace
}  // namespace gantry
