#include "fleet/door.hpp"

#include "async/attempt.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "net/memory_stream_fake.hpp"

#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

/// Dials one end of a pair and keeps the other.
class DoorTest : public testing::Test {
 protected:
  async::task<std::unique_ptr<net::Stream>> dial() {
    auto [here, there] = net::memory_streams(loop_.executor());
    far_.push_back(std::move(there));
    co_return std::move(here);
  }
  Error removed() const { return {ErrorKind::conflict, "host_ended", "it was removed", {}}; }

  async::TestLoop loop_;
  std::vector<std::unique_ptr<net::Stream>> far_;
  Door door_{[this] { return dial(); }};
};

async::task<void> read_to_the_end(net::Stream& stream, bool& ended) {
  char scratch[16];
  auto read = co_await async::attempt(stream.read_some(scratch));
  ended = !read || *read == 0;
}

TEST_F(DoorTest, StreamsGoThroughAndAreCounted) {
  auto stream = loop_.run(door_.connect()());
  EXPECT_EQ(door_.open(), 1U);
  loop_.run(stream->write("hello"));
  char into[16];
  EXPECT_EQ(loop_.run(far_[0]->read_some(into)), 5U);
  stream.reset();
  EXPECT_EQ(door_.open(), 0U);
}

TEST_F(DoorTest, ShutItEndsWhatIsOpenAndLetsNobodyIn) {
  auto stream = loop_.run(door_.connect()());
  bool ended = false;
  async::TaskScope scope{loop_.executor()};
  scope.spawn("reader", read_to_the_end(*stream, ended));
  door_.shut(removed());
  loop_.run(async::until([&] { return ended; }));
  auto again = loop_.run(async::attempt(door_.connect()()));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, "host_ended");
  loop_.run(scope.join());
}

TEST_F(DoorTest, AStreamMayOutliveIt) {
  auto door = std::make_unique<Door>([this] { return dial(); });
  auto stream = loop_.run(door->connect()());
  door->shut(removed());
  door.reset();
  stream.reset();
}

}  // namespace
}  // namespace gantry::fleet
