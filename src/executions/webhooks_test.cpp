#include "executions/webhooks.hpp"

#include "async/deadline.hpp"
#include "base/encoding.hpp"
#include "executions/testing_fake.hpp"
#include "net/http_server.hpp"

#include <fmt/format.h>

namespace gantry::executions {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string refused(std::string_view url) {
  auto target = parse_webhook(url);
  return target ? "" : target.error().message;
}

TEST(WebhookAddress, IsTakenApart) {
  auto target = parse_webhook("HTTP://Example.org:8080/a/b?c=d").value();
  EXPECT_EQ(target.host, "Example.org");
  EXPECT_EQ(target.port, 8080);
  EXPECT_EQ(target.path, "/a/b?c=d");
}

TEST(WebhookAddress, HasItsUsualParts) {
  EXPECT_EQ(parse_webhook("http://example.org")->port, 80);
  EXPECT_EQ(parse_webhook("http://example.org")->path, "/");
  EXPECT_EQ(parse_webhook("http://example.org?x")->path, "/?x");
  EXPECT_EQ(parse_webhook("http://[2606:4700::1]:81/")->host, "2606:4700::1");
  EXPECT_EQ(parse_webhook("http://[2606:4700::1]:81/")->port, 81);
}

TEST(WebhookAddress, IsNothingElse) {
  for (const auto* url : {"", "example.org", "ftp://example.org/", "file:///etc/passwd", "http://",
                          "http:///x", "http://a b/", "http://h\xc3\xb6st/", "http://host/#x",
                          "http://user:secret@host/", "http://host:0/", "http://host:65536/",
                          "http://host:/", "http://[::1", "http://[::1]x/", "http://ho\\st/"}) {
    EXPECT_NE(refused(url), "") << url;
  }
  EXPECT_NE(refused("http://host/" + std::string(2'048, 'x')), "");
  EXPECT_THAT(refused("https://example.org/"), HasSubstr("https"));
}

std::string body_of(const Record& record) {
  return fmt::format(R"({{"id":"{}","verdict":"{}"}})", record.id.text(),
                     sandbox::word(record.outcome->verdict));
}

/// Somebody who is told.
struct Listener {
  std::vector<net::http::RequestHead> heads;
  std::vector<std::string> bodies;
  std::vector<unsigned> answers;  ///< One after the other, then 200.

  async::task<void> handle(net::http::Exchange& exchange) {
    heads.push_back(exchange.request());
    bodies.push_back((co_await exchange.body(Bytes{1U << 20U})).value_or("too large"));
    auto status = heads.size() <= answers.size() ? answers[heads.size() - 1] : 200U;
    co_await exchange.respond({.status = status, .headers = {{"Location", "/elsewhere"}}}, "");
  }
};

class WebhooksTest : public ExecutionsFixture {
 protected:
  void SetUp() override {
    ExecutionsFixture::SetUp();
    port_ = value_or_throw(server_.listen("127.0.0.1:0"));
    serving_.spawn("server", server_.run());
    make(net::Reach::anything);
  }
  void TearDown() override {
    ExecutionsFixture::TearDown();
    loop_.run(webhooks_->close());
    loop_.run(server_.close(Milliseconds{100}));
    loop_.run(serving_.close());
  }
  void make(net::Reach reach) {
    stop();
    if (webhooks_) loop_.run(webhooks_->close());
    webhooks_ =
        std::make_unique<Webhooks>(loop_.executor(), *database_,
                                   Webhooks::Settings{.secret = Secret{"s3cret"},
                                                      .reach = reach,
                                                      .body = &body_of,
                                                      .clock = Clock{[this] { return now_; }},
                                                      .attempts_max = 3,
                                                      .first_pause = Milliseconds{10}});
    start({.webhooks = webhooks_.get()});
  }
  ExecutionId run_to_its_end() {
    auto order = order_of(1);
    order.submissions[0].webhook = fmt::format("http://127.0.0.1:{}/hook?x=1", port_);
    auto before = sandbox_.runs.size();
    auto id = place(std::move(order))->records[0].id;
    loop_.run(async::until([&] { return sandbox_.runs.size() > before; }));
    sandbox_.runs.back()->end(success());
    ended(id);
    return id;
  }
  void until_told(std::size_t count) {
    loop_.run(async::until([&] { return listener_.heads.size() >= count; }));
  }
  void until_nothing_is_untold() {
    for (int i = 0; i < 200 && !untold().empty(); ++i) loop_.run(async::pause(Milliseconds{10}));
    EXPECT_THAT(untold(), IsEmpty());
  }
  std::vector<ExecutionId> untold() { return loop_.run(store::untold(*database_, 10)); }

  Listener listener_;
  net::http::Server server_{loop_.executor(), {}, [this](net::http::Exchange& exchange) {
                              return listener_.handle(exchange);
                            }};
  std::uint16_t port_ = 0;
  async::TaskScope serving_{loop_.executor()};
  std::unique_ptr<Webhooks> webhooks_;
};

TEST_F(WebhooksTest, TheEndIsToldOnceAndSigned) {
  auto id = run_to_its_end();
  until_nothing_is_untold();
  ASSERT_THAT(listener_.heads, SizeIs(1));
  const auto& head = listener_.heads[0];
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/hook?x=1");
  EXPECT_EQ(head.headers.get("Host"), fmt::format("127.0.0.1:{}", port_));
  EXPECT_EQ(head.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(head.headers.get("Gantry-Delivery"), id.text());
  auto body = fmt::format(R"({{"id":"{}","verdict":"ok"}})", id.text());
  EXPECT_EQ(listener_.bodies[0], body);
  auto seconds = std::chrono::floor<Seconds>(now_).time_since_epoch().count();
  EXPECT_EQ(head.headers.get("Gantry-Signature"),
            fmt::format("t={},v1={}", seconds,
                        encoding::hmac_sha256_hex("s3cret", fmt::format("{}.{}", seconds, body))));
}

TEST_F(WebhooksTest, AFailureIsTriedAgain) {
  listener_.answers = {500, 503};
  run_to_its_end();
  until_nothing_is_untold();
  EXPECT_THAT(listener_.heads, SizeIs(3));
}

TEST_F(WebhooksTest, ItIsGivenUpInTheEndAndNoRedirectIsFollowed) {
  listener_.answers = {302, 302, 302, 302};
  run_to_its_end();
  until_nothing_is_untold();
  EXPECT_THAT(listener_.heads, SizeIs(3));
  EXPECT_EQ(listener_.heads[2].target, "/hook?x=1");
}

TEST_F(WebhooksTest, WhoeverAsksForNoneIsNotTold) {
  auto [id, run] = running();
  run->end(success());
  ended(id);
  EXPECT_THAT(untold(), IsEmpty());
  EXPECT_THAT(listener_.heads, IsEmpty());
}

TEST_F(WebhooksTest, PrivateAddressesAreRefusedWhenTheyAreNamedAndWhenTheyAreDialled) {
  make(net::Reach::public_only);
  EXPECT_EQ(executions_->check_webhook("http://127.0.0.1/").error().code, "invalid_webhook");
  EXPECT_EQ(executions_->check_webhook("http://[::1]/").error().code, "invalid_webhook");
  EXPECT_TRUE(executions_->check_webhook("http://localhost/"));
  run_to_its_end();
  until_nothing_is_untold();
  EXPECT_THAT(listener_.heads, IsEmpty());
}

TEST_F(WebhooksTest, WhatAStopLeftUntoldIsToldAfterTheNextStart) {
  stop();
  loop_.run(webhooks_->close());
  Record record{.id = ExecutionId{"zzz"}, .owner = "ann", .created_at = now_};
  record.webhook = fmt::format("http://127.0.0.1:{}/", port_);
  loop_.run(store::insert(*database_, {{record, std::nullopt}}, std::nullopt, now_));
  make(net::Reach::anything);
  loop_.run(webhooks_->start());
  until_nothing_is_untold();
  EXPECT_THAT(listener_.bodies, ElementsAre(R"({"id":"zzz","verdict":"infrastructure_error"})"));
}

using WithoutWebhooks = ExecutionsFixture;

TEST_F(WithoutWebhooks, TheyAreRefused) {
  EXPECT_EQ(executions_->check_webhook("http://example.org/").error().code, "invalid_webhook");
}

}  // namespace
}  // namespace gantry::executions
