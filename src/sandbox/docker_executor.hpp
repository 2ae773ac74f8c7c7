#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "engine/container_spec.hpp"
#include "sandbox/capabilities.hpp"
#include "sandbox/executor.hpp"
#include "sandbox/image_memory.hpp"
#include "sandbox/images.hpp"
#include "sandbox/init_volume.hpp"
#include "sandbox/outbound.hpp"
#include "sandbox/pool.hpp"
#include "sandbox/removal.hpp"

#include <optional>
#include <string>
#include <vector>

namespace gantry::sandbox {

/// Runs each program in a hardened container of a Docker engine that nobody used before: one that
/// was waiting for it (Pool) where there is one, else a fresh one. Removes it afterwards.
class DockerExecutor final : public Executor {
 public:
  struct Settings {
    std::string owner;  ///< The server's lasting id: by it a crash's leavings are recognised.
    ImageSettings images = {};
    Clock clock;
    PoolSettings pool = {};
    OutboundWishes outbound = {};
  };

  DockerExecutor(async::Executor executor, engine::Client& engine, Settings settings);

  async::task<Outcome> execute(Execution execution, Observer observer) override;
  /// Keeps the pool full. Sweeps at once, a few times in the first half minute, and then every
  /// minute.
  async::task<void> maintain() override;
  /// Removes what waits and what is still to be removed, and stops background pulls; called last.
  async::task<void> close();
  const ImageAliases& aliases() const { return images_.aliases(); }
  /// Pulls what is missing of these, one after the other; what can not be had is only logged.
  async::task<void> prepull(std::vector<std::string> references);
  std::vector<PoolView> pool() const { return pool_.views(); }

  /// Refuses what of a policy this engine can not keep: `network_not_available` and the like. That
  /// `outbound` can not be kept is known from the first program on that asked for it.
  async::task<Result<>> check(Policy policy);
  /// As `check`, of what is known without asking the engine.
  Result<> known_refusal(const Policy& policy) const;
  /// Waits until every container is gone whose program has ended.
  async::task<void> settled() { return removal_.settled(); }
  /// Removes sandboxes of this server that no execution knows, anybody's whose deadline is long
  /// past, and old fillers of the volume. Answers how many were removed.
  async::task<Result<int>> sweep();

 private:
  /// A container in somebody's use.
  struct Use {
    Lease lease;
    bool reported = false;     ///< gantry-init gave its verdict and exits by itself.
    bool kept = false;         ///< Somebody else answers for it now.
    Lease holder = {};         ///< Of its network, with Network::outbound,
    std::string network = {};  ///< and how its container is asked to join that.
    BoxPtr box = {};           ///< What had waited.
  };
  /// What is run, and where: what the steps of one execution share.
  struct Run {
    const Execution& execution;
    const Observer& observer;
    const ServedImage& image;
  };

  async::task<Outcome> run(Execution execution, Observer observer, ServedImage image);
  async::task<std::optional<Outcome>> run_in_box(Use& use, BoxPtr box, const Run& run);
  async::task<Result<Outcome>> run_cold(Use& use, const Run& run);
  async::task<Result<Outcome>> run_outbound(Use& use, const Run& run);
  async::task<Result<>> give(const Box& box, const Policy& policy);
  async::task<Result<BoxPtr>> make_box(WarmClass warm_class, ServedImage image, Policy policy);
  async::task<Result<BoxPtr>> make_box_in(Use& use, const WarmClass& warm_class,
                                          const ServedImage& image, const Policy& policy);

  async::task<Result<engine::AttachedStream>> attach_new(Use& use, const Policy& policy,
                                                         const ServedImage& image,
                                                         WallTime deadline);
  async::task<Result<engine::ContainerSpec>> create(Use& use, const Policy& policy,
                                                    const ServedImage& image, WallTime deadline);
  async::task<void> start(const Lease& lease);
  async::task<Outcome> outcome_without_report(const Lease& lease, std::string complaint);
  async::task<Result<>> speed_up(std::string container);
  async::task<void> give_up(Use& use);
  async::task<void> sweep_now_and_then();

  async::Executor executor_;
  engine::Client& engine_;
  Settings settings_;
  Images images_;
  ImageMemory image_memory_;
  InitVolume init_volume_;
  Capabilities capabilities_;
  Removal removal_;
  Outbound outbound_;
  Pool pool_;
};

}  // namespace gantry::sandbox
