#include "net/http_client.hpp"

#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "net/scripted_server_fake.hpp"

#include <boost/asio/this_coro.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::net::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr ClientLimits quick{.head = Milliseconds{60}, .idle = Milliseconds{60}};

class HttpClient : public testing::Test {
 protected:
  Result<Response> send(RequestHead request, std::string body = {}) {
    return loop_.run(async::attempt(client_.send(std::move(request), std::move(body))));
  }
  Result<Response> send(RequestHead request, ClientLimits limits) {
    return loop_.run(async::attempt(client_.send(std::move(request), {}, limits)));
  }
  Result<Response> get(std::string target) { return send({"GET", std::move(target), {}}); }
  StreamedResponse stream(std::string target) {
    return loop_.run(client_.stream({"GET", std::move(target), {}}));
  }
  std::string read(StreamedResponse& response, Milliseconds idle = Milliseconds{1000}) {
    return loop_.run(response.read(idle));
  }

  async::TestLoop loop_;
  ScriptedServer server_;
  Client client_{loop_.executor(), server_.connect(), "engine.example"};
};

TEST_F(HttpClient, SendsARequestAndAnswersTheResponse) {
  server_.expect("GET", "/_ping").reply(200, "OK", {{"Api-Version", "1.41"}});
  auto response = get("/_ping");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->head.status, 200U);
  EXPECT_EQ(response->head.headers.get("api-version"), "1.41");
  EXPECT_EQ(response->body, "OK");
  EXPECT_EQ(server_.seen()[0].headers.get("Host"), "engine.example");
}

TEST_F(HttpClient, SendsABodyWithItsLength) {
  server_.expect("POST", "/create").reply(201, "{}");
  auto response = send({"POST", "/create", {{"Content-Type", "application/json"}}}, "{\"a\":1}");
  EXPECT_EQ(response->head.status, 201U);
  EXPECT_EQ(server_.seen()[0].body, "{\"a\":1}");
  EXPECT_EQ(server_.seen()[0].headers.get("Content-Type"), "application/json");
}

TEST_F(HttpClient, SaysThatAPostHasNoBody) {
  server_.expect("POST", "/start").reply(204);
  send({"POST", "/start", {}});
  EXPECT_EQ(server_.seen()[0].headers.get("Content-Length"), "0");
}

TEST_F(HttpClient, TakesEveryStatusAsAnAnswer) {
  server_.expect("GET", "/gone").reply(404, "no");
  server_.expect("GET", "/moved").reply(302, "", {{"Location", "/elsewhere"}});
  EXPECT_EQ(get("/gone")->head.status, 404U);
  EXPECT_EQ(get("/moved")->head.status, 302U);
  EXPECT_EQ(server_.seen().size(), 2U);
}

TEST_F(HttpClient, PutsAChunkedBodyTogether) {
  server_.expect("GET", "/chunks").stream(200, {"one ", "two ", "three"});
  EXPECT_EQ(get("/chunks")->body, "one two three");
}

TEST_F(HttpClient, ReadsABodyThatEndsWithTheConnection) {
  server_.expect("GET", "/old").raw({"HTTP/1.0 200 OK\r\n\r\nto the", " end"}).then_close();
  EXPECT_EQ(get("/old")->body, "to the end");
}

