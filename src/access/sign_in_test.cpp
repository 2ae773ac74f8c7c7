#include "access/testing_fake.hpp"
#include "async/attempt.hpp"

#include <type_traits>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::access {
namespace {
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr auto here = "192.0.2.1";
constexpr auto elsewhere = "198.51.100.7";

class SetupTest : public testing::Test {
 protected:
  Result<SignedIn> create(const Secret& secret, std::string name = "ada",
                          Secret password = TestAccess::password()) {
    return house_.run(house_.access().create_owner(secret, std::move(name), password, here));
  }
  TestAccess house_{TestAccess::Owner::absent};
};

TEST_F(SetupTest, ANewServerWaitsForItsOwnerAndTakesOne) {
  EXPECT_TRUE(house_.access().setup_needed());
  auto owner = create(*house_.access().renew_setup_secret(), "Ada");
  ASSERT_TRUE(owner) << owner.error().sentence();
  EXPECT_EQ(owner->identity.role, Role::admin);
  EXPECT_EQ(owner->identity.name, "ada");
  EXPECT_FALSE(house_.access().setup_needed());
  EXPECT_TRUE(house_.access().by_session(owner->cookie.reveal()));
}

TEST_F(SetupTest, AWrongSecretIsDenied) {
  auto right = house_.access().renew_setup_secret();
  EXPECT_EQ(create(Secret{"guess"}).error().code, "bad_setup_secret");
  EXPECT_EQ(create(Secret{}).error().kind, ErrorKind::denied);
}

TEST_F(SetupTest, WithoutASecretNothingOpens) {
  EXPECT_EQ(create(Secret{}).error().code, "bad_setup_secret");
}

TEST_F(SetupTest, TheSecretDiesAfterADay) {
  auto secret = house_.access().renew_setup_secret();
  house_.pass(hours{24});
  EXPECT_EQ(create(*secret).error().code, "bad_setup_secret");
}

TEST_F(SetupTest, ANewSecretReplacesTheOldOne) {
  auto old = house_.access().renew_setup_secret();
  auto fresh = house_.access().renew_setup_secret();
  EXPECT_EQ(create(*old).error().code, "bad_setup_secret");
  EXPECT_TRUE(create(*fresh));
}

TEST_F(SetupTest, TheSecretWorksOnce) {
  auto secret = house_.access().renew_setup_secret();
  ASSERT_TRUE(create(*secret));
  EXPECT_EQ(create(*secret, "bob").error().code, "already_set_up");
  EXPECT_EQ(house_.access().renew_setup_secret().has_value(), false);
}

TEST_F(SetupTest, AMistakeInTheFormDoesNotUseTheSecretUp) {
  auto secret = house_.access().renew_setup_secret();
  EXPECT_EQ(create(*secret, "ada", Secret{"short"}).error().code, "invalid_field");
  EXPECT_EQ(create(*secret, "no spaces").error().code, "invalid_field");
  EXPECT_TRUE(create(*secret));
}

async::task<void> try_setup(Access& access, Secret secret, std::string name,
                            std::vector<std::string>& codes) {
  auto made = co_await access.create_owner(std::move(secret), std::move(name),
                                           TestAccess::password(), here);
  codes.push_back(made ? "ok" : made.error().code);
}

async::task<std::vector<std::string>> race_setup(Access& access, Secret secret) {
  async::TaskScope scope{co_await boost::asio::this_coro::executor};
  std::vector<std::string> codes;
  for (int i = 0; i < 50; ++i) {
    scope.spawn("setup", try_setup(access, secret, "owner" + std::to_string(i), codes));
  }
  co_await scope.join();
  co_return codes;
}

TEST_F(SetupTest, OfFiftyAtTheSameTimeExactlyOneBecomesTheOwner) {
  auto codes = house_.run(race_setup(house_.access(), *house_.access().renew_setup_secret()));
  EXPECT_EQ(codes.size(), 50U);
  EXPECT_EQ(std::ranges::count(codes, "ok"), 1);
  EXPECT_EQ(std::ranges::count(codes, "already_set_up"), 49);
  EXPECT_EQ(house_.access().users().size(), 1U);
}

class SignInTest : public testing::Test {
 protected:
  Result<SignedIn> sign_in(std::string name, std::string password, std::string address = here) {
    return house_.run(
        access().sign_in(std::move(name), Secret{std::move(password)}, std::move(address)));
  }
  Access& access() { return house_.access(); }
  std::string cookie() { return std::string{sign_in("ada", "correct horse")->cookie.reveal()}; }
  TestAccess house_;
};

TEST_F(SignInTest, TheRightPasswordLetsIn) {
  auto signed_in = sign_in("Ada", "correct horse");
  ASSERT_TRUE(signed_in);
  auto identity = access().by_session(signed_in->cookie.reveal());
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->name, "ada");
  EXPECT_EQ(identity->how, How::session);
  EXPECT_TRUE(access().still_valid(*identity));
}

