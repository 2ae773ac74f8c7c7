#include "api/guard.hpp"

#include "api/cookie.hpp"

#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using net::http::Headers;
using net::http::Peer;
using net::http::RequestHead;

const Peer loopback{"127.0.0.1", 5920, Peer::Listener::loopback};
const Peer open_peer{"192.0.2.7", 5920, Peer::Listener::open};
const std::vector<std::string> allowed{"gantry.example"};

std::string host_verdict(std::string host, const Peer& peer) {
  auto checked = check_host({"GET", "/", {{"Host", std::move(host)}}}, peer, allowed);
  return checked ? "served" : checked.error().error.code;
}

std::string origin_verdict(Headers headers, const Peer& peer = loopback,
                           std::string method = "POST") {
  if (!headers.has("Host")) headers.set("Host", "127.0.0.1:5920");
  auto checked = check_origin({std::move(method), "/", std::move(headers)}, peer);
  return checked ? "accepted" : checked.error().error.code;
}

TEST(HostTest, ALoopbackListenerIsCalledByItsOwnNamesOnly) {
  for (auto host : {"127.0.0.1:5920", "localhost:5920", "LOCALHOST", "[::1]:5920", "127.0.0.1"}) {
    EXPECT_EQ(host_verdict(host, loopback), "served") << host;
  }
  for (auto host : {"127.0.0.1:80", "evil.example:5920", "localhost.", "127.0.0.1.evil.example",
                    "192.0.2.7:5920", "gantry.example", "", "localhost:", "localhost:x",
                    "user@localhost:5920", "[::1", "0.0.0.0:5920", "localhost:5920:5920"}) {
    EXPECT_EQ(host_verdict(host, loopback), "host_not_allowed") << host;
  }
}

TEST(HostTest, AnOpenListenerIsCalledByAddressOrByAListedName) {
  for (auto host : {"192.0.2.7:5920", "[2001:db8::1]", "gantry.example", "Gantry.Example:443",
                    "localhost:5920"}) {
    EXPECT_EQ(host_verdict(host, open_peer), "served") << host;
  }
  for (auto host : {"evil.example", "gantry.example.", "1.2.3.evil", "x.gantry.example"}) {
    EXPECT_EQ(host_verdict(host, open_peer), "host_not_allowed") << host;
  }
}

TEST(HostTest, TwoHostsAreNone) {
  RequestHead request{"GET", "/", {{"Host", "localhost"}, {"Host", "localhost"}}};
  EXPECT_FALSE(check_host(request, loopback, allowed));
}

TEST(OriginTest, ProgramsThatSendNeitherHeaderAreAccepted) {
  EXPECT_EQ(origin_verdict({}), "accepted");
}

TEST(OriginTest, OurOwnPageIsAccepted) {
  EXPECT_EQ(origin_verdict({{"Origin", "http://127.0.0.1:5920"}}), "accepted");
  EXPECT_EQ(
      origin_verdict({{"Origin", "http://127.0.0.1:5920"}, {"Sec-Fetch-Site", "same-origin"}}),
      "accepted");
  EXPECT_EQ(origin_verdict({{"Host", "localhost:80"}, {"Origin", "http://localhost"}}), "accepted");
}

TEST(OriginTest, AnythingElseIsAnotherSite) {
  for (auto origin :
       {"http://evil.example", "null", "http://127.0.0.1:5921", "http://127.0.0.1",
        "https://127.0.0.1:5920", "http://localhost:5920", "", "http://127.0.0.1:5920.evil.example",
        "http://127.0.0.1:5920/", "http://user@127.0.0.1:5920", "file://", "127.0.0.1:5920"}) {
    EXPECT_EQ(origin_verdict({{"Origin", origin}}), "cross_site_request") << origin;
  }
  for (auto site : {"cross-site", "same-site", ""}) {
    EXPECT_EQ(origin_verdict({{"Sec-Fetch-Site", site}}), "cross_site_request") << site;
  }
  EXPECT_EQ(origin_verdict({{"Origin", "http://127.0.0.1:5920"}, {"Sec-Fetch-Site", "cross-site"}}),
            "cross_site_request");
}

TEST(OriginTest, AProxyMaySpeakTlsInFrontOfAnOpenListener) {
  EXPECT_EQ(
      origin_verdict({{"Host", "gantry.example"}, {"Origin", "https://gantry.example"}}, open_peer),
      "accepted");
}

TEST(OriginTest, OnAListenerThatSpeaksTlsOnlyHttpsIsOurs) {
  auto tls_peer = open_peer;
  tls_peer.transport = Transport::tls;
  auto verdict = [&](const char* origin) {
    return origin_verdict({{"Host", "gantry.example"}, {"Origin", origin}}, tls_peer);
  };
  EXPECT_EQ(verdict("https://gantry.example"), "accepted");
  EXPECT_EQ(verdict("http://gantry.example"), "cross_site_request");
  EXPECT_EQ(verdict("https://other.example"), "cross_site_request");
}

TEST(OriginTest, OnlyUnsafeRequestsAndUpgradesAreAsked) {
  EXPECT_EQ(origin_verdict({{"Origin", "http://evil.example"}}, loopback, "GET"), "accepted");
  EXPECT_EQ(origin_verdict({{"Origin", "http://evil.example"}, {"Upgrade", "websocket"}}, loopback,
                           "GET"),
            "cross_site_request");
  EXPECT_EQ(origin_verdict({{"Origin", "http://evil.example"}}, loopback, "DELETE"),
            "cross_site_request");
}

TEST(ContentTypeTest, OnlyJsonIsReadAsJson) {
  auto verdict = [](std::string_view type) {
    return check_content_type({"POST", "/", {{"Content-Type", std::string{type}}}}).has_value();
  };
  EXPECT_TRUE(verdict("application/json"));
  EXPECT_TRUE(verdict("Application/JSON; charset=utf-8"));
  EXPECT_FALSE(verdict("text/plain"));
  EXPECT_FALSE(verdict("application/jsonp"));
  EXPECT_FALSE(verdict(""));
  EXPECT_EQ(check_content_type({"POST", "/", {}}).error().status, 415U);
  RequestHead zipped{
      "POST", "/", {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}}};
  EXPECT_EQ(check_content_type(zipped).error().status, 415U);
}

TEST(CookieTest, TheNameTellsTransportAndPort) {
  EXPECT_EQ(cookie_name(Transport::plain, 5920), "gantry_5920");
  EXPECT_EQ(cookie_name(Transport::tls, 443), "__Host-gantry");
}

TEST(CookieTest, ASessionIsOutOfReachForScriptsAndOtherSites) {
  EXPECT_EQ(session_cookie(Transport::plain, 5920, Secret{"s3cret"}, Seconds{60}),
            "gantry_5920=s3cret; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
  EXPECT_EQ(session_cookie(Transport::tls, 443, Secret{"s3cret"}, Seconds{60}),
            "__Host-gantry=s3cret; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
  EXPECT_EQ(cleared_cookie(Transport::plain, 5920),
            "gantry_5920=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
}

TEST(CookieTest, ACookieIsFoundAmongOthersButNotWhenItComesTwice) {
  Headers headers{{"Cookie", "a=1; gantry_5920=x=y ;b=2"}, {"Cookie", "gantry_59=z"}};
  EXPECT_EQ(find_cookie(headers, "gantry_5920"), "x=y");
  EXPECT_EQ(find_cookie(headers, "gantry_592"), std::nullopt);
  headers.add("Cookie", "gantry_5920=planted");
  EXPECT_EQ(find_cookie(headers, "gantry_5920"), std::nullopt);
}

}  // namespace
}  // namespace gantry::api
