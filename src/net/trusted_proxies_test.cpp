#include "net/trusted_proxies.hpp"

#include "net/http_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::net::http {
namespace {

Peer from(std::string address) {
  return {.address = std::move(address),
          .listener_port = 5920,
          .listener = Peer::Listener::loopback,
          .transport = Transport::plain};
}

Peer origin(std::string connected, Headers headers) {
  static const auto proxies =
      value_or_throw(TrustedProxies::parse({"127.0.0.1", "10.0.0.0/8", "fd00::/8"}));
  return proxies.origin(from(std::move(connected)), {"GET", "/", std::move(headers)});
}

TEST(TrustedProxies, AProxysWordIsTaken) {
  auto peer =
      origin("127.0.0.1", {{"X-Forwarded-For", "203.0.113.7"}, {"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(peer.address, "203.0.113.7");
  EXPECT_EQ(peer.transport, Transport::tls);
  EXPECT_EQ(peer.listener, Peer::Listener::open);
}

TEST(TrustedProxies, AnybodyElsesWordMeansNothing) {
  auto peer =
      origin("192.0.2.9", {{"X-Forwarded-For", "127.0.0.1"}, {"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(peer.address, "192.0.2.9");
  EXPECT_EQ(peer.transport, Transport::plain);
  EXPECT_EQ(peer.listener, Peer::Listener::loopback);
}

TEST(TrustedProxies, WhatAClientPutBeforeItsOwnAddressMeansNothing) {
  EXPECT_EQ(origin("127.0.0.1", {{"X-Forwarded-For", "8.8.8.8, 203.0.113.7"}}).address,
            "203.0.113.7");
  EXPECT_EQ(
      origin("127.0.0.1", {{"X-Forwarded-For", "8.8.8.8"}, {"X-Forwarded-For", "203.0.113.7"}})
          .address,
      "203.0.113.7");
}

TEST(TrustedProxies, ChainsOfProxiesAreFollowed) {
  EXPECT_EQ(origin("127.0.0.1", {{"X-Forwarded-For", "203.0.113.7, 10.1.2.3, fd00::5"}}).address,
            "203.0.113.7");
  EXPECT_EQ(origin("::ffff:127.0.0.1", {{"X-Forwarded-For", "203.0.113.7"}}).address,
            "203.0.113.7");
}

TEST(TrustedProxies, AListThatIsTooLongIsReadFromItsEnd) {
  std::string list;
  for (int i = 0; i < 40; ++i) list += "127.0.0.1, ";
  auto peer = origin("127.0.0.1", {{"X-Forwarded-For", list + "203.0.113.7"}});
  EXPECT_EQ(peer.address, "203.0.113.7");
  EXPECT_EQ(peer.listener, Peer::Listener::open);
  EXPECT_EQ(origin("127.0.0.1", {{"X-Forwarded-For", list + "10.0.0.1"}}).listener,
            Peer::Listener::open)
      << "though nobody but proxies is named";
}

TEST(TrustedProxies, PortsAndBracketsAreRead) {
  EXPECT_EQ(origin("10.0.0.1", {{"X-Forwarded-For", "203.0.113.7:4711"}}).address, "203.0.113.7");
  EXPECT_EQ(origin("10.0.0.1", {{"X-Forwarded-For", "[2001:db8::1]:4711"}}).address, "2001:db8::1");
  EXPECT_EQ(origin("10.0.0.1", {{"X-Forwarded-For", "2001:db8::1"}}).address, "2001:db8::1");
}

TEST(TrustedProxies, WhatCanNotBeReadEndsTheChain) {
  EXPECT_EQ(origin("10.0.0.1", {{"X-Forwarded-For", "203.0.113.7, unknown"}}).address, "10.0.0.1");
  EXPECT_EQ(origin("10.0.0.1", {{"X-Forwarded-For", "unknown, 10.0.0.2"}}).address, "10.0.0.2");
}

TEST(TrustedProxies, WithoutTheHeaderItIsTheProxyItself) {
  auto peer = origin("127.0.0.1", {{"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(peer.address, "127.0.0.1");
  EXPECT_EQ(peer.transport, Transport::plain);
  EXPECT_EQ(peer.listener, Peer::Listener::loopback);
}

TEST(TrustedProxies, NoneTrustNobody) {
  EXPECT_EQ(TrustedProxies{}
                .origin(from("127.0.0.1"), {"GET", "/", {{"X-Forwarded-For", "8.8.8.8"}}})
                .address,
            "127.0.0.1");
}

TEST(TrustedProxies, WhatIsNoNetworkIsRefused) {
  for (const auto* text : {"proxy.example", "10.0.0.0/33", "10.0.0.0/", "::1/129", "/8", ""}) {
    auto parsed = TrustedProxies::parse({text});
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, "bad_setting");
  }
}

}  // namespace
}  // namespace gantry::net::http
