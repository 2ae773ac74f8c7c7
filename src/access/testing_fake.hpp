#pragma once

#include "access/access.hpp"
#include "async/testing_fake.hpp"
#include "storage/testing_fake.hpp"

#include <memory>
#include <string>

namespace gantry::access {

/// An Access over a real database in a temporary folder, with a clock that the test sets and
/// passwords that cost nothing to hash. Its owner is `ada`, with the password `correct horse`.
class TestAccess {
 public:
  enum class Owner { present, absent };

  explicit TestAccess(Owner owner = Owner::present) {
    open();
    if (owner == Owner::absent) return;
    auto secret = *access().renew_setup_secret();
    auto made = run(access().create_owner(secret, "ada", password(), "192.0.2.1"));
    owner_ = value_or_throw(std::move(made)).identity;
  }
  ~TestAccess() { close(); }
  TestAccess(const TestAccess&) = delete;
  TestAccess& operator=(const TestAccess&) = delete;

  Access& access() { return *access_; }
  storage::Database& database() { return *database_; }
  async::TestLoop& loop() { return loop_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  /// Whether the database is a file in the folder, which can be searched.
  bool is_in_folder() const { return std::filesystem::exists(folder() / "data" / "gantry.db"); }
  static Secret password() { return Secret{"correct horse"}; }
  /// How the owner signed in first.
  const Identity& owner() const { return owner_; }
  void pass(Milliseconds time) { now_ += time; }
  WallTime now() const { return now_; }

  template <class T>
  T run(async::task<T> work) {
    return loop_.run(std::move(work));
  }
  void run(async::task<void> work) { loop_.run(std::move(work)); }
  /// As when the server is stopped and started.
  void restart() {
    close();
    open();
  }

 private:
  void open() {
    database_ = loop_.run(storage::open_for_test(folder_.path() / "data"));
    Access::Settings settings{.clock = Clock{[this] { return now_; }},
                              .password_cost = {.passes = 1, .memory_bytes = 8'192},
                              .sealer = Sealer{Secret{std::string(Sealer::key_bytes, 'k')}}};
    access_ = std::make_unique<Access>(loop_.executor(), *database_, std::move(settings));
    loop_.run(access_->start());
  }
  void close() {
    loop_.run(access_->close());
    access_.reset();
    database_.reset();
  }

  storage::TemporaryFolder folder_;
  WallTime now_{Milliseconds{1'790'000'000'000}};
  async::TestLoop loop_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Access> access_;
  Identity owner_;
};

}  // namespace gantry::access
