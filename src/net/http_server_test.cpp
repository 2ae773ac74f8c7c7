#include "net/http_server.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "net/few_descriptors_fake.hpp"
#include "net/http_server_fake.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace gantry::net::http {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr ServerLimits quick{.idle = Milliseconds{80},
                             .head = Milliseconds{80},
                             .body = Milliseconds{80},
                             .write = Milliseconds{80}};

/// What the test's handler did and saw.
struct Record {
  std::vector<std::string> targets;
  bool peer_left = false;
  bool flood_ended = false;
};

async::task<void> echo(Exchange& exchange) {
  auto body = co_await exchange.body(Bytes{1U << 20U});
  if (!body) co_return co_await exchange.respond({.status = 413}, body.error().message);
  co_await exchange.respond({.status = 200}, *body);
}

async::task<void> count_to_three(Exchange& exchange) {
  co_await exchange.begin_stream({200, {{"Content-Type", "text/event-stream"}}});
  for (auto piece : {"one", "two", "three"}) co_await exchange.send(piece);
  co_await exchange.finish_stream();
}

async::task<void> wait_for_peer(Exchange& exchange, Record& record) {
  co_await exchange.begin_stream({});
  co_await exchange.send("begun");
  co_await exchange.peer_gone();
  record.peer_left = true;
}

async::task<void> flood(Exchange& exchange, Record& record) {
  struct End {
    ~End() { record.flood_ended = true; }
    Record& record;
  } end{record};
  co_await exchange.begin_stream({});
  for (;;) co_await exchange.send(std::string(64U << 10U, 'x'));
}

async::task<void> handle(Record& record, Exchange& exchange) {
  const auto& target = exchange.request().target;
  record.targets.push_back(target);
  if (target == "/echo") co_return co_await echo(exchange);
  if (target == "/count") co_return co_await count_to_three(exchange);
  if (target == "/wait") co_return co_await wait_for_peer(exchange, record);
  if (target == "/flood") co_return co_await flood(exchange, record);
  if (target == "/throw") throw Failure{{ErrorKind::internal, "bug", "a secret detail", {}}};
  if (target == "/forget") co_return;
  if (target == "/slow") co_await async::pause(Milliseconds{100});
  if (target == "/inject") {
    co_return co_await exchange.respond({200, {{"X", "a\r\nEvil: 1"}}}, "");
  }
  if (target == "/closing") {
    co_await exchange.server_closing();
    co_return co_await exchange.respond({}, "the server closes");
  }
  if (target == "/empty") co_return co_await exchange.respond({.status = 204}, "");
  if (target == "/large") co_return co_await exchange.respond({}, std::string(3U << 20U, 'x'));
  if (target == "/peer") co_return co_await exchange.respond({}, exchange.peer().address);
  co_await exchange.respond({}, "at " + target);
}

class HttpServer : public testing::Test {
 protected:
  explicit HttpServer(ServerLimits limits = {})
      : host_{[this](Exchange& exchange) { return handle(record_, exchange); }, limits},
        client_{host_.loop().executor(), host_.connect(), "gantry.example"} {}

  std::string say(std::string bytes) { return host_.run(host_.say(std::move(bytes))); }
  Response get(std::string target) { return host_.run(client_.send({"GET", target, {}})); }

  Record record_;
  TestServer host_;
  Client client_;
};

class HurriedHttpServer : public HttpServer {
 protected:
  HurriedHttpServer() : HttpServer{quick} {}
};

constexpr std::string_view last = "Host: x\r\nConnection: close\r\n\r\n";

std::string request(std::string_view line, std::string_view rest = last) {
  return fmt::format("{}\r\n{}", line, rest);
}

