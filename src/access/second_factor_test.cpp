#include "access/testing_fake.hpp"
#include "access/totp.hpp"
#include "async/scope.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace gantry::access {
namespace {

/// The bytes behind a text in base32.
Secret bytes_of(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string bytes;
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (char c : text) {
    held = held << 5U | static_cast<std::uint32_t>(alphabet.find(c));
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(held >> bits & 0xffU);
  }
  return Secret{bytes};
}

class SecondFactorTest : public testing::Test {
 protected:
  Access& access() { return house_.access(); }
  const Identity& ada() const { return house_.owner(); }
  std::string code(int steps = 0) const {
    return totp::code(secret_, totp::step_at(house_.now()) + steps);
  }
  std::vector<Secret> enrol() {
    auto begun = value_or_throw(access().begin_totp(ada()));
    secret_ = bytes_of(begun.secret.reveal());
    return value_or_throw(house_.run(access().confirm_totp(ada(), code(), TestAccess::password())));
  }
  Result<SignedIn> sign_in(std::string with, Secret password = TestAccess::password()) {
    return house_.run(
        access().sign_in("ada", std::move(password), "192.0.2.7", {.code = std::move(with)}));
  }
  std::string outcome(std::string with, Secret password = TestAccess::password()) {
    auto signed_in = sign_in(std::move(with), std::move(password));
    return signed_in ? "in" : signed_in.error().code;
  }

  TestAccess house_;
  Secret secret_;
};

TEST_F(SecondFactorTest, ItCountsOnceACodeHasConfirmedIt) {
  auto begun = value_or_throw(access().begin_totp(ada()));
  EXPECT_EQ(outcome(""), "in");
  secret_ = bytes_of(begun.secret.reveal());
  EXPECT_EQ(house_.run(access().confirm_totp(ada(), "000000", TestAccess::password())).error().code,
            "bad_code");
  EXPECT_EQ(outcome(""), "in");
  EXPECT_EQ(value_or_throw(house_.run(access().confirm_totp(ada(), code(), TestAccess::password())))
                .size(),
            10U);
  EXPECT_EQ(outcome(""), "totp_required");
  EXPECT_TRUE(access().has_totp(ada().user));
}

TEST_F(SecondFactorTest, WhoHasOnlyASessionGivesNobodyASecondFactor) {
  auto begun = value_or_throw(access().begin_totp(ada()));
  secret_ = bytes_of(begun.secret.reveal());
  auto guess = [&] {
    return house_.run(access().confirm_totp(ada(), code(), Secret{"wrong password"})).error().code;
  };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(guess(), "bad_credentials");
  EXPECT_EQ(guess(), "too_many_attempts");
  EXPECT_FALSE(access().has_totp(ada().user));
  EXPECT_EQ(outcome(""), "in");
}

TEST_F(SecondFactorTest, APasswordAloneOrACodeAloneOpensNothing) {
  enrol();
  house_.pass(std::chrono::seconds{60});
  EXPECT_EQ(outcome(""), "totp_required");
  EXPECT_EQ(outcome("123456"), "bad_code");
  EXPECT_EQ(outcome(code(), Secret{"wrong password"}), "bad_credentials");
  EXPECT_EQ(outcome(code()), "in");
}

TEST_F(SecondFactorTest, ACodeIsUsedOnceEvenByTwoAtOnce) {
  enrol();
  EXPECT_EQ(outcome(code()), "bad_code") << "it confirmed the factor";
  house_.pass(std::chrono::seconds{60});
  EXPECT_EQ(outcome(code()), "in");
  EXPECT_EQ(outcome(code()), "bad_code");
  EXPECT_EQ(outcome(code(-1)), "bad_code");
  house_.pass(std::chrono::seconds{60});
  int in = 0;
  async::TaskScope scope{house_.loop().executor()};
  auto race = [](Access& access, std::string with, int& won) -> async::task<void> {
    auto signed_in =
        co_await access.sign_in("ada", TestAccess::password(), "192.0.2.8", {.code = with});
    if (signed_in) ++won;
  };
  for (int i = 0; i < 5; ++i) scope.spawn("sign in", race(access(), code(), in));
  house_.run(scope.join());
  EXPECT_EQ(in, 1);
}

TEST_F(SecondFactorTest, AUsedCodeStaysUsedAfterARestart) {
  enrol();
  house_.pass(std::chrono::seconds{60});
  EXPECT_EQ(outcome(code()), "in");
  house_.restart();
  EXPECT_EQ(outcome(code()), "bad_code");
  EXPECT_EQ(outcome(code(1)), "in");
}

TEST_F(SecondFactorTest, EachRecoveryCodeIsGoodForOneSignIn) {
  auto codes = enrol();
  std::string first{codes[0].reveal()};
  EXPECT_EQ(outcome(first), "in");
  EXPECT_EQ(outcome(first), "bad_code");
  std::string typed;
  for (char c : codes[1].reveal()) {
    if (c != '-') typed += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  }
  EXPECT_EQ(outcome(typed), "in");
  house_.restart();
  EXPECT_EQ(outcome(typed), "bad_code");
  EXPECT_EQ(outcome(std::string{codes[2].reveal()}), "in");
}

TEST_F(SecondFactorTest, TheSecretIsNotInTheDatabase) {
  if (!house_.is_in_folder()) GTEST_SKIP() << "PostgreSQL keeps its files elsewhere";
  auto codes = enrol();
  house_.restart();  // closes the file
  std::string all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{house_.folder()}) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file{entry.path(), std::ios::binary};
    all.append(std::istreambuf_iterator<char>{file}, {});
  }
  EXPECT_NE(all.find("user.enable_totp"), std::string::npos);
  EXPECT_EQ(all.find(secret_.reveal()), std::string::npos);
  EXPECT_EQ(all.find(totp::text(secret_)), std::string::npos);
  EXPECT_EQ(all.find(codes[0].reveal()), std::string::npos);
}

