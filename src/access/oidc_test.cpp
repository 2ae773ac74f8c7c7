#include "access/oidc.hpp"

#include "access/oidc_provider_fake.hpp"
#include "access/testing_fake.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace gantry::access {
namespace {

class OidcTest : public testing::Test {
 protected:
  OidcTest() { begin(TestProvider::settings()); }

  void begin(OidcSettings settings) {
    oidc_ = std::make_unique<Oidc>(
        house_.loop().executor(), std::move(settings), Clock{[this] { return provider_.now; }},
        Sealer{Secret{std::string(Sealer::key_bytes, 'k')}}, provider_.dial());
  }
  Oidc::Start start() { return value_or_throw(house_.run(oidc_->start())); }
  Result<Vouched> finish(Oidc::Return returned) {
    return house_.run(oidc_->finish(std::move(returned)));
  }
  Oidc::Return round_trip() {
    auto started = start();
    auto granted = provider_.grant(started.url);
    return {granted.code, granted.state, {}, std::string{started.cookie.reveal()}};
  }
  std::string outcome(Oidc::Return returned) {
    auto vouched = finish(std::move(returned));
    return vouched ? "in" : vouched.error().code;
  }
  std::string outcome() { return outcome(round_trip()); }
  /// What becomes of a token with this change to its claims.
  std::string with(std::function<void(json::Object&)> change) {
    provider_.change_claims = std::move(change);
    return outcome();
  }

  TestAccess house_;
  TestProvider provider_;
  std::unique_ptr<Oidc> oidc_;
};

TEST_F(OidcTest, TheProviderVouchesForSomebody) {
  auto vouched = value_or_throw(finish(round_trip()));
  EXPECT_EQ(vouched.issuer, TestProvider::issuer);
  EXPECT_EQ(vouched.subject, "248289761001");
  EXPECT_EQ(vouched.name, "Jane Doe");
  EXPECT_EQ(vouched.role, Role::operator_);
}

TEST_F(OidcTest, BothKindsOfKeysSign) {
  provider_.algorithm = "ES256";
  EXPECT_EQ(outcome(), "in");
}

TEST_F(OidcTest, TheBrowserIsSentWithStateNonceAndChallenge) {
  auto url = start().url;
  EXPECT_TRUE(url.starts_with("https://id.example/authorize?response_type=code&client_id=gantry"));
  for (auto part : {"&code_challenge_method=S256",
                    "&state=", "&nonce=", "&code_challenge=", "&scope=openid%20profile%20email",
                    "&redirect_uri=https%3A%2F%2Fgantry.example%2Fapi%2Fv1%2Foidc%2Fcallback"}) {
    EXPECT_NE(url.find(part), url.npos) << part;
  }
  EXPECT_NE(start().url, url);
}

TEST_F(OidcTest, WhatOneAddressBeginsAndDoesNotEndIsBounded) {
  constexpr const char* here = "2001:db8::7";
  auto code = [this](std::string address) {
    auto started = house_.run(oidc_->start(std::move(address)));
    return started ? std::string{"begun"} : started.error().code;
  };
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(code(here), "begun");
    EXPECT_EQ(outcome({.code = "x", .state = "x", .issuer = {}, .cookie = {}, .address = here}),
              "oidc_state");
  }
  EXPECT_EQ(code("2001:db8::ffff"), "too_many_attempts") << "the same network";
  EXPECT_EQ(outcome({.code = "x", .state = "x", .issuer = {}, .cookie = {}, .address = here}),
            "too_many_attempts");
  EXPECT_EQ(code("2001:db8:0:1::7"), "begun");
  provider_.now += std::chrono::minutes{11};
  EXPECT_EQ(code(here), "begun");
}

TEST_F(OidcTest, WhoeverComesInIsNotCounted) {
  for (int i = 0; i < 70; ++i) {
    auto started = value_or_throw(house_.run(oidc_->start("192.0.2.7")));
    auto granted = provider_.grant(started.url);
    ASSERT_EQ(outcome({.code = granted.code,
                       .state = granted.state,
                       .issuer = {},
                       .cookie = std::string{started.cookie.reveal()},
                       .address = "192.0.2.7"}),
              "in");
  }
}