TEST_F(HttpServer, AnswersARequest) {
  auto answer = say(request("GET /hello?a=b HTTP/1.1"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 13\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nat /hello?a=b"));
}

TEST_F(HttpServer, KnowsThePeersAddress) { EXPECT_EQ(get("/peer").body, "127.0.0.1"); }

async::task<void> ask_thrice(Client& client) {
  for (int i = 0; i < 3; ++i) {
    auto response = co_await client.send({"GET", "/empty", {}});
    EXPECT_EQ(response.head.status, 204U);
  }
}
TEST_F(HttpServer, ServesManyRequestsOnOneConnection) {
  host_.run(ask_thrice(client_));
  EXPECT_EQ(record_.targets.size(), 3U);
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
  std::string many;
  for (int i = 0; i < 1000; ++i)
    many += request(fmt::format("GET /{} HTTP/1.1", i), "Host: x\r\n\r\n");
  auto answer = say(many + request("GET /end HTTP/1.1"));
  EXPECT_EQ(record_.targets.size(), 1001U);
  EXPECT_LT(answer.find("at /1\0"), answer.find("at /2"));
  EXPECT_LT(answer.find("at /998"), answer.find("at /999"));
  EXPECT_THAT(answer, EndsWith("at /end"));
}

TEST_F(HttpServer, AnswersHeadWithoutABody) {
  auto answer = say(request("HEAD /hello HTTP/1.1"));
  EXPECT_THAT(answer, AllOf(HasSubstr("Content-Length: 9\r\n"), EndsWith("\r\n\r\n")));
}

TEST_F(HttpServer, ClosesAfterAnHttp10Request) {
  auto answer = say("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_THAT(answer, AllOf(HasSubstr("Connection: close"), EndsWith("at /hello")));
}

TEST_F(HttpServer, TakesATargetInAbsoluteForm) {
  say(request("GET http://x/path?q HTTP/1.1"));
  EXPECT_THAT(record_.targets, ElementsAre("/path?q"));
}

TEST_F(HttpServer, TakesABodyByLengthAndInChunks) {
  auto by_length = say(request("POST /echo HTTP/1.1",
                               "Host: x\r\nConnection: close\r\n"
                               "Content-Length: 5\r\n\r\nhello"));
  EXPECT_THAT(by_length, EndsWith("\r\n\r\nhello"));
  auto in_chunks = say(request("POST /echo HTTP/1.1",
                               "Host: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\nHost: trailer\r\n\r\n"));
  EXPECT_THAT(in_chunks, EndsWith("\r\n\r\nhello"));
}

async::task<Response> post(Client& client, std::string body) {
  return client.send({"POST", "/echo", {}}, std::move(body));
}
TEST_F(HttpServer, TakesALargeBody) {
  std::string large(1U << 20U, 'x');
  EXPECT_TRUE(host_.run(post(client_, large)).body == large);
}
TEST_F(HttpServer, SendsALargeBody) { EXPECT_EQ(get("/large").body.size(), 3U << 20U); }

TEST_F(HttpServer, RefusesABodyByItsDeclaredLengthBeforeItComes) {
  auto answer =
      say(request("POST /echo HTTP/1.1", "Host: x\r\nContent-Length: 10737418240\r\n\r\n"));
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("Connection: close")));
}

TEST_F(HttpServer, RefusesAChunkedBodyThatGrowsOverTheCap) {
  std::string body = "Host: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i) body += "10000\r\n" + std::string(65536, 'x') + "\r\n";
  EXPECT_THAT(say(request("POST /echo HTTP/1.1", body)), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServer, AsksForABodyThatWaitsToBeAskedFor) {
  auto answer = say(request("POST /echo HTTP/1.1",
                            "Host: x\r\nContent-Length: 2000000\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
}

async::task<std::string> wait_for_continue(Connect connect) {
  auto stream = co_await connect();
  co_await stream->write(
      "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n"
      "Expect: 100-continue\r\n\r\n");
  char piece[256];
  auto count = co_await stream->read_some(piece);
  std::string answer(piece, count);
  co_await stream->write("ok");
  while ((count = co_await stream->read_some(piece)) != 0) answer.append(piece, count);
  co_return answer;
}
TEST_F(HttpServer, SaysContinueBeforeItReadsABodyThatWaitsForIt) {
  auto answer = host_.run(wait_for_continue(host_.connect()));
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"),
                            EndsWith("\r\n\r\nok")));
}

TEST_F(HttpServer, SkipsASmallBodyThatNobodyReadAndServesTheNextRequest) {
  auto answer = say(request("POST /unread HTTP/1.1", "Host: x\r\nContent-Length: 5\r\n\r\nGET /") +
                    request("GET /next HTTP/1.1"));
  EXPECT_THAT(record_.targets, ElementsAre("/unread", "/next"));
  EXPECT_THAT(answer, EndsWith("at /next"));
}

TEST_F(HttpServer, ClosesInsteadOfSkippingALargeBody) {
  auto answer = say(request("POST /unread HTTP/1.1", "Host: x\r\nContent-Length: 70000\r\n\r\n") +
                    std::string(70000, 'x') + request("GET /next HTTP/1.1"));
  EXPECT_THAT(record_.targets, ElementsAre("/unread"));
  EXPECT_THAT(answer, AllOf(HasSubstr("Connection: close"), EndsWith("at /unread")));
}

TEST_F(HttpServer, StreamsABodyInChunks) {
  auto answer = say(request("GET /count HTTP/1.1"));
  EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"));
}

TEST_F(HttpServer, StreamsABodyToTheEndOfAnHttp10Connection) {
  EXPECT_THAT(say("GET /count HTTP/1.0\r\n\r\n"), EndsWith("\r\n\r\nonetwothree"));
}

async::task<void> leave(Client& client, Record& record) {
  {
    auto response = co_await client.stream({"GET", "/wait", {}});
    EXPECT_EQ(co_await response.read(Seconds{1}), "begun");
  }
  co_await async::until([&record] { return record.peer_left; });
}
TEST_F(HttpServer, TellsALongAnswerThatThePeerHasLeft) {
  host_.run(leave(client_, record_));
  EXPECT_TRUE(record_.peer_left);
}

TEST_F(HttpServer, AnswersAnExceptionWith500WithoutItsDetail) {
  auto answer = say(request("GET /throw HTTP/1.1"));
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("secret"))));
}

TEST_F(HttpServer, AnswersForAHandlerThatForgets) {
  EXPECT_THAT(say(request("GET /forget HTTP/1.1")), StartsWith("HTTP/1.1 500 "));
}