TEST_F(HttpClient, ReadsAResponseThatComesByteByByte) {
  std::vector<std::string> bytes;
  for (char byte : std::string{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"}) {
    bytes.emplace_back(1, byte);
  }
  server_.expect("GET", "/slow").raw(bytes);
  EXPECT_EQ(get("/slow")->body, "hello");
}

TEST_F(HttpClient, SkipsInterimResponses) {
  server_.expect("GET", "/")
      .raw({"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
            "Link: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"});
  EXPECT_EQ(get("/")->body, "ok");
}

TEST_F(HttpClient, ExpectsNoBodyWhereThereIsNone) {
  server_.expect("HEAD", "/archive").raw({"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"});
  server_.expect("GET", "/empty").raw({"HTTP/1.1 204 No Content\r\n\r\n"});
  server_.expect("GET", "/same").raw({"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"});
  EXPECT_EQ(send({"HEAD", "/archive", {}})->head.headers.get("Content-Length"), "77");
  EXPECT_EQ(get("/empty")->head.status, 204U);
  EXPECT_EQ(get("/same")->head.status, 304U);
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(HttpClient, ReusesAConnection) {
  server_.expect("GET", "/").reply(200, "x").always();
  get("/");
  get("/");
  get("/");
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(HttpClient, DoesNotReuseAConnectionThatTheServerSaysItCloses) {
  server_.expect("GET", "/").reply(200, "x", {{"Connection", "close"}}).always();
  get("/");
  get("/");
  EXPECT_EQ(server_.connections(), 2U);
  EXPECT_EQ(server_.open_connections(), 0U);
}

TEST_F(HttpClient, DoesNotReuseAConnectionWithBytesNobodyAskedFor) {
  server_.expect("GET", "/1")
      .raw({"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 evil"});
  server_.expect("GET", "/2").reply(200, "fine");
  get("/1");
  EXPECT_EQ(get("/2")->body, "fine");
}

TEST_F(HttpClient, RepeatsAGetOnceWhenTheIdleConnectionWasClosedMeanwhile) {
  server_.expect("GET", "/").reply(200, "x").always();
  get("/");
  server_.drop_connections();
  EXPECT_EQ(get("/")->body, "x");
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(HttpClient, DoesNotRepeatAGetThatWasPartlyAnswered) {
  server_.expect("GET", "/1").reply(200, "x");
  server_.expect("GET", "/2").raw({"HTTP/1.1 2"}).then_close();
  get("/1");
  auto response = get("/2");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(HttpClient, NeverRepeatsAPost) {
  server_.expect("POST", "/").reply(200, "x").always();
  send({"POST", "/", {}});
  server_.drop_connections();
  EXPECT_FALSE(send({"POST", "/", {}}));
  EXPECT_EQ(server_.seen().size(), 1U);
}

TEST_F(HttpClient, ClosesWhatIsIdleWhenAsked) {
  server_.expect("GET", "/").reply(200, "x");
  get("/");
  EXPECT_EQ(server_.open_connections(), 1U);
  client_.close_idle();
  EXPECT_EQ(server_.open_connections(), 0U);
}

TEST_F(HttpClient, GivesUpWhenTheHeadDoesNotCome) {
  server_.expect("GET", "/").hang();
  auto response = send({"GET", "/", {}}, quick);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::timed_out);
  EXPECT_THAT(response.error().message, HasSubstr("GET /"));
}

TEST_F(HttpClient, GivesUpWhenTheBodyStops) {
  server_.expect("GET", "/").raw({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "half"});
  auto response = send({"GET", "/", {}}, quick);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::timed_out);
}

TEST_F(HttpClient, SaysThatTheServerBrokeOffInTheBody) {
  server_.expect("GET", "/")
      .raw({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "half"})
      .then_close();
  EXPECT_EQ(get("/").error().code, "connection_broken");
}

TEST_F(HttpClient, SaysThatTheAnswerIsNotHttp) {
  server_.expect("GET", "/").raw({"SSH-2.0-OpenSSH_9.2\r\n"}).then_close();
  EXPECT_EQ(get("/").error().kind, ErrorKind::unavailable);
}

TEST_F(HttpClient, RefusesABodyOverTheCapByItsLengthAndByItsGrowth) {
  ClientLimits small{.body_max = Bytes{8}};
  server_.expect("GET", "/long").reply(200, "123456789");
  server_.expect("GET", "/grows").stream(200, {"12345", "6789"});
  server_.expect("GET", "/fits").reply(200, "12345678");
  EXPECT_EQ(send({"GET", "/long", {}}, small).error().kind, ErrorKind::too_large);
  EXPECT_EQ(send({"GET", "/grows", {}}, small).error().kind, ErrorKind::too_large);
  EXPECT_EQ(send({"GET", "/fits", {}}, small)->body, "12345678");
}

TEST_F(HttpClient, RefusesAHeadOverTheCap) {
  ClientLimits small{.head_max = Bytes{1024}};
  server_.expect("GET", "/").reply(200, "x", {{"X-Long", std::string(2000, 'x')}}).always();
  EXPECT_FALSE(send({"GET", "/", {}}, small));
  EXPECT_TRUE(send({"GET", "/", {}}, ClientLimits{}));
}

TEST_F(HttpClient, SurvivesAHeadAsLargeAsItsBuffer) {
  server_.expect("GET", "/").raw({"HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x')});
  EXPECT_FALSE(get("/"));
}

TEST_F(HttpClient, SendsNothingThatWouldForgeALine) {
  EXPECT_EQ(get("/x\r\nEvil: 1").error().code, "bad_request_line");
  EXPECT_EQ(get("/x y").error().code, "bad_request_line");
  EXPECT_EQ(send({"GET\r\n", "/", {}}).error().code, "bad_request_line");
  EXPECT_EQ(send({"GET", "/", {{"X", "a\r\nEvil: 1"}}}).error().code, "bad_header");
  EXPECT_EQ(send({"GET", "/", {{"X", std::string{"a\0b", 3}}}}).error().code, "bad_header");
  EXPECT_EQ(send({"GET", "/", {{"X: y", "a"}}}).error().code, "bad_header");
  EXPECT_EQ(server_.connections(), 0U);
}

TEST_F(HttpClient, PassesOnWhyItCouldNotConnect) {
  server_.refuse_connections({ErrorKind::unavailable, "socket_missing", "no socket", "make one"});
  EXPECT_EQ(get("/").error().code, "socket_missing");
}

TEST_F(HttpClient, StreamsABodyPieceByPiece) {
  auto& events = server_.expect("GET", "/events").stream(200, {"first"}).stay_open();
  auto response = stream("/events");
  EXPECT_EQ(response.head().status, 200U);
  EXPECT_EQ(read(response), "first");
  events.push("second");
  EXPECT_EQ(read(response), "second");
  events.finish();
  EXPECT_EQ(read(response), "");
  EXPECT_EQ(read(response), "");
}

TEST_F(HttpClient, ReusesTheConnectionOfAStreamReadToItsEnd) {
  server_.expect("GET", "/logs").stream(200, {"all"});
  server_.expect("GET", "/next").reply(200, "x");
  auto response = stream("/logs");
  EXPECT_EQ(read(response), "all");
  EXPECT_EQ(read(response), "");
  get("/next");
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(HttpClient, ClosesTheConnectionOfAStreamThatIsDropped) {
  server_.expect("GET", "/events").stream(200, {"first"}).stay_open();
  {
    auto response = stream("/events");
  }
  EXPECT_EQ(server_.open_connections(), 0U);
}

TEST_F(HttpClient, WaitsForAStreamOnlyAsLongAsTheReaderSays) {
  server_.expect("GET", "/events").stream(200, {}).stay_open();
  auto response = stream("/events");
  auto piece = loop_.run(async::attempt(response.read(Milliseconds{30})));
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().kind, ErrorKind::timed_out);
}

async::task<std::string> next_of(std::vector<std::string>& pieces) {
  if (pieces.empty()) co_return "";
  auto piece = std::move(pieces.front());
  pieces.erase(pieces.begin());
  co_return piece;
}

TEST_F(HttpClient, UploadsABodyOfUnknownLength) {
  server_.expect("POST", "/load").reply(200, "loaded");
  std::vector<std::string> pieces{"one,", "two,", std::string(100'000, 'x')};
  auto response = loop_.run(client_.upload({"POST", "/load", {}}, [&] { return next_of(pieces); }));
  EXPECT_EQ(read(response), "loaded");
  EXPECT_EQ(server_.seen()[0].body.size(), 100'008U);
  EXPECT_EQ(server_.seen()[0].headers.get("Transfer-Encoding"), "chunked");
}

async::task<std::string> read_raw(Stream& stream) {
  std::string all;
  char piece[256];
  while (auto count = co_await stream.read_some(piece)) all.append(piece, count);
  co_return all;
}

TEST_F(HttpClient, HandsOverTheConnectionAfterAnUpgradeWithTheBytesThatCameEarly) {
  server_.expect("POST", "/attach")
      .raw({"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\nearly ", "late"})
      .then_close();
  auto answer = loop_.run(client_.upgrade({"POST", "/attach", {}}, "tcp"));
  ASSERT_NE(answer.upgraded.stream, nullptr);
  EXPECT_EQ(loop_.run(read_raw(*answer.upgraded.stream)), "early late");
  EXPECT_EQ(server_.seen()[0].headers.get("Upgrade"), "tcp");
  EXPECT_EQ(server_.seen()[0].headers.get("Connection"), "Upgrade");
}

async::task<std::string> converse(Stream& stream) {
  co_await stream.write("hello");
  char piece[64];
  auto count = co_await stream.read_some(piece);
  co_return std::string(piece, count);
}

TEST_F(HttpClient, SpeaksOverAHijackedConnectionThatWasAnswered200) {
  server_.expect("POST", "/exec").upgrade(200, {}).on_bytes([](std::string_view bytes) {
    return "you said " + std::string{bytes};
  });
  auto answer = loop_.run(client_.upgrade({"POST", "/exec", {}}, "tcp", "{}"));
  EXPECT_EQ(loop_.run(converse(*answer.upgraded.stream)), "you said hello");
}

TEST_F(HttpClient, AnswersTheBodyOfARefusedUpgrade) {
  server_.expect("POST", "/attach").reply(409, "not running");
  auto answer = loop_.run(client_.upgrade({"POST", "/attach", {}}, "tcp"));
  EXPECT_EQ(answer.upgraded.stream, nullptr);
  EXPECT_EQ(answer.upgraded.head.status, 409U);
  EXPECT_EQ(answer.refusal, "not running");
}

TEST_F(HttpClient, SpeaksToAScriptedServerThatReportsWhatNobodyExpected) {
  EXPECT_EQ(get("/surprise")->head.status, 500U);
  EXPECT_THAT(server_.unexpected(), ElementsAre("GET /surprise"));
}

}  // namespace
}  // namespace gantry::net::http