TEST_F(OidcTest, WhatIsNotTheVisitorsFaultIsNotCounted) {
  constexpr const char* here = "192.0.2.7";
  auto begin_here = [&] { return house_.run(oidc_->start(here)); };
  provider_.server().refuse_connections({ErrorKind::unavailable, "not_listening", "nobody", {}});
  for (int i = 0; i < 70; ++i) ASSERT_EQ(begin_here().error().code, "provider_unreachable");
  for (int i = 0; i < 70; ++i) {
    provider_.server().accept_connections();
    auto started = value_or_throw(begin_here());
    auto granted = provider_.grant(started.url);
    provider_.server().refuse_connections({ErrorKind::unavailable, "not_listening", "nobody", {}});
    ASSERT_EQ(outcome({.code = granted.code,
                       .state = granted.state,
                       .issuer = {},
                       .cookie = std::string{started.cookie.reveal()},
                       .address = here}),
              "provider_unreachable");
  }
}

TEST_F(OidcTest, WrongClaimsAreRefused) {
  EXPECT_EQ(with([](json::Object& claims) { claims["nonce"] = "another"; }), "bad_token");
  EXPECT_EQ(with([](json::Object& claims) { claims.erase("nonce"); }), "bad_token");
  EXPECT_EQ(with([](json::Object& claims) { claims["aud"] = "somebody"; }), "bad_token");
  EXPECT_EQ(with([](json::Object& claims) { claims.erase("aud"); }), "bad_token");
  EXPECT_EQ(with([](json::Object& claims) { claims["aud"] = json::Array{"gantry", "somebody"}; }),
            "bad_token")
      << "without azp";
  EXPECT_EQ(with([](json::Object& claims) { claims["azp"] = "somebody"; }), "bad_token");
  EXPECT_EQ(with([](json::Object& claims) { claims["iss"] = "https://evil.example"; }),
            "bad_token");
  EXPECT_EQ(with([](json::Object& claims) { claims["sub"] = ""; }), "bad_token");
  EXPECT_EQ(with([](json::Object& claims) { claims.erase("exp"); }), "bad_token");
  EXPECT_EQ(with([](json::Object& claims) { claims["exp"] = "never"; }), "bad_token");
  EXPECT_EQ(with([](json::Object& claims) { claims["exp"] = claims["iat"].as_int64() - 61; }),
            "bad_token");
  EXPECT_EQ(with([](json::Object& claims) { claims["iat"] = claims["iat"].as_int64() + 61; }),
            "bad_token");
  EXPECT_EQ(with([](json::Object& claims) {
              claims["aud"] = json::Array{"gantry", "somebody"};
              claims["azp"] = "gantry";
            }),
            "in");
}

TEST_F(OidcTest, OnlySignaturesOfTheProvidersKeysCount) {
  provider_.signer = TestProvider::Signer::stranger;
  EXPECT_EQ(outcome(), "bad_token");
  provider_.signer = TestProvider::Signer::own;
  EXPECT_EQ(outcome(), "in");
  for (auto algorithm : {"none", "None", "", "HS256", "RS384", "RS512", "PS256", "ES384"}) {
    provider_.algorithm = algorithm;
    EXPECT_EQ(outcome(), "bad_token") << algorithm;
  }
}

TEST_F(OidcTest, AKeyOfOneKindDoesNotVerifyTheOther) {
  // The public RSA key as an HMAC's secret, and an EC signature under the RSA key's name.
  provider_.algorithm = "HS256";
  provider_.change_header = [](json::Object& header) { header["kid"] = "hs"; };
  EXPECT_EQ(outcome(), "bad_token");
  provider_.algorithm = "ES256";
  provider_.change_header = [](json::Object& header) { header["kid"] = "rs"; };
  EXPECT_EQ(outcome(), "unknown_key");
  provider_.change_header = [](json::Object& header) { header["alg"] = "RS256"; };
  EXPECT_EQ(outcome(), "unknown_key");
  provider_.change_header = [](json::Object& header) { header["crit"] = json::Array{"b64"}; };
  EXPECT_EQ(outcome(), "bad_token");
}

