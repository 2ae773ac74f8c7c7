// gantry-holder in a namespace that has IPv6, which the engine's bridge never has: what it closes
// is open before.
#include "base/random.hpp"
#include "integration/outside.hpp"
#include "sandbox/embedded.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::AnyOf;

constexpr const char* gateway = "198.51.100.1";
constexpr const char* gateway_ipv6 = "2001:db8:77::1";

class HolderNamespace : public testing::Test {
 protected:
  void SetUp() override {
    if (auto missing = Outside::missing(); !missing.empty()) {
      if (std::getenv("CI") != nullptr) FAIL() << missing;
      GTEST_SKIP() << missing;
    }
    for (const auto& file : embedded::init_files()) {
      if (file.name == "gantry-holder") std::ofstream{holder_} << file.content;
    }
    std::filesystem::permissions(holder_, std::filesystem::perms::owner_all);
    command("ip netns add {0}");
    command("ip link add {0} type veth peer name eth0 netns {0} && ip link set {0} up");
    // Nothing of this goes further than the pair.
    command("echo 0 > /proc/sys/net/ipv4/conf/{0}/forwarding");
    command("echo 0 > /proc/sys/net/ipv6/conf/{0}/forwarding");
    command("ip addr add 198.51.100.1/24 dev {0}");
    command("ip addr add 2001:db8:77::1/64 dev {0} nodad");
    command("ip -n {0} addr add 198.51.100.2/24 dev eth0");
    command("ip -n {0} addr add 2001:db8:77::2/64 dev eth0 nodad");
    command("ip -n {0} link set lo up && ip -n {0} link set eth0 up");
    command("ip -n {0} route add default via 198.51.100.1");
    command("ip -n {0} route add default via 2001:db8:77::1");
  }
  void TearDown() override {
    if (IsSkipped()) return;
    command("ip netns pids {0} | xargs -r kill -9; ip link del {0}; ip netns del {0}");
    if (held_ != nullptr) pclose(held_);
    std::filesystem::remove(holder_);
  }

  /// By a shell: words of this file and a random name of ours, never of anybody else.
  void command(const char* text) const {
    auto whole = fmt::format(fmt::runtime(text), name_);
    if (std::system(whole.c_str()) != 0) throw std::runtime_error{"failed: " + whole};
  }
  /// By a shell, as `command`: popen gives the pipe to its output.
  FILE* started(const std::string& arguments) const {
    auto command = fmt::format("ip netns exec {} {} {}", name_, holder_, arguments);
    return popen(command.c_str(), "re");
  }
  static std::string line_of(FILE* stream) {
    std::array<char, 512> line{};
    if (std::fgets(line.data(), line.size(), stream) == nullptr) return "";
    return line.data();
  }
  /// Closes the namespace until the test's end.
  void hold() {
    held_ = started("hold 10.0.0.0/8");
    ASSERT_EQ(line_of(held_), "ready\n");
  }
  /// The error number with which a target fails; 0 when it is reached.
  std::string reach(const std::string& target) const {
    auto* stream = started("reach 192.0.2.1 " + target);
    auto said = line_of(stream);
    pclose(stream);
    if (!said.starts_with(target + " ")) return "not tried: " + said;
    return said.substr(target.size() + 1, said.size() - target.size() - 2);
  }

  const std::string name_ = "gh" + random::word(8);
  const std::string holder_ = "/tmp/gantry-holder-" + name_;
  FILE* held_ = nullptr;
};

TEST_F(HolderNamespace, HasNoIpv6ThatItHadBefore) {
  Listener host;
  const std::array<std::string, 4> targets{fmt::format("tcp/{}/{}", gateway_ipv6, host.port()),
                                           fmt::format("device/{}/{}", gateway_ipv6, host.port()),
                                           "udp/2001:db8:88::1/9", "device/2001:db8:88::1/9"};
  for (const auto& target : targets) ASSERT_EQ(reach(target), "0") << target;
  hold();
  auto closed = AnyOf(std::to_string(EHOSTUNREACH), std::to_string(ENETUNREACH),
                      std::to_string(EADDRNOTAVAIL));
  for (const auto& target : targets) EXPECT_THAT(reach(target), closed) << target;
}

TEST_F(HolderNamespace, CanNotBeGoneRoundAndLeadsOutside) {
  const std::array<const char*, 6> ways{"device", "pktinfo", "unicast", "link", "loose", "udp"};
  for (const auto* way : ways) {
    ASSERT_EQ(reach(fmt::format("{}/{}/9", way, gateway)), "0") << way;
  }
  hold();
  for (const auto* way : ways) {
    EXPECT_THAT(reach(fmt::format("{}/{}/9", way, gateway)),
                AnyOf(std::to_string(EPERM), std::to_string(EHOSTUNREACH)))
        << way;
  }
  for (const auto* way : {"udp", "device", "pktinfo", "unicast"}) {
    EXPECT_EQ(reach(fmt::format("{}/203.0.113.77/9", way)), "0") << way;
  }
}

}  // namespace
}  // namespace gantry::sandbox