TEST_F(HttpServer, NeverSendsAHeaderThatForgesALine) {
  EXPECT_THAT(say(request("GET /inject HTTP/1.1")),
              AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("Evil"))));
}

TEST_F(HttpServer, RefusesAnAddressItCanNotListenOn) {
  auto taken = host_.server().listen(fmt::format("127.0.0.1:{}", host_.port()));
  EXPECT_EQ(taken.error().code, "address_in_use");
  EXPECT_EQ(host_.server().listen("localhost").error().code, "bad_address");
  EXPECT_EQ(host_.server().listen("192.0.2.1:0").error().code, "address_unusable");
}

/// Closes once the handler is at `target`.
async::task<void> close_at(Server& server, Record& record, std::string target) {
  co_await async::until([&] { return !record.targets.empty() && record.targets.back() == target; });
  co_await server.close(Seconds{10});
}

async::task<Response> get_while_closing(Server& server, Client& client, Record& record,
                                        std::string target) {
  async::TaskScope scope{co_await boost::asio::this_coro::executor};
  co_await client.send({"GET", "/idle", {}});
  scope.spawn("close", close_at(server, record, target));
  auto response = co_await client.send({"GET", target, {}});
  co_await scope.join();
  co_return response;
}

TEST_F(HttpServer, LetsARequestInFlightEndWhenItCloses) {
  auto response = host_.run(get_while_closing(host_.server(), client_, record_, "/slow"));
  EXPECT_EQ(response.body, "at /slow");
  EXPECT_EQ(response.head.headers.get("Connection"), "close");
}

TEST_F(HttpServer, TellsALongAnswerThatTheServerCloses) {
  auto response = host_.run(get_while_closing(host_.server(), client_, record_, "/closing"));
  EXPECT_EQ(response.body, "the server closes");
}

async::task<void> close_while_waiting(Server& server, Client& client, Record& record) {
  async::TaskScope scope{co_await boost::asio::this_coro::executor};
  auto response = co_await client.stream({"GET", "/wait", {}});
  auto begun = steady_now();
  co_await server.close(Milliseconds{50});
  EXPECT_LT(steady_now() - begun, Seconds{30});
  EXPECT_FALSE(record.peer_left);
  co_await scope.close();
}
TEST_F(HttpServer, CutsOffWhatOutlivesTheGrace) {
  host_.run(close_while_waiting(host_.server(), client_, record_));
}

async::task<std::string> read_all(Stream& stream) {
  std::string answer;
  char piece[512];
  while (auto count = co_await stream.read_some(piece)) answer.append(piece, count);
  co_return answer;
}
async::task<std::string> connect_without_descriptors(TestServer& host) {
  const std::string request = "GET /hello HTTP/1.0\r\n\r\n";
  auto early = co_await host.connect()();
  co_await early->write(request);  // UBSan needs descriptors for types it has not met before
  co_await read_all(*early);
  early.reset();
  std::optional<FewDescriptors> few{1};
  auto late = co_await host.connect()();
  co_await late->write(request);
  co_await async::pause(Milliseconds{30});
  auto left = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  few.reset();
  EXPECT_LT(left, 0) << "the server had a descriptor left";
  co_return co_await read_all(*late);
}
TEST_F(HttpServer, AcceptsAConnectionLaterWhenDescriptorsHadRunOut) {
  EXPECT_THAT(host_.run(connect_without_descriptors(host_)), EndsWith("at /hello"));
}

async::task<std::string> trickle(Connect connect, std::string first, std::string piece) {
  auto stream = co_await connect();
  co_await stream->write(first);
  for (int i = 0; i < 20; ++i) {
    auto written = co_await async::attempt(stream->write(piece));
    if (!written) break;
    co_await async::pause(Milliseconds{10});
  }
  std::string answer;
  char bytes[1024];
  auto count = co_await async::attempt(stream->read_some(bytes));
  co_return count ? std::string(bytes, *count) : "";
}

TEST_F(HurriedHttpServer, ClosesAnIdleConnection) { EXPECT_EQ(say(""), ""); }

TEST_F(HurriedHttpServer, Answers408ToAHeadThatComesTooSlowly) {
  auto answer = host_.run(trickle(host_.connect(), "GET / HTTP/1.1\r\nHost: x\r\n", "X: y\r\n"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
}

TEST_F(HurriedHttpServer, Answers408ToABodyThatComesTooSlowly) {
  auto answer = host_.run(trickle(
      host_.connect(), "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n", "x"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
}

async::task<void> never_read(TestServer& host, Record& record) {
  auto stream = co_await host.connect()();
  co_await stream->write("GET /flood HTTP/1.1\r\nHost: x\r\n\r\n");
  co_await async::until([&] { return record.flood_ended; });
  std::size_t got = 0;
  char bytes[65536];
  for (;;) {
    auto count = co_await async::attempt(stream->read_some(bytes));
    if (!count || *count == 0) break;
    got += *count;
  }
  EXPECT_GT(got, 0U);
}
TEST_F(HurriedHttpServer, DropsAPeerThatDoesNotRead) { host_.run(never_read(host_, record_)); }

}  // namespace
}  // namespace gantry::net::http
