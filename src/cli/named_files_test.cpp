#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "cli/testing_fake.hpp"

#include <array>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <pty.h>
#include <termios.h>

// Passwords and keys that a command takes from standard input.
namespace gantry::cli {
namespace {

using net::http::Exchange;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Puts `descriptor` in the place of standard input while it lives.
class StandardInput {
 public:
  explicit StandardInput(int descriptor) : before_{::dup(STDIN_FILENO)} {
    CHECK(::dup2(descriptor, STDIN_FILENO) == STDIN_FILENO);
  }
  ~StandardInput() {
    ::dup2(before_, STDIN_FILENO);
    ::close(before_);
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

 private:
  int before_;
};

/// Two ends of something that holds bytes.
struct Ends {
  Ends() = default;
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  ~Ends() {
    ::close(ours);
    ::close(theirs);
  }
  int ours = -1;
  int theirs = -1;
};

bool shows_what_is_typed() {
  termios now{};
  CHECK(::tcgetattr(STDIN_FILENO, &now) == 0);
  return (now.c_lflag & ECHO) != 0;
}

void type(int descriptor, std::string_view bytes) {
  CHECK(::write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
}

std::string what_is_there(int descriptor) {
  ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
  std::array<char, 4096> bytes{};
  auto count = ::read(descriptor, bytes.data(), bytes.size());
  return count > 0 ? std::string{bytes.data(), static_cast<std::size_t>(count)} : std::string{};
}

class NamedFiles : public testing::Test {
 protected:
  async::task<void> serve(Exchange& exchange) {
    sent_ = value_or_throw(co_await exchange.body(Bytes{1U << 20U}));
    co_await exchange.respond({201, {{"Content-Type", "application/json"}}}, "{}");
  }
  RemoteCommand add_user(const TestRemote& remote) const {
    auto all = verbs();
    auto verb = std::ranges::find_if(
        all, [](const Verb& one) { return one.command == "users" && one.action == "add"; });
    CHECK(verb != all.end());
    return {.server = remote.access(),
            .verb = &*verb,
            .given = {{"name", {"ada"}}, {"password", {"-"}}}};
  }
  async::task<Result<int>> add_by_hand(int keyboard) {
    async::TaskScope scope{remote_.context().executor};
    scope.spawn("type", type_unseen(keyboard));
    auto added = co_await cli::run(remote_.context(), add_user(remote_));
    co_await scope.join();
    co_return added;
  }
  static async::task<void> type_unseen(int keyboard) {
    co_await async::until([] { return !shows_what_is_typed(); });
    type(keyboard, "correct horse\nnot this");
  }

  std::string sent_;
  TestRemote remote_{[this](Exchange& exchange) { return serve(exchange); }};
};

TEST_F(NamedFiles, APasswordIsTypedUnseenAndEndsAtEnter) {
  Ends terminal;
  ASSERT_EQ(::openpty(&terminal.ours, &terminal.theirs, nullptr, nullptr, nullptr), 0);
  StandardInput input{terminal.theirs};
  ASSERT_EQ(value_or_throw(remote_.run(add_by_hand(terminal.ours))), 0);
  EXPECT_THAT(sent_, HasSubstr(R"("password":"correct horse")"));
  EXPECT_EQ(what_is_there(terminal.ours), "\r\n");
  EXPECT_THAT(remote_.err, HasSubstr("--password: type it, then Enter; it is not shown"));
  EXPECT_TRUE(shows_what_is_typed()) << "again";
}

TEST_F(NamedFiles, APasswordOfAPipeIsItsFirstLineWhileItIsOpenStill) {
  Ends pipe;
  std::array<int, 2> both{};
  ASSERT_EQ(::pipe(both.data()), 0);
  pipe.theirs = both[0];
  pipe.ours = both[1];
  StandardInput input{pipe.theirs};
  type(pipe.ours, "correct horse\nnot this");
  ASSERT_EQ(value_or_throw(remote_.run(cli::run(remote_.context(), add_user(remote_)))), 0);
  EXPECT_THAT(sent_, HasSubstr(R"("password":"correct horse")"));
  EXPECT_THAT(remote_.err, Not(HasSubstr("type it")));
}

TEST_F(NamedFiles, StandardInputIsNotTwoFiles) {
  auto refused = remote_.run("hosts", "add",
                             {.given = {{"name", {"web1"}},
                                        {"endpoint", {"ssh://web1"}},
                                        {"ssh.identity", {"-"}},
                                        {"ssh.passphrase", {"-"}}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "bad_usage");
  EXPECT_THAT(refused.error().message, HasSubstr("--identity and --passphrase are both '-'"));
  EXPECT_THAT(sent_, IsEmpty());
}

}  // namespace
}  // namespace gantry::cli
