#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "engine/exec_ender.hpp"
#include "fleet/host.hpp"
#include "fleet/open_execs_store.hpp"
#include "fleet/operations.hpp"
#include "storage/database.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gantry::fleet {

/// Shells that nobody may forget: noted before they are started and crossed out when they have
/// ended. What a server that was killed has left is ended by the next one, as soon as it reaches
/// the host. Belongs to the event loop.
class OpenExecs {
 public:
  struct Settings {
    Clock clock = {};
    /// This server, and the same one after a restart.
    std::string owner = {};
    /// As that of terminals.
    engine::Ender ender = {};
    /// How soon, and then how seldom, a host that is away is looked for.
    Milliseconds look_first{2'000};
    Milliseconds look_last{60'000};
  };
  /// The host of this id; nullptr when it is gone.
  using Find = std::function<std::shared_ptr<Host>(const HostId&)>;

  OpenExecs(storage::Database& database, Operations& operations, Settings settings)
      : database_{database}, operations_{operations}, settings_{std::move(settings)} {}
  OpenExecs(const OpenExecs&) = delete;
  OpenExecs& operator=(const OpenExecs&) = delete;

  /// Brings the table up to date and reads what is left of the servers before.
  async::task<void> start();
  /// Ends what is left, each as one operation (`terminal.end_left`) of `system`, on all hosts at
  /// once. Returns when nothing is; to be cancelled when the server stops.
  async::task<void> end_left(Find find);

  async::task<void> note(HostId host, engine::MarkedExec exec);
  async::task<void> cross_out(std::string exec);

 private:
  enum class Fate { over, unknown };

  async::task<void> end_on(HostId host, Find find);
  async::task<void> end_those_of(std::shared_ptr<Host> host);
  async::task<Fate> end_one(std::shared_ptr<Host> host, engine::MarkedExec exec);
  async::task<void> forget(std::string exec);
  bool has_left(const HostId& host) const;

  storage::Database& database_;
  Operations& operations_;
  Settings settings_;
  std::vector<OpenExec> left_;
};

}  // namespace gantry::fleet
