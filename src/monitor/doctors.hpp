#pragma once

#include "async/event.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "doctor/checks.hpp"
#include "doctor/gather.hpp"
#include "fleet/fleet.hpp"
#include "monitor/differences.hpp"
#include "storage/database.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace gantry::monitor {

/// What came of looking at a host.
struct Examination {
  doctor::Report report;
  /// When the report was made that this one is compared with: the first one from which none until
  /// this one differed. Nothing: there is none, or the host was reached in another way then.
  std::optional<WallTime> since;
  std::vector<Difference> changes;
};

/// Examines hosts of the fleet, and keeps of each how it came out last. Belongs to the event loop.
class Doctors {
 public:
  /// How the facts of a host are gathered: the door through which tests bring facts of their own.
  using Look = std::function<async::task<Result<doctor::Facts>>(std::shared_ptr<fleet::Host> host)>;
  struct Settings {
    /// Where this machine's tools and settings are, for hosts that are reached by its sockets.
    doctor::Environment environment = {};
    Clock clock = {};
    /// More than a far machine and its engine are given together (doctor/far.hpp).
    Milliseconds patience{20'000};
    /// So long an answer is given again: each is several logins, or programs that are run.
    Milliseconds fresh{10'000};
    /// Instead of the ways that endpoints name.
    Look look = {};
  };

  Doctors(async::Executor executor, storage::Database& database, fleet::Fleet& fleet,
          Settings settings);
  Doctors(const Doctors&) = delete;
  Doctors& operator=(const Doctors&) = delete;

  /// Brings the table up to date, and forgets the hosts that are gone. Call after the fleet's.
  async::task<void> start();
  /// Ends what is under way: whoever waits is refused (`server_stopping`). Call before the
  /// destructor.
  async::task<void> close();

  /// Looks at the host, unless the last answer is fresh: then it is the answer. Whoever asks while
  /// it is looked at waits for the same one; who goes away ends nothing, but what nobody waits for
  /// any more is not kept to be compared with. Refused: `host_disabled`, `host_ended` (conflict),
  /// `too_many_examinations` (exhausted), `timed_out`, `server_stopping` (unavailable).
  async::task<Result<Examination>> examine(std::shared_ptr<fleet::Host> host);

 private:
  struct Underway;
  class Ending;
  struct Recent {
    std::weak_ptr<const fleet::Host> host;
    WallTime at;
    Examination examination;
  };

  async::task<Result<doctor::Facts>> look(std::shared_ptr<fleet::Host> host);
  async::task<Result<doctor::Facts>> look_until_ended(std::shared_ptr<fleet::Host> host);
  std::shared_ptr<Underway> begin(std::shared_ptr<fleet::Host> host);
  async::task<void> carry_out(Ending ending);
  async::task<void> compare_and_keep(const Underway& underway, Examination& examination);
  bool is_fresh(const Recent& one) const;
  const Examination* recent(const std::shared_ptr<fleet::Host>& host) const;
  void remember(const std::shared_ptr<fleet::Host>& host, const Examination& examination);
  std::vector<fleet::HostId> hosts_there() const;

  async::Executor executor_;
  storage::Database& database_;
  fleet::Fleet& fleet_;
  Settings settings_;
  /// Owned by the examination and by whoever waits for it. A host that is reached in another way
  /// from now on is another Host, and is looked at by itself.
  std::map<const fleet::Host*, std::shared_ptr<Underway>> underway_;
  /// What is fresh yet, and what was a while ago.
  std::vector<Recent> recent_;
  bool closing_ = false;
  async::TaskScope scope_;
};

}  // namespace gantry::monitor
