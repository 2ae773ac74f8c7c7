#pragma once

#include "access/audit_store.hpp"
#include "access/identity.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/event.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "storage/database.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace gantry::fleet {

/// Who asks for a change, as plain values: a browser's user, a chat's, a job's owner.
struct Actor {
  std::string name;  ///< The user's: `actor` in the audit log.
  std::string id;    ///< The user's: names may be given anew.
  std::string by;    ///< By what they are known: `session`, `token`, `local`.
};
Actor actor_of(const access::Identity& identity);

/// One change to a host, before it happens.
struct Operation {
  Actor actor;
  std::string host;    ///< The host's name.
  std::string action;  ///< `container.stop`, `image.pull`: noun and verb, as in the audit log.
  std::string object;  ///< The id or name of what is changed; empty: the host as a whole.
  /// What was asked for. Values whose names say secret are masked before anything is written; so
  /// are those of `NAME=value` texts, and passwords in URLs. Over 2 KiB only its size is kept.
  json::Object parameters = {};
  /// For the call itself, without waiting for its turn.
  Milliseconds deadline{60'000};
};

/// Values whose names say secret, masked: of members at any depth, and of texts `NAME=value`; and
/// the passwords of URLs in any text.
json::Object masked(const json::Object& parameters);

/// Every change to a host goes through here: the audit row first (it says `begun`), then the call
/// to the engine, then a second row with how it ended; both carry the same `operation` id. Where
/// the first row can not be written nothing happens. Knows nothing of HTTP: the API, chat and jobs
/// use it alike. Belongs to the event loop.
///
///   co_await operations.run({.actor = actor_of(who), .host = host.name(),
///                            .action = "container.pause", .object = id},
///                           engine::pause_container(host.engine(), id));
///
/// Outcomes in the audit log: `ok`, the code of the refusal, `timed_out`, or `interrupted` when the
/// server was stopped meanwhile (nobody knows then what the engine made of it).
class Operations {
 public:
  struct Settings {
    Clock clock;
    /// So many of one host run at once; so many more wait for their turn, the rest is refused.
    std::size_t running_max = 32;
    std::size_t waiting_max = 256;
    /// How long one may wait for its turn.
    Milliseconds turn_max{30'000};
  };
  class Underway;

  Operations(async::Executor executor, storage::Database& database, Settings settings);
  ~Operations();
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;

  /// Runs `work`, which begins only when its row is written, and answers what it answers. What
  /// breaks (an engine that is away) comes as an Error too. Refused besides: `host_busy`
  /// (exhausted), `audit_unavailable` (unavailable: nothing was done).
  template <class T>
  async::task<Result<T>> run(Operation operation, async::task<Result<T>> work);

  /// For what lasts, such as a terminal: writes the first row and answers what writes the second.
  /// It takes no turn and has no deadline.
  async::task<Result<Underway>> begin(Operation operation);

  /// One row for something that changes nothing but must leave a trace, before it happens.
  async::task<Result<>> note(Operation operation);

  /// Waits until all last rows are written. Call it when nobody begins anything any more.
  async::task<void> close();

 private:
  /// Those of one host.
  struct Queue {
    std::size_t running = 0;
    std::size_t waiting = 0;
  };
  class Turn;

  async::task<Result<Turn>> take_turn(std::string host);
  async::task<void> wait_for_turn(Queue& queue);
  void leave(const std::string& host);
  async::task<Result<>> write(access::AuditEntry entry);
  async::task<void> write_last(access::AuditEntry entry);

  storage::Database& database_;
  Settings settings_;
  std::map<std::string, Queue> queues_;
  async::Event freed_;
  async::TaskScope last_rows_;
};

/// A change that has begun: its second row is written when it is told how it ended, or goes.
class Operations::Underway {
 public:
  Underway(Underway&& other) noexcept
      : operations_{std::exchange(other.operations_, nullptr)},
        entry_{std::move(other.entry_)},
        details_{std::move(other.details_)},
        id_{std::move(other.id_)},
        began_{other.began_} {}
  Underway& operator=(Underway&&) = delete;
  Underway(const Underway&) = delete;
  Underway& operator=(const Underway&) = delete;
  /// Untold, it was `interrupted`.
  ~Underway();

  /// Does not wait for the row. `facts` become part of its details (masked); what is told later is
  /// not heard.
  void succeeded(const json::Object& facts = {});
  void failed(const Error& error, json::Object facts = {});
  /// By which both rows are known.
  const std::string& id() const { return id_; }

 private:
  friend class Operations;
  Underway(Operations& operations, access::AuditEntry entry, json::Object details);
  void tell(std::string outcome, const json::Object& facts);

  Operations* operations_;
  access::AuditEntry entry_;
  json::Object details_;  ///< What both rows say.
  std::string id_;
  SteadyTime began_ = steady_now();
};

/// A place among those that run on one host.
class Operations::Turn {
 public:
  Turn(Operations& operations, std::string host)
      : operations_{&operations}, host_{std::move(host)} {}
  Turn(Turn&& other) noexcept
      : operations_{std::exchange(other.operations_, nullptr)}, host_{std::move(other.host_)} {}
  Turn& operator=(Turn&&) = delete;
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (operations_ != nullptr) operations_->leave(host_);
  }

 private:
  Operations* operations_;
  std::string host_;
};

template <class T>
async::task<Result<T>> Operations::run(Operation operation, async::task<Result<T>> work) {
  auto turn = co_await take_turn(operation.host);
  if (!turn) co_return fail(std::move(turn.error()));
  auto deadline = operation.deadline;
  auto doing = operation.action + " of '" + operation.object + "'";
  auto underway = co_await begin(std::move(operation));
  if (!underway) co_return fail(std::move(underway.error()));
  auto answer =
      co_await async::attempt(async::with_deadline(deadline, std::move(doing), std::move(work)));
  if (answer) {
    underway->succeeded();
  } else {
    underway->failed(answer.error());
  }
  co_return answer;
}

}  // namespace gantry::fleet
