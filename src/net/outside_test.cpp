#include "net/outside.hpp"

#include "async/attempt.hpp"
#include "async/testing_fake.hpp"

#include <gtest/gtest.h>

namespace gantry::net {
namespace {

Error refusal(std::string host) {
  auto dialled =
      async::run_test(async::attempt(outside_dialer(std::move(host), 9, Reach::public_only)()));
  return dialled ? Error{} : dialled.error();
}

TEST(Outside, AddressesOfTheInternetArePublic) {
  for (const auto* address : {"1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1",
                              "2606:4700:4700::1111", "2a00:1450:4001::1"}) {
    EXPECT_TRUE(is_public(address)) << address;
  }
}

TEST(Outside, AllOthersAreNot) {
  for (const auto* address : {"0.0.0.0",
                              "0.1.2.3",
                              "10.0.0.1",
                              "100.64.0.1",
                              "127.0.0.1",
                              "127.255.0.9",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.1",
                              "192.168.1.1",
                              "198.18.0.1",
                              "198.19.9.9",
                              "203.0.113.7",
                              "224.0.0.1",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::ffff:127.0.0.1",
                              "::ffff:1.1.1.1",
                              "64:ff9b::7f00:1",
                              "2002:7f00:1::",
                              "2001::1",
                              "2001:db8::1",
                              "3fff::1",
                              "fc00::1",
                              "fd12::1",
                              "fe80::1",
                              "fe80::1%1",
                              "fec0::1",
                              "ff02::1"}) {
    EXPECT_FALSE(is_public(address)) << address;
  }
}

TEST(Outside, NamesAreNoAddresses) { EXPECT_FALSE(is_public("example.org")); }

TEST(Outside, WhatIsNotPublicIsNotDialledHoweverItIsWritten) {
  for (const auto* host : {"127.0.0.1", "127.1", "0", "0x7f000001", "2130706433", "017700000001",
                           "::1", "::ffff:127.0.0.1", "localhost"}) {
    EXPECT_EQ(refusal(host).code, "address_refused") << host;
  }
}

TEST(Outside, WhoMayGoAnywhereIsToldThatNobodyListens) {
  auto dialled = async::run_test(async::attempt(outside_dialer("127.0.0.1", 1, Reach::anything)()));
  ASSERT_FALSE(dialled);
  EXPECT_EQ(dialled.error().code, "unreachable");
}

}  // namespace
}  // namespace gantry::net
