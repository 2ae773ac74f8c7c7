#include "net/local_pair.hpp"

#include "async/testing_fake.hpp"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gantry::net {
namespace {

TEST(StreamPair, CarriesBytesToTheFarEndAndBack) {
  async::TestLoop loop;
  auto pair = value_or_throw(stream_pair(loop.executor()));
  loop.run(pair.near->write("ping"));
  std::array<char, 16> bytes{};
  EXPECT_EQ(::read(pair.far.get(), bytes.data(), bytes.size()), 4);
  EXPECT_EQ(::write(pair.far.get(), "pong!", 5), 5);
  EXPECT_EQ(loop.run(pair.near->read_some(bytes)), 5U);
}

TEST(PacketPair, KeepsTheBordersOfMessages) {
  async::TestLoop loop;
  auto pair = value_or_throw(packet_pair(loop.executor()));
  EXPECT_EQ(::send(pair.far.get(), "one", 3, 0), 3);
  EXPECT_EQ(::send(pair.far.get(), "three", 5, 0), 5);
  EXPECT_EQ(loop.run(pair.near.receive()).bytes, "one");
  EXPECT_EQ(loop.run(pair.near.receive()).bytes, "three");
}

TEST(PacketPair, CarriesDescriptorsBothWays) {
  async::TestLoop loop;
  auto pair = value_or_throw(packet_pair(loop.executor()));
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  async::Descriptor reading{ends[0]};
  async::Descriptor writing{ends[1]};
  const std::array passed{writing.get()};
  loop.run(pair.near.send("take this", passed));
  writing.close();

  std::array<char, 64> bytes{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec into{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &into;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ASSERT_EQ(::recvmsg(pair.far.get(), &message, 0), 9);
  ASSERT_EQ(::sendmsg(pair.far.get(), &message, 0), static_cast<ssize_t>(bytes.size()));

  auto packet = loop.run(pair.near.receive());
  ASSERT_EQ(packet.descriptors.size(), 1U);
  EXPECT_EQ(::write(packet.descriptors[0].get(), "!", 1), 1);
  EXPECT_EQ(::read(reading.get(), bytes.data(), 1), 1);
}

TEST(PacketPair, AnswersNothingWhenTheOtherSideHasGone) {
  async::TestLoop loop;
  auto pair = value_or_throw(packet_pair(loop.executor()));
  pair.far.close();
  EXPECT_TRUE(loop.run(pair.near.receive()).bytes.empty());
  EXPECT_ANY_THROW(loop.run(pair.near.send("?", {})));
}

}  // namespace
}  // namespace gantry::net
