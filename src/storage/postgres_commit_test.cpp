#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "storage/database.hpp"
#include "storage/postgres_server_fake.hpp"
#include "storage/testing_fake.hpp"

#include <array>
#include <atomic>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// A connection that is cut in the middle of a COMMIT, by a relay between us and the server.
namespace gantry::storage {
namespace {
namespace fs = std::filesystem;

/// With the zero byte behind it: BEGIN names READ COMMITTED.
constexpr std::string_view commit_sql{"COMMIT", 7};

enum class Cut { never, before_commit, after_commit };

sockaddr_un address_of(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return address;
}

/// Passes everything on, until the first COMMIT: that it loses, or its answer. Afterwards all
/// connections work again.
class Relay {
 public:
  Relay(fs::path from, fs::path to) : to_{std::move(to)} {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = address_of(from);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    thread_ = std::thread{[this] { run(); }};
  }
  ~Relay() {
    over_ = true;
    thread_.join();
    ::close(listener_);
  }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  void cut_at_next_commit(Cut cut) { cut_ = cut; }
  Cut armed() const { return cut_; }

 private:
  struct Pair {
    int client;
    int server;
  };

  void run() {
    while (!over_) {
      std::vector<pollfd> sockets{{listener_, POLLIN, 0}};
      for (auto pair : pairs_) {
        sockets.push_back({pair.client, POLLIN, 0});
        sockets.push_back({pair.server, POLLIN, 0});
      }
      ::poll(sockets.data(), sockets.size(), 20);
      auto pairs = pairs_;
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        bool open = sockets[1 + 2 * i].revents == 0 || from_client(pairs[i]);
        open = open && (sockets[2 + 2 * i].revents == 0 || pass(pairs[i].server, pairs[i].client));
        if (!open) drop(pairs[i]);
      }
      if (sockets.front().revents != 0) join();
    }
    while (!pairs_.empty()) drop(pairs_.front());
  }

  void join() {
    auto client = ::accept(listener_, nullptr, nullptr);
    auto server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = address_of(to_);
    EXPECT_EQ(::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    pairs_.push_back({client, server});
  }

  bool from_client(Pair pair) {
    std::array<char, 65'536> bytes{};
    auto length = ::recv(pair.client, bytes.data(), bytes.size(), 0);
    if (length <= 0) return false;
    std::string_view text{bytes.data(), static_cast<std::size_t>(length)};
    bool commit = cut_ != Cut::never && text.find(commit_sql) != text.npos;
    if (commit && cut_ == Cut::before_commit) {
      cut_ = Cut::never;
      return false;
    }
    if (::send(pair.server, text.data(), text.size(), MSG_NOSIGNAL) < 0) return false;
    if (!commit) return true;
    // The answer is waited for, so that it has happened, and lost.
    EXPECT_GT(::recv(pair.server, bytes.data(), bytes.size(), 0), 0);
    cut_ = Cut::never;
    return false;
  }

  static bool pass(int from, int to) {
    std::array<char, 65'536> bytes{};
    auto length = ::recv(from, bytes.data(), bytes.size(), 0);
    return length > 0 &&
           ::send(to, bytes.data(), static_cast<std::size_t>(length), MSG_NOSIGNAL) == length;
  }

  void drop(Pair pair) {
    ::close(pair.client);
    ::close(pair.server);
    std::erase_if(pairs_, [&](Pair one) { return one.client == pair.client; });
  }

  fs::path to_;
  int listener_ = -1;
  std::vector<Pair> pairs_;
  std::atomic<Cut> cut_{Cut::never};
  std::atomic<bool> over_{false};
  std::thread thread_;
};

class PostgresqlCommit : public testing::Test {
 protected:
  void SetUp() override {
    auto reason = PostgresServer::missing();
    if (!reason.empty() && std::getenv("CI") != nullptr) FAIL() << reason;
    if (!reason.empty()) GTEST_SKIP() << reason;
    const auto& server = PostgresServer::shared();
    relay_.emplace(folder_.path() / ".s.PGSQL.5432", server.folder() / ".s.PGSQL.5432");
    database_ = loop_.run(open(server.url("commits", folder_.path()), folder_.path() / "data"));
    execute("DROP TABLE IF EXISTS things; CREATE TABLE things (a bigint)");
  }
  Result<std::int64_t> execute(std::string sql) {
    return loop_.run(
        async::attempt(transact(*database_, [sql](Transaction& t) { return t.execute(sql); })));
  }
  std::int64_t count() {
    return loop_.run(transact(*database_, [](Transaction& t) {
      return t.query("SELECT count(*) FROM things").front().integer(0);
    }));
  }

  TemporaryFolder folder_;
  async::TestLoop loop_;
  std::optional<Relay> relay_;
  std::unique_ptr<Database> database_;
};

TEST_F(PostgresqlCommit, OneThatHappenedWithoutAnAnswerIsDone) {
  relay_->cut_at_next_commit(Cut::after_commit);
  auto done = execute("INSERT INTO things VALUES (1)");
  EXPECT_EQ(relay_->armed(), Cut::never);
  EXPECT_TRUE(done) << done.error().sentence();
  EXPECT_EQ(count(), 1);
}

TEST_F(PostgresqlCommit, OneThatNeverArrivedIsRefused) {
  relay_->cut_at_next_commit(Cut::before_commit);
  auto done = execute("INSERT INTO things VALUES (1)");
  EXPECT_EQ(relay_->armed(), Cut::never);
  EXPECT_EQ(done.error().code, "database_unreachable");
  EXPECT_EQ(count(), 0);
}

}  // namespace
}  // namespace gantry::storage
