#include "async/testing_fake.hpp"
#include "storage/database.hpp"
#include "storage/testing_fake.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gantry::storage {
namespace {

/// Commits one number after the other, in two tables, and tells each to `acknowledged` once the
/// database has said that it is safe. Ends only by being killed.
async::task<void> commit_forever(std::filesystem::path folder, int acknowledged) {
  auto database = co_await open("", folder);
  co_await transact(*database, [](Transaction& t) {
    t.execute("CREATE TABLE IF NOT EXISTS things (a bigint PRIMARY KEY, padding text)");
    t.execute("CREATE TABLE IF NOT EXISTS twins (a bigint PRIMARY KEY)");
  });
  for (;;) {
    auto number = co_await transact(*database, [](Transaction& t) {
      auto next = t.query("SELECT coalesce(max(a), 0) + 1 FROM things").front().integer(0);
      t.execute("INSERT INTO things VALUES ($1, hex(randomblob(500)))", next);
      t.execute("INSERT INTO twins VALUES ($1)", next);
      return next;
    });
    if (::write(acknowledged, &number, sizeof number) != sizeof number) co_return;
  }
}

struct Found {
  std::int64_t newest = 0;
  std::int64_t things = 0;
  std::int64_t twins = 0;
};

/// Opening looks whether the file is whole, too.
async::task<Found> look(std::filesystem::path folder) {
  auto database = co_await open("", std::move(folder));
  co_return co_await transact(*database, [](Transaction& t) {
    auto row = t.query(
                    "SELECT coalesce(max(a), 0), count(*), (SELECT count(*) FROM twins) "
                    "FROM things")
                   .front();
    return Found{row.integer(0), row.integer(1), row.integer(2)};
  });
}

/// The last number that a child, killed after `delay` from its first commit, acknowledged.
std::int64_t run_and_kill(const std::filesystem::path& folder, Milliseconds delay) {
  std::array<int, 2> channel{};
  if (::pipe(channel.data()) != 0) return -1;
  auto child = ::fork();
  if (child == 0) {
    ::close(channel[0]);
    async::run_test(commit_forever(folder, channel[1]));
    ::_exit(1);
  }
  ::close(channel[1]);
  std::int64_t last = 0;
  std::int64_t number = 0;
  bool started = ::read(channel[0], &number, sizeof number) == sizeof number;
  if (started) last = number;
  // tidy: sleep because the child is to be killed at an arbitrary moment of its work
  std::this_thread::sleep_for(delay);
  ::kill(child, SIGKILL);
  while (::read(channel[0], &number, sizeof number) == sizeof number) last = number;
  ::close(channel[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return started && WIFSIGNALED(status) ? last : -1;
}

TEST(CrashTest, NoAcknowledgedCommitIsLostInThirtyKills) {
  TemporaryFolder folder;
  std::int64_t before = 0;
  for (int cycle = 0; cycle < 30; ++cycle) {
    auto acknowledged = run_and_kill(folder.path(), Milliseconds{cycle * 7 % 50});
    ASSERT_GT(acknowledged, before) << "cycle " << cycle;
    auto found = async::run_test(look(folder.path()));
    ASSERT_GE(found.newest, acknowledged) << "cycle " << cycle;
    ASSERT_LE(found.newest, acknowledged + 1) << "cycle " << cycle;
    ASSERT_EQ(found.things, found.newest) << "cycle " << cycle;
    ASSERT_EQ(found.twins, found.newest) << "cycle " << cycle;
    before = found.newest;
  }
  RecordProperty("commits", static_cast<int>(before));
}

}  // namespace
}  // namespace gantry::storage
