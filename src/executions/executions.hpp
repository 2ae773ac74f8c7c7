#pragma once

#include "async/event.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "executions/record.hpp"
#include "sandbox/executor.hpp"
#include "storage/database.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// What the server does with programs: admission, a bounded queue, records, exactly one verdict
/// for each that was acknowledged.
namespace gantry::executions {

/// Something that happened to an execution, for who follows it.
struct Happening {
  enum class Kind { progress, state, output, verdict } kind;
  std::string text;                ///< progress
  State state = State::queued;     ///< state
  sandbox::OutputStream stream{};  ///< output
  std::string bytes;               ///< output
};

/// Counted since the server started.
struct Counters {
  std::uint64_t submitted = 0;
  std::map<sandbox::Verdict, std::uint64_t> ended;
  Microseconds wall_time{0};
  std::size_t running = 0;
  std::size_t queued = 0;
};

/// Takes programs, runs as many at once as allowed, and keeps what became of them. Of two that
/// wait, the older runs first. Must be closed before it is destroyed.
class Executions {
 public:
  struct Settings {
    std::size_t running_max = 4;
    std::size_t queued_max = 256;
    Bytes queued_bytes_max{256U << 20U};  ///< What waiting programs hold together.
    Clock clock;
  };

  Executions(async::Executor executor, storage::Database& database, sandbox::Executor& sandbox,
             Settings settings);
  ~Executions();

  /// Makes the table; ends, with `infrastructure_error`, what a crash left without a verdict.
  async::task<void> start();
  /// Ends what runs (verdict cancelled) and waits until all of it has its verdict. What an engine
  /// that does not answer keeps from ending within `grace` gets its verdict at the next start.
  async::task<void> close(Milliseconds grace);

  /// Takes a program: when this answers, the execution is on disk and will get its verdict.
  /// Refused: exhausted (`queue_full`) when too many wait; unavailable (`server_stopping`).
  async::task<Result<Record>> submit(std::string owner, sandbox::Program program,
                                     sandbox::Policy policy);
  /// Answers once it has ended; at once when it already has. not_found: `no_such_execution`.
  async::task<Result<Record>> wait(ExecutionId id);
  async::task<Result<Record>> find(ExecutionId id);
  /// `limit` 1..200; `cursor` from the page before, or empty.
  async::task<Result<Page>> list(int limit, std::string cursor);
  /// Refused: not_found; conflict (`already_finished`).
  async::task<Result<>> cancel(ExecutionId id);
  Counters counters() const;
  /// Changes with every state of every execution; waiters are woken by `changed`.
  std::uint64_t version() const { return version_; }
  async::task<void> changed() { return changed_.wait(); }
  /// The records (without output) that are not finished, oldest first.
  std::vector<Record> unfinished() const;

 private:
  struct Live;
  /// Bytes of standard output and of standard error.
  using Lengths = std::array<std::size_t, 2>;

 public:
  /// Reads an execution's happenings from its start, then as they come; ends after the verdict.
  class Follower {
   public:
    /// Nothing after the verdict.
    async::task<std::optional<Happening>> next();
    /// As it is now; complete after the verdict.
    const Record& record() const;

   private:
    friend class Executions;
    explicit Follower(std::shared_ptr<Live> live) : live_{std::move(live)} {}
    std::shared_ptr<Live> live_;
    std::size_t at_ = 0;  ///< The entry to be told next,
    Lengths read_{};      ///< and what of the outputs has been.
  };
  async::task<Result<Follower>> follow(ExecutionId id);

 private:
  /// A program between its acceptance and its place in the queue.
  class Admission {
   public:
    explicit Admission(Executions& executions) : executions_{executions} {
      ++executions_.admitting_;
    }
    Admission(const Admission&) = delete;
    Admission& operator=(const Admission&) = delete;
    ~Admission() {
      --executions_.admitting_;
      executions_.changed_.notify();
    }

   private:
    Executions& executions_;
  };

  void pump();
  void begin(std::shared_ptr<Live> live);
  async::task<void> serve(std::shared_ptr<Live> live);
  async::task<sandbox::Outcome> run(std::shared_ptr<Live> live);
  async::task<void> finish(std::shared_ptr<Live> live, sandbox::Outcome outcome);
  /// Writes it down, however long that takes; false when the server stops before that.
  async::task<bool> stored(const Record& record);
  sandbox::Observer observer_of(std::shared_ptr<Live> live);
  void set_state(Live& live, State state);

  async::Executor executor_;
  storage::Database& database_;
  sandbox::Executor& sandbox_;
  Settings settings_;
  std::map<ExecutionId, std::shared_ptr<Live>> live_;
  std::deque<std::shared_ptr<Live>> queue_;
  std::size_t admitting_ = 0;
  Bytes waiting_bytes_;
  std::size_t running_ = 0;
  bool closing_ = false;
  Counters counters_;
  std::uint64_t version_ = 0;
  async::Event changed_;
  async::TaskScope tasks_;
};

}  // namespace gantry::executions
