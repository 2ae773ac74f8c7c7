#include "api/console.hpp"

#include "api/testing_fake.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using testing::HasSubstr;
using namespace std::string_view_literals;

/// What `printf hello | brotli -q 11` writes.
constexpr auto packed = "\x0f\x02\x80hello\x03"sv;

const std::array assets{
    Asset{"/assets/app-1.js", "text/javascript; charset=utf-8", "\"1\"", packed},
    Asset{"/index.html", "text/html; charset=utf-8", "\"2\"", packed},
};

class ConsoleTest : public testing::Test {
 protected:
  net::http::Response read(std::string target, net::http::Headers headers = {}) {
    return server_.send("GET", std::move(target), {}, std::move(headers));
  }
  TestServer server_{{.console = assets}};
};

TEST_F(ConsoleTest, ThePageIsReadWithoutSigningIn) {
  auto page = read("/");
  EXPECT_EQ(page.head.status, 200U);
  EXPECT_EQ(page.body, "hello");
  EXPECT_EQ(page.head.headers.get("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.head.headers.get("Cache-Control"), "no-cache");
  EXPECT_EQ(page.head.headers.get("Content-Security-Policy"), page_policy);
}

TEST_F(ConsoleTest, ABrowserThatUnderstandsBrotliGetsIt) {
  auto page = read("/", {{"Accept-Encoding", "gzip, deflate, br"}});
  EXPECT_EQ(page.head.headers.get("Content-Encoding"), "br");
  EXPECT_EQ(page.body, packed);
  EXPECT_EQ(page.head.headers.get("Vary"), "Accept-Encoding");
}

TEST_F(ConsoleTest, FilesWithAHashInTheirNameStayInTheBrowser) {
  auto script = read("/assets/app-1.js");
  EXPECT_EQ(script.head.headers.get("Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(script.head.headers.get("Cache-Control"), "public, max-age=31536000, immutable");
}

TEST_F(ConsoleTest, ThePageIsNotSentTwice) {
  auto etag = std::string{read("/").head.headers.get("ETag")};
  auto again = read("/", {{"If-None-Match", etag}});
  EXPECT_EQ(again.head.status, 304U);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(read("/", {{"If-None-Match", "\"other\""}}).head.status, 200U);
}

TEST_F(ConsoleTest, TheConsolesOwnPlacesGetThePage) {
  for (auto place : {"/setup", "/run", "/containers/abc", "/index.html"}) {
    EXPECT_EQ(read(place).body, "hello") << place;
  }
}

TEST_F(ConsoleTest, WhatIsNeitherFileNorPlaceIsNotFound) {
  for (auto path : {"/favicon.ico", "/assets/nothing", "/assets/../index.html", "/api", "/api/x",
                    "/api/v1/../../index.html", "/etc/passwd.txt"}) {
    EXPECT_EQ(refusal_of(read(path)), "404 no_such_route") << path;
  }
}

TEST_F(ConsoleTest, HeadIsGetWithoutTheBody) {
  auto head = server_.send("HEAD", "/");
  EXPECT_EQ(head.head.status, 200U);
  EXPECT_EQ(head.head.headers.get("Content-Length"), "5");
  EXPECT_EQ(head.body, "");
}

TEST_F(ConsoleTest, FilesCanOnlyBeRead) {
  auto refused = server_.send("POST", "/", "{}");
  EXPECT_EQ(refusal_of(refused), "405 method_not_allowed");
  EXPECT_EQ(refused.head.headers.get("Allow"), "GET, HEAD");
}

TEST(AcceptEncodingTest, BrotliIsTakenWhereItIsNotRefused) {
  EXPECT_TRUE(accepts_brotli("br"));
  EXPECT_TRUE(accepts_brotli("gzip;q=1.0, br;q=0.8"));
  EXPECT_TRUE(accepts_brotli("BR ; q=0.01"));
  EXPECT_FALSE(accepts_brotli("gzip, br;q=0"));
  EXPECT_FALSE(accepts_brotli("br;q=0.000"));
  EXPECT_FALSE(accepts_brotli(""));
  EXPECT_FALSE(accepts_brotli("brotli"));
}

TEST(EmbeddedConsoleTest, EveryFileCanBeReadWithoutBrotli) {
  TestServer server;
  ASSERT_FALSE(console_assets().empty());
  for (const auto& asset : console_assets()) {
    auto file = server.send("GET", std::string{asset.path});
    EXPECT_EQ(file.head.status, 200U) << asset.path;
    EXPECT_FALSE(file.body.empty()) << asset.path;
  }
  EXPECT_THAT(server.send("GET", "/").body, HasSubstr("<title>Gantry</title>"));
}

}  // namespace
}  // namespace gantry::api
