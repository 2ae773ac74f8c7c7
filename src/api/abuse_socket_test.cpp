#include "api/routes.hpp"
#include "api/testing_fake.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Handshakes of WebSockets that no page of ours makes, on every route that takes one.
namespace gantry::api {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view good_fields =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

class AbuseSocketTest : public testing::Test {
 protected:
  AbuseSocketTest() {
    server_.sandbox().hold();
    auto started = server_.ask("POST", "/api/v1/executions",
                               R"({"language":"python","source":"1","interactive":true})");
    auto stream =
        fmt::format("/api/v1/executions/{}/stream", object_of(started)["id"].as_string().c_str());
    targets_ = {"/api/v1/live", stream, "/api/v1/terminals/none", "/api/v2/connect",
                "/api/v2/piston/connect"};
  }
  ~AbuseSocketTest() override { EXPECT_TRUE(server_.daemon().requests().empty()); }

  std::string knock(std::string_view target, std::string_view fields) {
    return server_.send_raw(
        fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", target, server_.host(), fields));
  }
  std::string cookie_line() { return fmt::format("Cookie: {}\r\n", server_.cookie()); }
  std::string token_line() {
    return fmt::format("Authorization: Bearer {}\r\n", server_.access().local_token().reveal());
  }

  TestServer server_;
  std::vector<std::string> targets_;
};

TEST_F(AbuseSocketTest, EveryUpgradeAsksWhereItComesFrom) {
  auto port = server_.port();
  const std::vector<std::string> foreign{
      "null",
      "http://evil.example",
      fmt::format("http://127.0.0.1:{}.evil.example", port),
      fmt::format("http://127.0.0.1.evil.example:{}", port),
      fmt::format("https://127.0.0.1:{}", port),
      fmt::format("http://127.0.0.1:{}", port == 1 ? 2 : port - 1),
      "http://127.0.0.1",
      fmt::format("http://localhost:{}", port),
      fmt::format("http://ada@127.0.0.1:{}", port),
      fmt::format("http://127.0.0.1:{}/", port),
      fmt::format("http://127.0.0.1:{}, http://evil.example", port),
      "",
  };
  auto cookie = cookie_line();
  for (const auto& target : targets_) {
    for (const auto& origin : foreign) {
      for (const auto& who : {cookie, token_line(), std::string{}}) {
        auto answer = knock(target, fmt::format("{}{}Origin: {}\r\n", good_fields, who, origin));
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 403 ")) << target << ' ' << origin;
        EXPECT_THAT(answer, HasSubstr("from another site"));
      }
    }
    auto ours = fmt::format("Origin: http://127.0.0.1:{}\r\n", port);
    EXPECT_THAT(knock(target, std::string{good_fields} + cookie + ours + ours),
                StartsWith("HTTP/1.1 403 "))
        << target;
    EXPECT_THAT(knock(target, std::string{good_fields} + cookie),
                HasSubstr("does not say where it comes from"))
        << target;
    EXPECT_THAT(knock(target, good_fields), StartsWith("HTTP/1.1 401 ")) << target;
  }
}

TEST_F(AbuseSocketTest, OurOwnPageIsLetIn) {
  auto fields = fmt::format("{}{}Origin: http://127.0.0.1:{}\r\n", good_fields, cookie_line(),
                            server_.port());
  EXPECT_THAT(knock("/api/v1/live", fields), StartsWith("HTTP/1.1 101 "));
}

TEST_F(AbuseSocketTest, ACredentialInTheAddressIsNone) {
  for (const auto& target : targets_) {
    for (const auto* name : {"token", "ticket", "access_token"}) {
      auto asked = fmt::format("{}?{}={}", target, name, server_.access().local_token().reveal());
      EXPECT_THAT(knock(asked, good_fields), StartsWith("HTTP/1.1 400 ")) << asked;
    }
  }
}

TEST_F(AbuseSocketTest, NothingIsCompressed) {
  auto fields = fmt::format(
      "{}{}Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=15, "
      "x-webkit-deflate-"
      "frame\r\nSec-WebSocket-Protocol: evil\r\n",
      good_fields, token_line());
  auto answer = knock("/api/v1/live", fields);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(answer, Not(HasSubstr("Sec-WebSocket-Extensions")));
  EXPECT_THAT(answer, Not(HasSubstr("Sec-WebSocket-Protocol")));
}

TEST_F(AbuseSocketTest, WhatIsNoHandshakeIsRefused) {
  auto without = [](std::string_view field) {
    std::string fields{good_fields};
    auto begin = fields.find(field);
    fields.erase(begin, fields.find("\r\n", begin) + 2 - begin);
    return fields;
  };
  auto token = token_line();
  for (const auto& target : {targets_[0], targets_[1]}) {
    for (const auto& fields :
         {without("Sec-WebSocket-Key"), without("Sec-WebSocket-Version"), without("Upgrade: "),
          std::string{good_fields} + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
          without("Sec-WebSocket-Version") + "Sec-WebSocket-Version: 12\r\n",
          std::string{good_fields} + "Content-Length: 3\r\n"}) {
      auto answer = knock(target, fields + token);
      EXPECT_THAT(answer, StartsWith("HTTP/1.1 4")) << target << '\n' << fields;
    }
  }
}

}  // namespace
}  // namespace gantry::api