TEST_F(OidcTest, AChangedTokenIsRefused) {
  provider_.change_token = [](std::string token) {
    auto dot = token.find('.');
    token[dot + 10] = token[dot + 10] == 'A' ? 'B' : 'A';
    return token;
  };
  EXPECT_EQ(outcome(), "bad_token");
  for (std::string text : {"", "x", "a.b", "a.b.c.d", "..", "=.=.=", "YQ.YQ.YQ"}) {
    provider_.change_token = [text](const std::string&) { return text; };
    EXPECT_NE(outcome(), "in") << text;
  }
}

TEST_F(OidcTest, AnswersToAnotherBrowserAreRefused) {
  auto mine = round_trip();
  auto theirs = round_trip();
  EXPECT_EQ(outcome({theirs.code, theirs.state, {}, mine.cookie}), "oidc_state");
  EXPECT_EQ(outcome({theirs.code, theirs.state, {}, ""}), "oidc_state");
  EXPECT_EQ(outcome({theirs.code, "", {}, theirs.cookie}), "oidc_state");
  EXPECT_EQ(outcome({theirs.code, "wrong", {}, theirs.cookie}), "oidc_state");
  auto forged = theirs.cookie;
  forged.back() = forged.back() == '0' ? '1' : '0';
  EXPECT_EQ(outcome({theirs.code, theirs.state, {}, forged}), "oidc_state");
  EXPECT_EQ(outcome({theirs.code, theirs.state, "https://evil.example", theirs.cookie}),
            "oidc_state");
  EXPECT_EQ(outcome(mine), "in");
}

TEST_F(OidcTest, ACodeOfAnotherSignInDoesNotFit) {
  auto mine = round_trip();
  auto theirs = round_trip();
  // PKCE: the code is bound to a verifier that only the other browser's cookie holds.
  EXPECT_EQ(outcome({theirs.code, mine.state, {}, mine.cookie}), "oidc_refused");
}

TEST_F(OidcTest, NothingIsGoodTwice) {
  auto mine = round_trip();
  EXPECT_EQ(outcome(mine), "in");
  EXPECT_EQ(outcome(mine), "oidc_state");
  auto again = round_trip();
  EXPECT_EQ(outcome({mine.code, again.state, {}, again.cookie}), "oidc_refused");
}

TEST_F(OidcTest, AfterTenMinutesASignInIsOver) {
  auto mine = round_trip();
  provider_.now += std::chrono::minutes{10};
  EXPECT_EQ(outcome(mine), "oidc_state");
}

TEST_F(OidcTest, ARefusalOfTheProviderIsTold) {
  auto started = start();
  auto granted = provider_.grant(started.url);
  EXPECT_EQ(outcome({"", granted.state, {}, std::string{started.cookie.reveal()}}), "oidc_refused");
}

