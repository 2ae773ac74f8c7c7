#include "access/testing_fake.hpp"

#include <gtest/gtest.h>

namespace gantry::access {
namespace {

class SessionsTest : public testing::Test {
 protected:
  Access& access() { return house_.access(); }
  SignedIn sign_in(std::string name, std::string address, Brought brought = {}) {
    return value_or_throw(house_.run(access().sign_in(std::move(name), TestAccess::password(),
                                                      std::move(address), std::move(brought))));
  }
  std::string attempt(std::string_view password, std::string address, std::string device = {}) {
    auto signed_in = house_.run(access().sign_in(
        "ada", Secret{std::string{password}}, std::move(address), {.device = std::move(device)}));
    return signed_in ? "in" : signed_in.error().code;
  }
  /// Somebody else guesses ada's password until her name is closed.
  void attack() {
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(attempt("guess number " + std::to_string(i), "198.51.100." + std::to_string(i)),
                "bad_credentials");
    }
  }
  Identity bob() {
    house_.run(access().create_user(house_.owner(), {"bob", TestAccess::password(), Role::viewer}));
    return sign_in("bob", "192.0.2.20").identity;
  }
  TestAccess house_;
};

TEST_F(SessionsTest, TheyAreListedWithWhereAndWithWhat) {
  house_.pass(std::chrono::minutes{5});
  sign_in("ada", "192.0.2.5", {.agent = "Mozilla/5.0 (X11)\n" + std::string(500, 'x')});
  auto sessions = access().sessions(house_.owner().user);
  ASSERT_EQ(sessions.size(), 2U);
  EXPECT_EQ(sessions[0].address, "192.0.2.5");
  EXPECT_EQ(sessions[0].agent.substr(0, 17), "Mozilla/5.0 (X11)");
  EXPECT_LE(sessions[0].agent.size(), 200U + std::string_view{"…"}.size());
  EXPECT_EQ(sessions[0].agent.find('\n'), std::string::npos);
  EXPECT_EQ(sessions[0].created_at, house_.now());
  EXPECT_EQ(sessions[1].address, "192.0.2.1");
  house_.restart();
  EXPECT_EQ(access().sessions(house_.owner().user)[0].agent, sessions[0].agent);
}

TEST_F(SessionsTest, AnEndedOneOpensNothing) {
  auto other = sign_in("ada", "192.0.2.5");
  SessionId id{other.identity.credential};
  ASSERT_TRUE(house_.run(access().end_session(house_.owner(), house_.owner().user, id)));
  EXPECT_FALSE(access().by_session(other.cookie.reveal()));
  EXPECT_FALSE(access().still_valid(other.identity));
  EXPECT_EQ(access().sessions(house_.owner().user).size(), 1U);
  house_.restart();
  EXPECT_FALSE(access().by_session(other.cookie.reveal()));
}

TEST_F(SessionsTest, NobodyButAnAdminEndsSomebodyElses) {
  auto viewer = bob();
  auto end = [&](const Identity& by, const UserId& of, const std::string& id) {
    auto ended = house_.run(access().end_session(by, of, SessionId{id}));
    return ended ? "ended" : ended.error().code;
  };
  const auto& ada = house_.owner();
  EXPECT_EQ(end(viewer, ada.user, ada.credential), "no_such_session");
  EXPECT_EQ(end(viewer, viewer.user, ada.credential), "no_such_session");
  EXPECT_EQ(end(viewer, viewer.user, "nothing"), "no_such_session");
  EXPECT_EQ(end(ada, viewer.user, viewer.credential), "ended");
  EXPECT_FALSE(access().still_valid(viewer));
}

TEST_F(SessionsTest, GuessesFromElsewhereDoNotLockOutWhoIsSignedIn) {
  attack();
  EXPECT_EQ(attempt("correct horse", "192.0.2.99"), "too_many_attempts");
  EXPECT_EQ(attempt("correct horse", "192.0.2.1"), "in") << "where she is signed in";
}

TEST_F(SessionsTest, GuessesFromElsewhereDoNotLockOutABrowserThatIsKnown) {
  auto device = std::string{sign_in("ada", "192.0.2.5").device.reveal()};
  house_.pass(std::chrono::days{31});  // no session is left
  attack();
  EXPECT_EQ(attempt("correct horse", "192.0.2.99"), "too_many_attempts");
  EXPECT_EQ(attempt("correct horse", "192.0.2.99", device), "in");
  house_.restart();
  attack();
  EXPECT_EQ(attempt("correct horse", "192.0.2.98", device), "in");
}

TEST_F(SessionsTest, GuessesFromTheSameAddressDoNotLockOutABrowserThatIsKnown) {
  auto device = std::string{sign_in("ada", "192.0.2.5").device.reveal()};
  for (int i = 0; i < 10; ++i) attempt("guess number one", "192.0.2.50");
  EXPECT_EQ(attempt("correct horse", "192.0.2.50"), "too_many_attempts");
  EXPECT_EQ(attempt("correct horse", "192.0.2.50", device), "in");
}

TEST_F(SessionsTest, AKnownBrowserMayNotGuessMoreThanOthers) {
  auto device = std::string{sign_in("ada", "192.0.2.5").device.reveal()};
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(attempt("guess number one", "192.0.2.60", device), "bad_credentials");
  }
  EXPECT_EQ(attempt("correct horse", "192.0.2.60", device), "too_many_attempts");
  EXPECT_EQ(attempt("correct horse", "192.0.2.61"), "in") << "it counts by itself";
}

