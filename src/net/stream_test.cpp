// Every implementation of Stream passes this suite.
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "net/memory_stream_fake.hpp"
#include "net/prefixed_stream.hpp"
#include "net/socket_stream.hpp"
#include "net/tls_certificates_fake.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

namespace gantry::net {
namespace {

namespace asio = boost::asio;

using Pair = std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>>;
using MakePair = Pair (*)(async::TestLoop&);

Pair unix_pair(async::TestLoop& loop) {
  auto executor = loop.executor();
  asio::local::stream_protocol::socket one{executor};
  asio::local::stream_protocol::socket other{executor};
  asio::local::connect_pair(one, other);
  return {socket_stream(std::move(one)), socket_stream(std::move(other))};
}

Pair tcp_pair(async::TestLoop& loop) {
  auto executor = loop.executor();
  asio::ip::tcp::acceptor acceptor{executor, {asio::ip::address_v4::loopback(), 0}};
  asio::ip::tcp::socket one{executor};
  one.connect(acceptor.local_endpoint());
  auto other = acceptor.accept();
  return {socket_stream(std::move(one)), socket_stream(std::move(other))};
}

Pair memory_pair(async::TestLoop& loop) { return memory_streams(loop.executor()); }

Pair prefixed_pair(async::TestLoop& loop) {
  auto [one, other] = memory_streams(loop.executor());
  return {prefixed_stream({}, std::move(one)), prefixed_stream({}, std::move(other))};
}

Pair tls_pair(async::TestLoop& loop) { return loop.run(tls_ends(tcp_pair(loop))); }

Pair tls_in_memory(async::TestLoop& loop) { return loop.run(tls_ends(memory_pair(loop))); }

Pair tls_in_tls(async::TestLoop& loop) { return loop.run(tls_ends(tls_pair(loop))); }

struct Implementation {
  std::string name;
  MakePair make;
};

class StreamConformance : public testing::TestWithParam<Implementation> {
 protected:
  void run(async::task<void> (*scenario)(Stream&, Stream&)) {
    async::TestLoop loop;
    auto [one, other] = GetParam().make(loop);
    loop.run(scenario(*one, *other));
  }
};

async::task<std::string> read_all(Stream& stream) {
  std::string all;
  char piece[4096];
  while (auto count = co_await stream.read_some(piece)) all.append(piece, count);
  co_return all;
}

async::task<std::string> read_exactly(Stream& stream, std::size_t size) {
  std::string all;
  char piece[4096];
  while (all.size() < size) {
    auto count = co_await stream.read_some({piece, std::min(sizeof piece, size - all.size())});
    if (count == 0) break;
    all.append(piece, count);
  }
  co_return all;
}

async::task<void> read_one(Stream& stream) {
  char byte[1];
  co_await stream.read_some(byte);
}

async::task<void> carries_bytes(Stream& one, Stream& other) {
  co_await one.write("ping");
  EXPECT_EQ(co_await read_exactly(other, 4), "ping");
  co_await other.write("pong");
  EXPECT_EQ(co_await read_exactly(one, 4), "pong");
}
TEST_P(StreamConformance, CarriesBytesBothWays) { run(carries_bytes); }

async::task<void> write_and_finish(Stream& stream, std::string bytes) {
  co_await stream.write(bytes);
  stream.finish_writing();
}

async::task<void> carries_much(Stream& one, Stream& other) {
  std::string much(4U << 20U, 'x');
  much.back() = 'y';
  async::TaskScope scope{co_await asio::this_coro::executor};
  scope.spawn("write", write_and_finish(one, much));
  EXPECT_TRUE(co_await read_all(other) == much);
  co_await scope.close();
}
TEST_P(StreamConformance, CarriesMoreThanItsBuffersHold) { run(carries_much); }

async::task<void> says_goodbye(Stream& one, Stream& other) {
  std::string much(4U << 20U, 'x');
  async::TaskScope scope{co_await asio::this_coro::executor};
  scope.spawn("read", read_one(one));  // an answer that has not begun to come
  scope.spawn("write", write_and_finish(one, much));
  co_await async::pause(Milliseconds{20});  // the buffers between are full now
  EXPECT_TRUE(co_await read_all(other) == much);
  co_await other.write("x");
  co_await scope.join();
}
TEST_P(StreamConformance, ShowsItsEndBehindBytesThatFillTheBuffers) { run(says_goodbye); }

async::task<void> half_closes(Stream& one, Stream& other) {
  co_await one.write("question");
  one.finish_writing();
  EXPECT_EQ(co_await read_all(other), "question");
  co_await other.write("answer");
  other.finish_writing();
  EXPECT_EQ(co_await read_all(one), "answer");
}
TEST_P(StreamConformance, KeepsReadingAfterItHasFinishedWriting) { run(half_closes); }

async::task<void> sees_the_end(Stream& one, Stream& other) {
  one.close();
  char byte[1];
  EXPECT_EQ(co_await other.read_some(byte), 0U);
  EXPECT_EQ(co_await other.read_some(byte), 0U);
}
TEST_P(StreamConformance, ShowsThatThePeerHasClosed) { run(sees_the_end); }

async::task<void> last_words(Stream& one, Stream& other) {
  std::string much(4U << 20U, 'x');
  one.write_last(much);
  // Room that the first words have not seen yet.
  std::string heard(8U << 20U, '\0');
  heard.resize(co_await other.read_some(heard));
  one.write_last({});
  one.write_last("and the");
  one.write_last(" end");
  heard += co_await read_exactly(other, much.size() + 11 - heard.size());
  EXPECT_TRUE(heard == much + "and the end");
}
TEST_P(StreamConformance, KeepsTheOrderOfSeveralLastWords) { run(last_words); }

async::task<void> write_for_ever(Stream& stream) {
  for (;;) co_await stream.write(std::string(64U << 10U, 'x'));
}

async::task<void> fails_to_write(Stream& one, Stream& other) {
  other.close();
  auto written =
      co_await async::attempt(async::with_deadline(Seconds{5}, "writing", write_for_ever(one)));
  EXPECT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::unavailable);
}
TEST_P(StreamConformance, FailsToWriteToAPeerThatHasClosed) { run(fails_to_write); }

async::task<void> read_is_cancelled(Stream& one, Stream& other) {
  auto read =
      co_await async::attempt(async::with_deadline(Milliseconds{20}, "reading", read_one(one)));
  EXPECT_EQ(read.error().kind, ErrorKind::timed_out);
  co_await other.write("kept");
  EXPECT_EQ(co_await read_exactly(one, 4), "kept");
}
TEST_P(StreamConformance, LosesNothingWhenAReadIsCancelled) { run(read_is_cancelled); }

async::task<void> write_is_cancelled(Stream& one, Stream&) {
  auto written = co_await async::attempt(
      async::with_deadline(Milliseconds{20}, "writing", write_for_ever(one)));
  EXPECT_EQ(written.error().kind, ErrorKind::timed_out);
}
TEST_P(StreamConformance, StopsAWriteThatNobodyReadsWhenCancelled) { run(write_is_cancelled); }

async::task<void> close_soon(Stream& stream) {
  co_await async::pause(Milliseconds{10});
  stream.close();
}

async::task<void> close_ends_read(Stream& one, Stream&) {
  async::TaskScope scope{co_await asio::this_coro::executor};
  scope.spawn("close", close_soon(one));
  auto read = co_await async::attempt(read_one(one));
  EXPECT_FALSE(read);
  one.close();
  EXPECT_FALSE(co_await async::attempt(one.write("x")));
  co_await scope.close();
}
TEST_P(StreamConformance, FailsWhatIsPendingWhenItIsClosedAndCloseMayComeTwice) {
  run(close_ends_read);
}

INSTANTIATE_TEST_SUITE_P(Streams, StreamConformance,
                         testing::Values(Implementation{"unix", unix_pair},
                                         Implementation{"tcp", tcp_pair},
                                         Implementation{"memory", memory_pair},
                                         Implementation{"prefixed", prefixed_pair},
                                         Implementation{"tls", tls_pair},
                                         Implementation{"tls_in_memory", tls_in_memory},
                                         Implementation{"tls_in_tls", tls_in_tls}),
                         [](const auto& instance) { return instance.param.name; });

async::task<void> gone_in_the_middle(std::unique_ptr<Stream> one, std::unique_ptr<Stream> other) {
  std::string much(16U << 20U, 'x');
  one->write_last(much);
  one->write_last("the end");
  std::string heard(8U << 20U, '\0');
  // There is room now, and the words are about to go on.
  heard.resize(co_await other->read_some(heard));
  one.reset();
  heard += co_await read_all(*other);
  EXPECT_LT(heard.size(), much.size());
  EXPECT_EQ(heard.find_first_not_of('x'), heard.npos);
}
TEST(SocketStream, MayGoWhileLastWordsWait) {
  for (auto make : {unix_pair, tcp_pair}) {
    async::TestLoop loop;
    auto [one, other] = make(loop);
    loop.run(gone_in_the_middle(std::move(one), std::move(other)));
  }
}

async::task<void> prefix_first() {
  auto [one, other] = memory_streams(co_await asio::this_coro::executor);
  auto stream = prefixed_stream("read ahead, ", std::move(one));
  co_await other->write("then the rest");
  other->finish_writing();
  EXPECT_EQ(co_await read_all(*stream), "read ahead, then the rest");
}
TEST(PrefixedStream, HandsOutWhatWasReadAheadFirst) { async::run_test(prefix_first()); }

}  // namespace
}  // namespace gantry::net
