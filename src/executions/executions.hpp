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
#include "executions/workspaces.hpp"
#include "sandbox/executor.hpp"
#include "storage/database.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
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
  /// At least one; without any, and with a key, it is only looked up what that key made before.
  std::vector<Submission> submissions;
  /// Places in the request, in rising order, of programs that its caller refused.
  std::vector<std::size_t> refused = {};
  enum class Kind { single, batch } kind = Kind::single;
  std::optional<IdempotencyKey> key;
  /// When its caller hears of it: once it is taken, or only with the verdict. The latter need not
  /// be on disk before: a crash breaks no promise.
  enum class Told { taken, verdict } told = Told::taken;
};

/// What became of an order.
struct Receipt {
  std::string batch;  ///< Empty for a single one.
  /// Each in its program's place in the request, which is empty for one that was refused (earlier
  /// versions kept no empty places),
  std::vector<ExecutionId> ids;
  /// and their records in that order: of an earlier request without those that are deleted.
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
    Workspaces::Settings workspaces = {};
    Webhooks* webhooks = nullptr;  ///< Who tells others of the ends; nobody without it.
    /// What is known to be impossible before anything is tried; absent: nothing is.
    std::function<Result<>(const sandbox::Policy&, sandbox::ExecutorChoice)> possible = {};
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

  /// Takes all programs of an order, or none: when this answers they are on disk (or their caller
  /// is told with the verdict, and they run) and each will get its verdict. Refused: exhausted (see
  /// Admission::enter); unavailable (`server_stopping`); conflict (`idempotency_key_reused`) for a
  /// key that came with something else in the last 24 h.
  async::task<Result<Receipt>> place(Order order);
  /// An order of one program, without a token or a key.
  async::task<Result<Record>> submit(std::string owner, sandbox::Program program,
                                     sandbox::Policy policy);
  /// When it is worth trying again after an `exhausted`.
  Seconds retry_after() const { return admission_.retry_after(); }

  // What is not in somebody's reach is not_found (`no_such_execution`), as if it did not exist.

  /// Answers once it has ended; at once when it already has. unavailable (`server_stopping`) when
  /// the server is stopped before its turn has come; not_found (`output_lost`), see `find`.
  async::task<Result<Record>> wait(ExecutionId id, Reach reach);
  /// not_found (`output_lost`) when a file with what it wrote has been removed behind our back.
  async::task<Result<Record>> find(ExecutionId id, Reach reach);
  /// As `find`, without what it wrote.
  async::task<Result<Record>> look_up(ExecutionId id, Reach reach);
  /// An artifact of `Record::artifacts`, to be read. not_found: `no_such_artifact`, `output_lost`.
  struct OpenArtifact {
    ArtifactItem item;
    FileReader reader;
  };
  async::task<Result<OpenArtifact>> artifact(ExecutionId id, std::size_t index, Reach reach);
  async::task<Page> list(Listing listing, Reach reach);
  /// Refused: not_found; conflict (`already_finished`).
  async::task<Result<>> cancel(ExecutionId id, Reach reach);
  /// Where to type for a program that is interactive and has not ended; null otherwise.
  std::shared_ptr<sandbox::Keyboard> keyboard(const ExecutionId& id, const Reach& reach) const;
  /// Whether somebody can be told of ends at that address; see Webhooks::check.
  Result<> check_webhook(std::string_view url) const;
  Counters counters() const;
  /// Changes with every state of every execution; waiters are woken by `changed`.
  std::uint64_t version() const { return version_; }
  async::task<void> changed() { return changed_.wait(); }
  /// The records (without output) that are not finished, oldest first.
  std::vector<Record> unfinished(const Reach& reach) const;
  /// What users keep between executions.
  Workspaces& workspaces() { return workspaces_; }

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
  async::task<Result<Follower>> follow(ExecutionId id, Reach reach);

 private:
  Result<> possible(const Order& order) const;
  async::task<Result<Receipt>> already_done(const Order& order, store::Repeatable earlier);
  void accept(LivePointer live);
  async::task<void> write_row(LivePointer live);
  async::task<void> restore_waiting();
  void pump();
  void begin(LivePointer live);
  async::task<void> claim(Live& live);
  async::task<bool> put_back(Live& live);
  void park(Live& live);
  async::task<void> serve(LivePointer live);
  async::task<sandbox::Outcome> run(LivePointer live);
  using Leases = std::vector<std::optional<Workspaces::Lease>>;  ///< Nothing: it wants none.
  async::task<Result<Leases>> borrow_workspaces(const Order& order);
  async::task<Result<>> borrow_workspace(Live& live);
  async::task<Result<std::optional<sandbox::Workspace>>> bring_workspace(Live& live);
  async::task<void> execute_into(LivePointer live, sandbox::Outcome& outcome);
  async::task<void> keep_workspace(Live& live, sandbox::Outcome& outcome);
  LivePointer leave_place(Live& live);
  async::task<void> finish(LivePointer live, sandbox::Outcome outcome, LivePointer next);
  void tell_end(Live& live, Record record);
  /// A verdict on its way to the disk.
  struct Ending;
  async::task<bool> store_now(Ending& ending);
  /// Tries until it is stored; false when the server stops before that.
  async::task<bool> store_later(Ending& ending);
  async::task<void> write(Ending& ending);
  sandbox::Execution execution_of(Live& live);
  sandbox::Observer observer_of(LivePointer live);
  void set_state(Live& live, State state);
  bool much_is_fresh() const;
  void count_kept(const Record& record);
  void start_retention();
  async::task<void> remove_old();
  async::task<void> retain();
  async::task<void> keep_house();

  async::Executor executor_;
  storage::Database& database_;
  sandbox::Executor& sandbox_;
  Settings settings_;
  Files files_;
  Workspaces workspaces_;
  Admission admission_;
  std::map<ExecutionId, LivePointer> live_;
  std::size_t entering_ = 0;
  std::size_t unstored_ = 0;  ///< Verdicts that the database has not taken yet.
  std::set<std::pair<std::string, std::string>> entering_keys_;  ///< Accounts and their keys.
  std::uint64_t fresh_bytes_ = 0;  ///< Stored since the last retention.
  bool retaining_ = false;
  bool closing_ = false;
  Counters counters_;
  std::uint64_t version_ = 0;
  async::Event changed_;
  async::TaskScope tasks_;
  async::TaskScope housekeeping_;
};

}  // namespace gantry::executions