TEST_F(SessionsTest, AnotherSpellingOfADeviceIsTheSameDevice) {
  auto device = std::string{sign_in("ada", "192.0.2.5").device.reveal()};
  for (int i = 0; i < 10; ++i) attempt("guess number one", "192.0.2.60", device);
  auto shouted = device;
  for (char& c : shouted) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  ASSERT_NE(shouted, device);
  EXPECT_EQ(attempt("correct horse", "192.0.2.60", shouted), "too_many_attempts");
}

TEST_F(SessionsTest, ANewPasswordEndsWhatDevicesAreKnown) {
  auto device = std::string{sign_in("ada", "192.0.2.5").device.reveal()};
  const auto& ada = house_.owner();
  ASSERT_TRUE(house_.run(
      access().change_password(ada, ada.user, TestAccess::password(), Secret{"another battery"})));
  attack();
  EXPECT_EQ(attempt("another battery", "192.0.2.99", device), "too_many_attempts");
}

TEST_F(SessionsTest, GuessesFromElsewhereDoNotKeepOnesOwnPasswordAsItIs) {
  attack();
  const auto& ada = house_.owner();
  EXPECT_EQ(access().password_retry_after(ada.user), Seconds{0});
  EXPECT_TRUE(house_.run(
      access().change_password(ada, ada.user, TestAccess::password(), Secret{"another battery"})));
}

TEST_F(SessionsTest, ADeviceOfSomebodyElseOrAForgedOneIsUnknown) {
  bob();
  auto bobs = std::string{sign_in("bob", "192.0.2.20").device.reveal()};
  attack();
  auto forged = bobs;
  forged.back() = forged.back() == '0' ? '1' : '0';
  for (const auto& device : {bobs, forged, std::string(112, '0'), std::string(300, 'a')}) {
    EXPECT_EQ(attempt("correct horse", "192.0.2.99", device), "too_many_attempts");
  }
}

TEST_F(SessionsTest, APasswordsChangeEndsTheOtherSessions) {
  auto other = sign_in("ada", "192.0.2.5");
  auto mine = sign_in("ada", "192.0.2.6");
  ASSERT_TRUE(house_.run(access().change_password(
      mine.identity, mine.identity.user, TestAccess::password(), Secret{"another battery"})));
  EXPECT_FALSE(access().still_valid(other.identity));
  EXPECT_FALSE(access().still_valid(house_.owner()));
  EXPECT_TRUE(access().still_valid(mine.identity));
}

}  // namespace
}  // namespace gantry::access