TEST_F(SignInTest, AWrongPasswordAndAnUnknownNameGetTheSameAnswer) {
  auto wrong = sign_in("ada", "wrong horse!");
  auto unknown = sign_in("nobody", "wrong horse!");
  EXPECT_EQ(wrong.error().kind, ErrorKind::unauthenticated);
  EXPECT_EQ(wrong.error(), unknown.error());
}

TEST_F(SignInTest, AMegabyteOfPasswordNeverReachesTheHash) {
  const std::string megabyte(1U << 20U, 'x');
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(sign_in("ada", megabyte).error().code, "bad_credentials");
  }
  // The time of a hash is spent on a name that nobody has, too, and that one takes no more than a
  // password has: this process would not outlive it.
  EXPECT_EQ(sign_in("nobody", megabyte).error().code, "bad_credentials");
  // What reaches it is an attempt, and of those there may only be a few.
  EXPECT_EQ(access().retry_after("ada", here), Seconds{0});
}

TEST_F(SignInTest, APasswordMayHoldAnyCharacterAndAllOfThemCount) {
  Secret odd{std::string{"nul \0 and 字 and more", 22}};
  auto added = house_.run(access().create_user(house_.owner(), {"eve", odd, Role::viewer}));
  ASSERT_TRUE(added) << added.error().sentence();
  EXPECT_TRUE(sign_in("eve", std::string{odd.reveal()}));
  EXPECT_FALSE(sign_in("eve", "nul "));
}

TEST_F(SignInTest, OfTenThousandGuessesTenAreTried) {
  int tried = 0;
  for (int i = 0; i < 10'000; ++i) {
    auto answer = sign_in("ada", "guess number " + std::to_string(i), elsewhere);
    if (answer.error().code == "bad_credentials") ++tried;
  }
  EXPECT_EQ(tried, 10);
  EXPECT_EQ(sign_in("ada", "correct horse", elsewhere).error().code, "too_many_attempts");
  EXPECT_GT(access().retry_after("ada", elsewhere), minutes{9});
}

TEST_F(SignInTest, ManyAddressesTogetherGetNoMoreGuessesAtOneName) {
  int tried = 0;
  for (int i = 0; i < 100; ++i) {
    auto answer = sign_in("ada", "guess guess", "203.0.113." + std::to_string(i));
    if (answer.error().code == "bad_credentials") ++tried;
  }
  EXPECT_EQ(tried, 10);
}

TEST_F(SignInTest, OneAddressGetsNoMoreGuessesAtManyNames) {
  int tried = 0;
  for (int i = 0; i < 100; ++i) {
    auto answer = sign_in("user" + std::to_string(i), "guess guess", elsewhere);
    if (answer.error().code == "bad_credentials") ++tried;
  }
  EXPECT_EQ(tried, 10);
}

TEST_F(SignInTest, AllAddressesOfAnIpv6NetworkAreOne) {
  int names = 0;
  auto tried = [&](const std::string& network) {
    int count = 0;
    for (int i = 1; i <= 30; ++i) {
      auto answer =
          sign_in(fmt::format("user{}", ++names), "guess guess", fmt::format("{}{}", network, i));
      if (answer.error().code == "bad_credentials") ++count;
    }
    return count;
  };
  EXPECT_EQ(tried("2001:db8:1:2:3:4:5:"), 10);
  EXPECT_EQ(tried("2001:db8:1:2:ffff::"), 0);
  EXPECT_EQ(tried("2001:db8:1:3::"), 10) << "another network";
  EXPECT_EQ(tried("::ffff:192.0.2."), 30) << "addresses of IPv4, each for itself";
}

TEST_F(SignInTest, GuessesFromElsewhereDoNotLockTheOwnerOut) {
  for (int i = 0; i < 20; ++i) (void)sign_in("ada", "guess guess", elsewhere);
  EXPECT_TRUE(sign_in("ada", "correct horse", here));
}

TEST_F(SignInTest, AfterTenMinutesOneMayTryAgain) {
  for (int i = 0; i < 20; ++i) (void)sign_in("ada", "guess guess", elsewhere);
  house_.pass(minutes{10});
  EXPECT_EQ(access().retry_after("ada", elsewhere), Seconds{0});
  EXPECT_TRUE(sign_in("ada", "correct horse", elsewhere));
}