TEST_F(OidcTest, ComingBackWithNothingUsesNothingUp) {
  auto mine = round_trip();
  auto nothing = mine;
  nothing.code.clear();
  EXPECT_EQ(outcome(nothing), "oidc_refused");
  nothing.code.assign(2'049, 'x');
  EXPECT_EQ(outcome(nothing), "oidc_refused");
  EXPECT_EQ(outcome(mine), "in");
}

TEST_F(OidcTest, TenThousandSignInsThatFailKeepNobodyOut) {
  for (int i = 0; i < 10'000; ++i) {
    auto started = start();
    auto granted = provider_.grant(started.url);
    ASSERT_EQ(
        outcome({"x", granted.state, "https://evil.example", std::string{started.cookie.reveal()}}),
        "oidc_state");
  }
  provider_.now += Milliseconds{1};  // so that others are older
  auto mine = round_trip();
  EXPECT_EQ(outcome(mine), "in");
  EXPECT_EQ(outcome(mine), "oidc_state");
}

TEST_F(OidcTest, AProviderElsewhereMayNotNamePortsOfThisMachine) {
  for (std::string_view key : {"token_endpoint", "jwks_uri", "authorization_endpoint"}) {
    auto settings = TestProvider::settings();
    settings.issuer = fmt::format("https://id.example/{}", key);
    json::Object document{{"issuer", settings.issuer},
                          {"authorization_endpoint", "https://id.example/authorize"},
                          {"token_endpoint", "https://id.example/token"},
                          {"jwks_uri", "https://id.example/keys"}};
    document[key] = "http://127.0.0.1:9000/x";
    provider_.server()
        .expect("GET", fmt::format("/{}/.well-known/openid-configuration", key))
        .reply(200, json::serialize(document))
        .always();
    begin(std::move(settings));
    auto started = house_.run(oidc_->start());
    ASSERT_FALSE(started) << key;
    EXPECT_EQ(started.error().code, "provider_mistaken");
  }
}

TEST_F(OidcTest, WhoHasNoGroupWithARoleStaysOut) {
  EXPECT_EQ(with([](json::Object& claims) { claims["groups"] = json::Array{"guests"}; }),
            "oidc_no_role");
  EXPECT_EQ(with([](json::Object& claims) { claims.erase("groups"); }), "oidc_no_role");
  EXPECT_EQ(with([](json::Object& claims) { claims["groups"] = "chiefs"; }), "in");
}

TEST_F(OidcTest, AProviderThatCallsItselfOtherwiseIsRefused) {
  auto settings = TestProvider::settings();
  settings.issuer += "/";
  begin(std::move(settings));
  auto started = house_.run(oidc_->start());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, "provider_mistaken");
}

TEST_F(OidcTest, AProviderThatIsAwayIsTold) {
  provider_.server().refuse_connections({ErrorKind::unavailable, "not_listening", "nobody", {}});
  auto started = house_.run(oidc_->start());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, "provider_unreachable");
}

TEST(ProviderUrlTest, OnlyTlsLeavesThisMachine) {
  EXPECT_TRUE(ProviderUrl::parse("https://id.example/realm"));
  EXPECT_EQ(ProviderUrl::parse("https://id.example:8443")->port, 8443);
  EXPECT_TRUE(ProviderUrl::parse("http://127.0.0.1:8080/x"));
  EXPECT_TRUE(ProviderUrl::parse("https://[2001:db8::1]:8443/x"));
  for (auto text :
       {"http://id.example", "ftp://id.example", "id.example", "", "https://",
        "https://a@id.example", "https://id.example#x", "https://id.example:0x50",
        "https://id.example:99999", "https://id.example/\n", "http://127.0.0.1.example"}) {
    EXPECT_FALSE(ProviderUrl::parse(text)) << text;
  }
}

class ElsewhereTest : public testing::Test {
 protected:
  Access& access() { return house_.access(); }
  Result<SignedIn> sign_in(std::string subject, std::string name, Role role = Role::viewer) {
    return house_.run(access().sign_in_elsewhere(
        {"https://id.example", std::move(subject), std::move(name), role}, "192.0.2.3", "Firefox"));
  }
  TestAccess house_;
};

TEST_F(ElsewhereTest, TheSameSubjectIsTheSameUser) {
  auto first = value_or_throw(sign_in("1", "Jane Doe"));
  EXPECT_EQ(first.identity.name, "janedoe");
  auto again = value_or_throw(sign_in("1", "Jane Smith"));
  EXPECT_EQ(again.identity.user, first.identity.user);
  house_.restart();
  EXPECT_EQ(value_or_throw(sign_in("1", "x")).identity.user, first.identity.user);
  EXPECT_NE(value_or_throw(sign_in("2", "Jane Doe")).identity.user, first.identity.user);
}

TEST_F(ElsewhereTest, ANameThatIsTakenIsNotTheSameUser) {
  auto signed_in = value_or_throw(sign_in("1", "ADA", Role::viewer));
  EXPECT_NE(signed_in.identity.user, house_.owner().user);
  EXPECT_EQ(signed_in.identity.name, "ada-2");
  EXPECT_EQ(signed_in.identity.role, Role::viewer);
  EXPECT_EQ(value_or_throw(sign_in("2", "…")).identity.name, "user");
}

