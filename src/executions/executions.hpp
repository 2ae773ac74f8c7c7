#pragma once

#include "async/event.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "async/workers.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "executions/admission.hpp"
#include "executions/execution_store.hpp"
#include "executions/files.hpp"
#include "executions/packing.hpp"
#include "executions/record.hpp"
#include "executions/upkeep_store.hpp"
#include "sandbox/executor.hpp"
#include "storage/database.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the server does with programs: admission, a bounded queue, records, exactly one verdict
/// for each that was acknowledged.
namespace gantry::executions {

class Webhooks;

/// Where bytes of a program come from.
struct Channel {
  sandbox::Stage stage = sandbox::Stage::run;
  sandbox::OutputStream stream = sandbox::OutputStream::standard_output;
  bool operator==(const Channel&) const = default;
};

/// Something that happened to an execution, for who follows it.
struct Happening {
  enum class Kind { progress, state, output, verdict } kind;
  std::string text;             ///< progress
  State state = State::queued;  ///< state
  /// output: where it comes from; state `running`: the stage that has begun.
  sandbox::Stage stage = sandbox::Stage::run;
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

/// A client's own name for a request, so that asking twice does it once.
struct IdempotencyKey {
  std::string key;
  std::string fingerprint;  ///< What tells this request from another one: a hash of its body.
};

/// What somebody asks for at once.
struct Order {
  Caller caller;
  std::vector<Submission> submissions;  ///< At least one.
  enum class Kind { single, batch } kind = Kind::single;
  std::optional<IdempotencyKey> key;
};

/// What became of an order: its records in its order.
struct Receipt {
  std::string batch;  ///< Empty for a single one.
  std::vector<Record> records;
  enum class Done { now, before } done = Done::now;  ///< `before`: by an earlier request.
};

/// Takes programs, runs as many at once as allowed, and keeps what became of them. Must be closed
/// before it is destroyed.
class Executions {
 public:
  struct Settings {
    std::size_t running_max = 4;
    std::size_t queued_max = 256;
    Bytes queued_bytes_max{256U << 20U};  ///< What waiting programs hold together.
    Admission::Bounds user = {};          ///< Of each user,
    Admission::Bounds token = {};         ///< and of each API token.
    store::Retention kept = {};
    /// For what is too large for the database: outputs above 64 KiB and artifacts.
    std::filesystem::path folder;
    Webhooks* webhooks = nullptr;  ///< Who tells others of the ends; nobody without it.
    Clock clock;
  };

  Executions(async::Executor executor, storage::Database& database, sandbox::Executor& sandbox,
             async::Workers& workers, Settings settings);
  ~Executions();

  /// Makes the tables. What a crash cut off ends with `infrastructure_error`; what had waited goes
  /// on waiting for its turn, which may come at once.
  async::task<void> start();
  /// Ends what runs (verdict cancelled) and waits until all of it has its verdict. What an engine
  /// that does not answer keeps from ending within `grace` gets its verdict at the next start. What
  /// waits stays on disk and runs after the next start.
  async::task<void> close(Milliseconds grace);

  /// Takes all programs of an order, or none: when this answers they are on disk and each will get
  /// its verdict. Refused: exhausted (see Admission::enter); unavailable (`server_stopping`);
  /// conflict (`idempotency_key_reused`) for a key that came with something else in the last 24 h.
  async::task<Result<Receipt>> place(Order order);
  /// An order of one program, without a token or a key.
  async::task<Result<Record>> submit(std::string owner, sandbox::Program program,
                                     sandbox::Policy policy);
  /// When it is worth trying again after an `exhausted`.
  Seconds retry_after() const { return admission_.retry_after(); }

  /// Answers once it has ended; at once when it already has. not_found: `no_such_execution`;
  /// unavailable (`server_stopping`) when the server is stopped before its turn has come.
  async::task<Result<Record>> wait(ExecutionId id);
  async::task<Result<Record>> find(ExecutionId id);
  /// The bytes of an artifact of `Record::artifacts`. not_found: `no_such_artifact`.
  async::task<Result<std::string>> artifact(ExecutionId id, std::size_t index);
  /// `limit` 1..200; `cursor` from the page before, or empty; of one batch, or of all.
  async::task<Result<Page>> list(int limit, std::string cursor, std::string batch = {});
  /// Refused: not_found; conflict (`already_finished`).
  async::task<Result<>> cancel(ExecutionId id);
  /// Where to type for a program that is interactive and has not ended; null otherwise.
  std::shared_ptr<sandbox::Keyboard> keyboard(const ExecutionId& id) const;
  /// Whether somebody can be told of ends at that address; see Webhooks::check.
  Result<> check_webhook(std::string_view url) const;
  Counters counters() const;
  /// Changes with every state of every execution; waiters are woken by `changed`.
  std::uint64_t version() const { return version_; }
  async::task<void> changed() { return changed_.wait(); }
  /// The records (without output) that are not finished, oldest first.
  std::vector<Record> unfinished() const;

 private:
  struct Live;
  class Entering;
  using LivePointer = std::shared_ptr<Live>;  ///< Shared with its followers and its observer.
  /// Bytes of each channel.
  using Lengths = std::array<std::size_t, 4>;

 public:
  /// Reads an execution's happenings from its start, then as they come; ends after the verdict, or
  /// without one when the server is stopped before its turn.
  class Follower {
   public:
    /// Nothing after the verdict.
    async::task<std::optional<Happening>> next();
    /// As it is now; complete after the verdict.
    const Record& record() const;

   private:
    friend class Executions;
    explicit Follower(LivePointer live) : live_{std::move(live)} {}
    LivePointer live_;
    std::size_t at_ = 0;  ///< The entry to be told next,
    Lengths read_{};      ///< and what of the outputs has been.
  };
  async::task<Result<Follower>> follow(ExecutionId id);

 private:
  async::task<Result<Receipt>> already_done(const Order& order, store::Repeatable earlier);
  void accept(LivePointer live);
  async::task<void> restore_waiting();
  void pump();
  void begin(LivePointer live);
  void park(Live& live);
  async::task<void> serve(LivePointer live);
  async::task<sandbox::Outcome> run(LivePointer live);
  LivePointer leave_place(Live& live);
  async::task<void> finish(LivePointer live, sandbox::Outcome outcome, LivePointer next);
  /// Writes it down, however long that takes; false when the server stops before that.
  async::task<bool> stored(Record& record, std::vector<sandbox::Artifact> artifacts,
                           std::vector<ExecutionId> claimed);
  async::task<void> write(const Record& record, const std::vector<sandbox::Artifact>& artifacts,
                          std::vector<ExecutionId> claimed);
  sandbox::Execution execution_of(Live& live);
  sandbox::Observer observer_of(LivePointer live);
  void set_state(Live& live, State state);
  async::task<void> retain();
  async::task<void> keep_house();

  async::Executor executor_;
  storage::Database& database_;
  sandbox::Executor& sandbox_;
  Settings settings_;
  Files files_;
  Admission admission_;
  std::map<ExecutionId, LivePointer> live_;
  std::size_t entering_ = 0;
  bool closing_ = false;
  Counters counters_;
  std::uint64_t version_ = 0;
  async::Event changed_;
  async::TaskScope tasks_;
  async::TaskScope housekeeping_;
};

}  // namespace gantry::executions
