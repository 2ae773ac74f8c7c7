#include "executions/webhooks.hpp"

#include "async/deadline.hpp"
#include "async/race.hpp"
#include "base/encoding.hpp"
#include "executions/testing_fake.hpp"
#include "net/http_server.hpp"
#include "net/tls_certificates_fake.hpp"

#include <algorithm>

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

TEST(WebhookAddress, MayBeOneOfTls) {
  auto target = parse_webhook("https://example.org/a").value();
  EXPECT_EQ(target.transport, net::http::Transport::tls);
  EXPECT_EQ(target.port, 443);
  EXPECT_EQ(parse_webhook("https://example.org:8443/")->port, 8443);
  EXPECT_EQ(parse_webhook("http://example.org/")->transport, net::http::Transport::plain);
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
}

std::string body_of(const Record& record) {
  return fmt::format(R"({{"id":"{}","verdict":"{}"}})", record.id.text(),
                     sandbox::word(record.outcome->verdict));
}

/// Somebody who is told.
struct Listener {
  explicit Listener(const async::Executor& executor) : released{executor} {}

  std::vector<net::http::RequestHead> heads;
  std::vector<std::string> bodies;
  std::vector<unsigned> answers;  ///< One after the other, then 200.
  async::StopSignal released;     ///< Until then `/hang` gets no answer.
  std::function<void()> on_request = [] {};

  async::task<void> handle(net::http::Exchange& exchange) {
    on_request();
    heads.push_back(exchange.request());
    bodies.push_back((co_await exchange.body(Bytes{1U << 20U})).value_or("too large"));
    auto status = heads.size() <= answers.size() ? answers[heads.size() - 1] : 200U;
    if (exchange.request().target == "/hang") co_await released.wait();
    co_await exchange.respond({.status = status, .headers = {{"Location", "/elsewhere"}}}, "");
  }
  std::size_t count(std::string_view target) const {
    return static_cast<std::size_t>(
        std::ranges::count(heads, target, &net::http::RequestHead::target));
  }
};

class WebhooksTest : public ExecutionsFixture {
 protected:
  void SetUp() override {
    ExecutionsFixture::SetUp();
    port_ = value_or_throw(server_.listen("127.0.0.1:0"));
    tls_port_ = value_or_throw(server_.listen_tls("127.0.0.1:0", [this] { return certificate_; }));
    serving_.spawn("server", server_.run());
    make({.reach = net::Reach::anything});
  }
  void TearDown() override {
    listener_.released.stop();
    ExecutionsFixture::TearDown();
    loop_.run(webhooks_->close());
    loop_.run(server_.close(Milliseconds{100}));
    loop_.run(serving_.close());
  }
  void make(Webhooks::Settings settings) {
    stop();
    if (webhooks_) loop_.run(webhooks_->close());
    settings.secret = Secret{"s3cret"};
    settings.body = &body_of;
    settings.attempts_max = 3;
    settings.first_pause = first_pause_;
    webhooks_ = std::make_unique<Webhooks>(loop_.executor(), *database_, std::move(settings));
    start({.webhooks = webhooks_.get()});
    loop_.run(webhooks_->start());
  }
  ExecutionId run_to_its_end() {
    auto order = order_of(1);
    order.submissions[0].webhook = url_;
    if (url_.empty()) order.submissions[0].webhook = plain("/hook?x=1");
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
    for (int i = 0; i < 6'000 && !untold().empty(); ++i) loop_.run(async::pause(Milliseconds{10}));
    EXPECT_THAT(untold(), IsEmpty());
  }
  /// What is to be told now or later.
  std::vector<store::Delivery> untold() {
    auto some_day = WallTime{Milliseconds{9'000'000'000'000}};
    return loop_.run(store::settle(*database_, {}, some_day, {1'000, 1'000})).now;
  }
  std::string plain(std::string_view path) const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
  }
  /// Executions that an earlier process has left behind untold.
  void leave_untold(std::string account, std::string_view path, int count) {
    std::vector<store::Fresh> fresh;
    for (int i = 0; i < count; ++i) {
      Record record{.id = ExecutionId{fmt::format("{}-{:03}", account, i)}, .created_at = now_};
      record.owner_id = account;
      record.webhook = plain(path);
      fresh.push_back({std::move(record), std::nullopt});
    }
    loop_.run(store::insert(*database_, std::move(fresh), std::nullopt, now_));
  }

  Listener listener_{loop_.executor()};
  net::TestAuthority authority_;
  net::TlsServer certificate_ = authority_.server();
  Milliseconds first_pause_{10};
  std::string url_;
  std::uint16_t tls_port_ = 0;
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
  auto signature = std::string{head.headers.get("Gantry-Signature")};
  auto time = signature.substr(2, signature.find(',') - 2);
  EXPECT_EQ(signature,
            fmt::format("t={},v1={}", time,
                        encoding::hmac_sha256_hex("s3cret", fmt::format("{}.{}", time, body))));
}