TEST_F(SecondFactorTest, GuessedCodesCloseTheDoorAndMissingOnesDoNot) {
  enrol();
  house_.pass(std::chrono::seconds{60});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(outcome(""), "totp_required");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(outcome("000000"), "bad_code");
  EXPECT_EQ(outcome(code()), "too_many_attempts");
}

TEST_F(SecondFactorTest, ItIsRemovedByItsOwnerWithThePasswordOrByAnAdmin) {
  enrol();
  auto remove = [&](const Identity& by, std::string_view password) {
    auto removed = house_.run(access().remove_totp(by, ada().user, Secret{std::string{password}}));
    return removed ? "removed" : removed.error().code;
  };
  EXPECT_EQ(remove(ada(), "wrong password"), "bad_credentials");
  EXPECT_EQ(remove(ada(), "correct horse"), "removed");
  EXPECT_EQ(outcome(""), "in");
  EXPECT_EQ(remove(ada(), "correct horse"), "no_totp");
  house_.run(access().create_user(ada(), {"eve", TestAccess::password(), Role::operator_}));
  auto eve =
      value_or_throw(house_.run(access().sign_in("eve", TestAccess::password(), "192.0.2.9")))
          .identity;
  enrol();
  EXPECT_EQ(remove(eve, "correct horse"), "role_too_low");
}

TEST_F(SecondFactorTest, ATokenChangesNoSecondFactor) {
  auto made = value_or_throw(
      house_.run(access().create_token(ada(), {"ci", Role::admin, Scopes::all(), std::nullopt})));
  auto token = value_or_throw(access().by_token(made.text.reveal()));
  EXPECT_EQ(access().begin_totp(token).error().code, "session_required");
  EXPECT_EQ(house_.run(access().confirm_totp(token, "123456", TestAccess::password())).error().code,
            "session_required");
  enrol();
  EXPECT_EQ(access().begin_totp(ada()).error().code, "totp_active");
  auto removed = house_.run(access().remove_totp(token, ada().user, TestAccess::password()));
  EXPECT_EQ(removed.error().code, "session_required");
}

TEST_F(SecondFactorTest, AnEnrolmentIsForgottenAfterTenMinutes) {
  auto begun = value_or_throw(access().begin_totp(ada()));
  secret_ = bytes_of(begun.secret.reveal());
  house_.pass(std::chrono::minutes{10});
  EXPECT_EQ(house_.run(access().confirm_totp(ada(), code(), TestAccess::password())).error().code,
            "no_enrolment");
}

}  // namespace
}  // namespace gantry::access