async::task<void> guess(Access& access, int& tried) {
  auto answer = co_await async::attempt(access.sign_in("ada", Secret{"guess guess"}, elsewhere));
  if (answer.error().code == "bad_credentials") ++tried;
}

async::task<int> guess_together(Access& access, int times) {
  async::TaskScope scope{co_await boost::asio::this_coro::executor};
  int tried = 0;
  for (int i = 0; i < times; ++i) scope.spawn("guess", guess(access, tried));
  co_await scope.join();
  co_return tried;
}

TEST_F(SignInTest, GuessingAtTheSameTimeGivesNoMoreGuesses) {
  EXPECT_EQ(house_.run(guess_together(access(), 200)), 10);
}

async::task<void> remove(Access& access, Identity by, UserId id) {
  EXPECT_TRUE(co_await access.remove_user(std::move(by), std::move(id)));
}

async::task<Result<SignedIn>> sign_in_and_remove(Access& access, Identity by, UserId id) {
  async::TaskScope scope{co_await boost::asio::this_coro::executor};
  scope.spawn("remove", remove(access, std::move(by), std::move(id)));
  auto signed_in = co_await access.sign_in("eve", TestAccess::password(), here);
  co_await scope.join();
  co_return signed_in;
}

TEST_F(SignInTest, WhoIsRemovedWhileTheHashIsAtWorkIsNotLetIn) {
  auto eve = house_.run(
      access().create_user(house_.owner(), {"eve", TestAccess::password(), Role::viewer}));
  // A hash takes as long as it was made to: this one, longer than the removal.
  auto slow = password::hash(TestAccess::password(), {.passes = 20, .memory_bytes = 32U << 20U});
  house_.run(storage::transact(house_.database(), [&](storage::Transaction& transaction) {
    user_store::set_password(transaction, eve->id, slow);
  }));
  house_.restart();
  auto answer = house_.run(sign_in_and_remove(access(), house_.owner(), eve->id));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "bad_credentials");
}

TEST_F(SignInTest, ASessionUnusedForAWeekEnds) {
  auto value = cookie();
  house_.pass(days{7} - minutes{1});
  EXPECT_TRUE(access().by_session(value));
  house_.pass(days{7} - minutes{1});
  EXPECT_TRUE(access().by_session(value));
  house_.pass(days{7});
  EXPECT_EQ(access().by_session(value).error().code, "bad_session");
}

TEST_F(SignInTest, ASessionEndsAfterThirtyDaysOfUse) {
  auto value = cookie();
  for (int day = 0; day < 29; ++day) {
    house_.pass(days{1});
    ASSERT_TRUE(access().by_session(value)) << day;
  }
  house_.pass(days{1});
  EXPECT_FALSE(access().by_session(value));
}

TEST_F(SignInTest, ASessionOutlivesTheServer) {
  auto value = cookie();
  house_.restart();
  EXPECT_TRUE(access().by_session(value));
}

TEST_F(SignInTest, SigningOutEndsTheSessionForGood) {
  auto value = cookie();
  auto identity = *access().by_session(value);
  house_.run(access().sign_out(identity));
  EXPECT_FALSE(access().by_session(value));
  EXPECT_FALSE(access().still_valid(identity));
  house_.restart();
  EXPECT_FALSE(access().by_session(value));
}

TEST_F(SignInTest, NoOtherValueIsASession) {
  auto value = cookie();
  EXPECT_FALSE(access().by_session(""));
  EXPECT_FALSE(access().by_session(value.substr(1)));
  EXPECT_FALSE(access().by_session(value + "x"));
  EXPECT_FALSE(access().by_session(std::string(50, 'a')));
  EXPECT_FALSE(access().by_token(value));
}

TEST_F(SignInTest, TheOldestOfTooManySessionsEnds) {
  auto first = cookie();
  for (int i = 0; i < 32; ++i) {
    house_.pass(Milliseconds{1});
    (void)cookie();
  }
  EXPECT_FALSE(access().by_session(first));
  EXPECT_TRUE(access().by_session(cookie()));
}

TEST_F(SignInTest, ARequestWithASessionCostsNoRoundTrip) {
  // What answers without a coroutine has nothing that it could wait for.
  static_assert(std::is_same_v<decltype(access().by_session("")), Result<Identity>>);
  EXPECT_TRUE(access().by_session(cookie()));
}

}  // namespace
}  // namespace gantry::access
