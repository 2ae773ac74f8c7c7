#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "engine/containers.hpp"
#include "sandbox/executor.hpp"
#include "sandbox/hardening.hpp"
#include "sandbox/images.hpp"
#include "sandbox/init_volume.hpp"
#include "sandbox/slots.hpp"

#include <set>
#include <string>

namespace gantry::sandbox {

/// Runs each program in a fresh, hardened container of a Docker engine, and removes it.
class DockerExecutor final : public Executor {
 public:
  struct Settings {
    std::string owner;  ///< The server's lasting id: by it a crash's leavings are recognised.
    ImageSettings images = {};
    Clock clock;
  };

  DockerExecutor(async::Executor executor, engine::Client& engine, Settings settings);

  async::task<Outcome> execute(Execution execution, Observer observer) override;
  /// Sweeps at once, a few times in the first half minute, and then every minute.
  async::task<void> maintain() override;
  /// Stops background pulls; called last.
  async::task<void> close() { return images_.close(); }
  const ImageAliases& aliases() const { return images_.aliases(); }

  /// Removes sandboxes of this server that no execution knows, anybody's whose deadline is long
  /// past, and old fillers of the volume. Answers how many were removed.
  async::task<Result<int>> sweep();

 private:
  /// The container of one execution, from its creation on.
  struct Lease {
    int user_id = 0;
    std::string container;
    bool reported = false;  ///< gantry-init gave its verdict and exits by itself.
  };

  async::task<Outcome> run(Execution execution, Observer observer, ServedImage image);
  async::task<Result<Outcome>> run_in(Lease& lease, const Execution& execution,
                                      const Observer& observer, const ServedImage& image);
  async::task<Result<engine::ContainerSpec>> create(Lease& lease, const Execution& execution,
                                                    const ServedImage& image);
  async::task<Result<>> verify(const Lease& lease, const engine::ContainerSpec& spec);
  async::task<void> start(const Lease& lease);
  async::task<Outcome> outcome_without_report(const Lease& lease, std::string complaint);
  bool left_behind(const engine::ContainerSummary& container, WallTime now) const;
  async::task<void> give_up(Lease& lease, ExecutionId id);

  engine::Client& engine_;
  Settings settings_;
  Images images_;
  InitVolume init_volume_;
  Slots slots_;
  std::set<ExecutionId> alive_;
};

}  // namespace gantry::sandbox
