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
    /// As that of terminals.
    engine::Ender ender = {};
    /// How often hosts that are away are looked for.
    Milliseconds look{2'000};
  };
  /// The host of this id; nullptr when it is gone.
  using Find = std::function<std::shared_ptr<Host>(const HostId&)>;

  OpenExecs(storage::Database& database, Operations& operations, Settings settings)
      : database_{database}, operations_{operations}, settings_{std::move(settings)} {}
  OpenExecs(const OpenExecs&) = delete;
  OpenExecs& operator=(const OpenExecs&) = delete;

  /// Brings the table up to date and reads what is left of the servers before.
  async::task<void> start();
  /// Ends what is left, each as one operation (`terminal.end_left`) of nobody. Returns when nothing
  /// is; to be cancelled when the server stops.
  async::task<void> end_left(Find find);

  async::task<void> note(HostId host, engine::MarkedExec exec);
  async::task<void> cross_out(std::string exec);

 private:
  async::task<void> end_one(std::shared_ptr<Host> host, OpenExec open);

  storage::Database& database_;
  Operations& operations_;
  Settings settings_;
  std::vector<OpenExec> left_;
};

}  // namespace gantry::fleet
