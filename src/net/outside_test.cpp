#include "net/outside.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/testing_fake.hpp"
#include "net/few_descriptors_fake.hpp"

#include <filesystem>
#include <fstream>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace gantry::net {
namespace {

namespace asio = boost::asio;

async::task<void> connect_only(Connect connect) { co_await connect(); }

Error refusal(Outside outside) {
  auto dialled = async::run_test(async::attempt(connect_only(outside_dialer(std::move(outside)))));
  return dialled ? Error{} : dialled.error();
}
Error refusal(std::string host) { return refusal(Outside{.host = std::move(host), .port = 9}); }

/// A program that answers names as the test says, and remembers that it was asked.
class Resolver {
 public:
  explicit Resolver(std::string_view script) {
    std::string name = std::filesystem::temp_directory_path() / "gantry-names-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    std::ofstream{program()} << "#!/bin/sh\necho \"$@\" >> " << log().string() << "\n" << script;
    ::chmod(program().c_str(), 0755);
  }
  ~Resolver() { std::filesystem::remove_all(folder_); }
  std::vector<std::string> command() const { return {program()}; }
  std::string asked() const {
    std::ifstream file{log()};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

 private:
  std::filesystem::path program() const { return folder_ / "resolver"; }
  std::filesystem::path log() const { return folder_ / "log"; }
  std::filesystem::path folder_;
};

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

TEST(Outside, ThisMachineKnowsItsOwnAddresses) {
  EXPECT_TRUE(is_own("127.0.0.1"));
  EXPECT_FALSE(is_own("1.1.1.1"));
  EXPECT_FALSE(is_own("localhost"));
}

TEST(Outside, NothingIsJudgedWhileTheOwnAddressesAreUnknown) {
  EXPECT_TRUE(is_own("127.0.0.1"));
  // UBSan looks at a type that it has not met through a pipe, which can not be had below.
  EXPECT_EQ((Failure{{ErrorKind::internal, "met", "met", {}}}).error().code, "met");
  std::string code;
  try {
    FewDescriptors none{0};
    is_own("1.1.1.1");
  } catch (const Failure& failure) {
    code = failure.error().code;
  }
  EXPECT_EQ(code, "own_addresses_unknown");
}

TEST(Outside, WhoMayGoAnywhereIsToldThatNobodyListens) {
  EXPECT_EQ(refusal({.host = "127.0.0.1", .port = 1, .reach = Reach::anything}).code,
            "unreachable");
  EXPECT_EQ(refusal({.host = "localhost", .port = 1, .reach = Reach::anything}).code,
            "unreachable");
}

TEST(Outside, NamesThatNobodyKnowsAreCalledSo) {
  Resolver clueless{"exit 2\n"};  // as getent does
  auto error = refusal({.host = "no-such-host.invalid", .port = 9, .resolver = clueless.command()});
  EXPECT_EQ(error.code, "name_unknown");
  EXPECT_EQ(error.kind, ErrorKind::unavailable);
  EXPECT_FALSE(error.remedy.empty());
}

TEST(Outside, ANameThatLooksLikeAnOptionIsLookedUpAsAName) {
  EXPECT_EQ(Outside{}.resolver.back(), "--");
  Resolver clueless{"exit 2\n"};
  auto command = clueless.command();
  command.emplace_back("--");
  EXPECT_EQ(refusal({.host = "--service=dns", .port = 9, .resolver = command}).code,
            "name_unknown");
  EXPECT_EQ(clueless.asked(), "-- --service=dns\n");
}

TEST(Outside, ANameIsLookedUpOnceSoThatItCanNotChangeItsMind) {
  Resolver rebinding{"echo '198.18.0.1 STREAM'\n"};
  auto code = refusal({.host = "rebind.example", .port = 1, .resolver = rebinding.command()}).code;
  EXPECT_EQ(code, "address_refused");
  EXPECT_EQ(rebinding.asked(), "rebind.example\n");
}

TEST(Outside, OfSeveralAddressesOnlyThoseThatMayBeAreDialled) {
  asio::io_context loop;
  asio::ip::tcp::acceptor acceptor{loop, {asio::ip::address_v4::loopback(), 0}};
  Resolver mixed{"echo '127.0.0.1 STREAM'; echo '10.0.0.1 STREAM'; echo '::1 STREAM'\n"};
  auto port = acceptor.local_endpoint().port();
  EXPECT_EQ(refusal({.host = "m.example", .port = port, .resolver = mixed.command()}).code,
            "address_refused");
  EXPECT_EQ(refusal({.host = "m.example",
                     .port = port,
                     .reach = Reach::anything,
                     .resolver = mixed.command()})
                .code,
            "");
}

async::task<void> dial_for(Milliseconds limit, Connect connect) {
  co_await async::with_deadline(limit, "dialling", connect_only(std::move(connect)));
}

TEST(Outside, ALookUpThatTakesLongIsCutOff) {
  Resolver slow{"sleep 60\n"};
  auto connect = outside_dialer({.host = "slow.example", .port = 1, .resolver = slow.command()});
  auto began = steady_now();
  auto dialled = async::run_test(async::attempt(dial_for(Milliseconds{50}, std::move(connect))));
  EXPECT_EQ(dialled.error().kind, ErrorKind::timed_out);
  EXPECT_LT(steady_now() - began, Seconds{30});
}

TEST(Outside, AMissingResolverIsNamed) {
  auto error = refusal({.host = "a.example", .port = 1, .resolver = {"no-such-program"}});
  EXPECT_EQ(error.code, "resolver_missing");
  EXPECT_NE(error.remedy.find("no-such-program"), std::string::npos);
}

}  // namespace
}  // namespace gantry::net