TEST(NewServer, WhomTheProviderVouchesForDoesNotTakeTheOwnersPlace) {
  TestAccess house{TestAccess::Owner::absent};
  auto sign_in = [&](std::string subject, Role role) {
    auto signed_in = house.run(house.access().sign_in_elsewhere(
        {"https://id.example", std::move(subject), "jane", role}, "192.0.2.3", "Firefox"));
    return signed_in ? "in" : signed_in.error().code;
  };
  EXPECT_EQ(sign_in("1", Role::operator_), "setup_needed");
  EXPECT_TRUE(house.access().setup_needed());
  EXPECT_EQ(sign_in("2", Role::admin), "in");
  EXPECT_EQ(sign_in("1", Role::operator_), "in");
}

TEST_F(ElsewhereTest, TheProvidersRoleHoldsAndAChangeEndsSessions) {
  auto first = value_or_throw(sign_in("1", "jane", Role::operator_));
  auto again = value_or_throw(sign_in("1", "jane", Role::viewer));
  EXPECT_EQ(again.identity.role, Role::viewer);
  EXPECT_FALSE(access().still_valid(first.identity));
}

TEST_F(ElsewhereTest, TheLastAdminStaysOne) {
  auto jane = value_or_throw(sign_in("1", "jane", Role::admin));
  ASSERT_TRUE(house_.run(access().remove_user(jane.identity, house_.owner().user)));
  EXPECT_EQ(value_or_throw(sign_in("1", "jane", Role::viewer)).identity.role, Role::admin);
}

TEST_F(ElsewhereTest, WhoIsDisabledStaysOut) {
  auto jane = value_or_throw(sign_in("1", "jane"));
  ASSERT_TRUE(
      house_.run(access().set_standing(house_.owner(), jane.identity.user, Standing::disabled)));
  EXPECT_EQ(sign_in("1", "jane").error().code, "user_disabled");
}

TEST_F(ElsewhereTest, ThereIsNoPasswordToGuess) {
  auto jane = value_or_throw(sign_in("1", "jane"));
  for (std::string_view guess : {"x", "correct horse"}) {
    auto tried = house_.run(access().sign_in("jane", Secret{std::string{guess}}, "192.0.2.4"));
    EXPECT_EQ(tried.error().code, "bad_credentials");
  }
  EXPECT_EQ(access().begin_totp(jane.identity).error().code, "no_password");
}

TEST_F(ElsewhereTest, NewcomersMayBeKeptToSomeHosts) {
  auto come = [this] {
    return value_or_throw(house_.run(
        access().sign_in_elsewhere({.issuer = "https://id.example",
                                    .subject = "1",
                                    .name = "jane",
                                    .role = Role::operator_,
                                    .first_grants = {{.group = "staging", .role = Role::viewer}}},
                                   "192.0.2.3", "Firefox")));
  };
  auto jane = come();
  auto role = [&](std::string group) {
    return access().rights(jane.identity).role_on("web1", std::vector{std::move(group)}, {});
  };
  EXPECT_EQ(role("staging"), Role::viewer);
  EXPECT_FALSE(role("production"));
  auto page = value_or_throw(
      house_.run(access().audit_page(1, "", {.actor = "oidc", .action = "user.create"})));
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_NE(page.items[0].entry.details.find(R"("first_grants":["group staging: viewer"])"),
            std::string::npos)
      << page.items[0].entry.details;
  ASSERT_TRUE(house_.run(access().set_grants(house_.owner(), jane.identity.user, {})));
  come();
  EXPECT_EQ(role("production"), Role::operator_) << "what an admin has said holds";
  ASSERT_TRUE(house_.run(access().remove_user(house_.owner(), jane.identity.user)));
  jane = come();
  house_.restart();
  EXPECT_FALSE(role("production")) << "who was removed comes back with no more than a newcomer";
}

TEST_F(ElsewhereTest, ARemovedUserComesBackAsANewOne) {
  auto jane = value_or_throw(sign_in("1", "jane"));
  ASSERT_TRUE(house_.run(access().remove_user(house_.owner(), jane.identity.user)));
  EXPECT_NE(value_or_throw(sign_in("1", "jane")).identity.user, jane.identity.user);
}

}  // namespace
}  // namespace gantry::access