TEST_F(WebhooksTest, TheEndIsToldOverTls) {
  make({.reach = net::Reach::anything, .tls = authority_.client()});
  url_ = fmt::format("https://127.0.0.1:{}/", tls_port_);
  run_to_its_end();
  until_nothing_is_untold();
  EXPECT_THAT(listener_.heads, SizeIs(1));
}

TEST_F(WebhooksTest, NothingIsToldToWhomTheCertificateIsNotFor) {
  certificate_ = authority_.server({.alternatives = "DNS:other.example"});
  make({.reach = net::Reach::anything, .tls = authority_.client()});
  url_ = fmt::format("https://127.0.0.1:{}/", tls_port_);
  run_to_its_end();
  until_nothing_is_untold();
  EXPECT_THAT(listener_.heads, IsEmpty());
}

TEST_F(WebhooksTest, NobodyIsTrustedWhomTheSystemDoesNotTrust) {
  url_ = fmt::format("https://127.0.0.1:{}/", tls_port_);
  run_to_its_end();
  until_nothing_is_untold();
  EXPECT_THAT(listener_.heads, IsEmpty());
}

TEST_F(WebhooksTest, OneUserDoesNotTakeAllThePlaces) {
  leave_untold("ann", "/hang", 20);
  leave_untold("bob", "/", 5);
  make({.reach = net::Reach::anything});
  loop_.run(async::until([&] { return listener_.count("/") == 5; }));
  EXPECT_EQ(listener_.count("/hang"), 4U);
  listener_.released.stop();
  until_nothing_is_untold();
  EXPECT_EQ(listener_.count("/hang"), 20U);
}

TEST_F(WebhooksTest, WhatFailsHoldsUpNothingElse) {
  listener_.answers.assign(8, 500);
  first_pause_ = Milliseconds{60'000};
  leave_untold("ann", "/dead", 8);
  make({.reach = net::Reach::anything});
  loop_.run(async::until([&] { return listener_.count("/dead") == 8; }));
  run_to_its_end();
  until_told(9);
  EXPECT_EQ(listener_.count("/hook?x=1"), 1U);
}

TEST_F(WebhooksTest, WhatCouldNotBeWrittenDownIsNotToldAgain) {
  listener_.on_request = [this] { database_->broken = true; };
  run_to_its_end();
  until_told(1);
  loop_.run(async::pause(Milliseconds{100}));
  listener_.on_request = [] {};
  database_->broken = false;
  until_nothing_is_untold();
  EXPECT_THAT(listener_.heads, SizeIs(1));
}

TEST_F(WebhooksTest, AttemptsAreCountedBeyondARestart) {
  listener_.answers.assign(10, 500);
  first_pause_ = Milliseconds{60'000};
  make({.reach = net::Reach::anything});
  run_to_its_end();
  for (int i = 0; i < 6'000 && untold()[0].attempts == 0; ++i) {
    loop_.run(async::pause(Milliseconds{10}));
  }
  EXPECT_EQ(untold()[0].attempts, 1);
  // From now on every look at the clock is later than any pause lasts.
  auto time = Clock{}.now();
  make({.reach = net::Reach::anything, .clock = Clock{[&] { return time += Seconds{3'600}; }}});
  until_nothing_is_untold();
  EXPECT_THAT(listener_.heads, SizeIs(3));
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
  make({.reach = net::Reach::public_only});
  EXPECT_EQ(executions_->check_webhook("http://127.0.0.1/").error().code, "invalid_webhook");
  EXPECT_EQ(executions_->check_webhook("http://[::1]/").error().code, "invalid_webhook");
  EXPECT_TRUE(executions_->check_webhook("http://localhost/"));
  run_to_its_end();
  until_nothing_is_untold();
  EXPECT_THAT(listener_.heads, IsEmpty());
}

TEST_F(WebhooksTest, WhatAStopLeftUntoldIsToldAfterTheNextStart) {
  leave_untold("zzz", "/", 1);
  make({.reach = net::Reach::anything});
  until_nothing_is_untold();
  EXPECT_THAT(listener_.bodies,
              ElementsAre(R"({"id":"zzz-000","verdict":"infrastructure_error"})"));
}

using WithoutWebhooks = ExecutionsFixture;

TEST_F(WithoutWebhooks, TheyAreRefused) {
  EXPECT_EQ(executions_->check_webhook("http://example.org/").error().code, "invalid_webhook");
}

}  // namespace
}  // namespace gantry::executions
