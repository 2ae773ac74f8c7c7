#pragma once

#include "async/event.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "engine/networks.hpp"
#include "sandbox/creation.hpp"
#include "sandbox/images.hpp"
#include "sandbox/init_volume.hpp"
#include "sandbox/outbound_addresses.hpp"
#include "sandbox/policy.hpp"
#include "sandbox/removal.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::sandbox {

/// The networks of programs with `outbound`: each gets a namespace of its own, closed by a
/// container of ours before the program's joins it (docs/network.md, docs/adr/0019). Serves only
/// where a canary has shown that such a namespace leads nowhere but outside.
class Outbound {
 public:
  struct Settings {
    std::string owner;
    OutboundWishes wishes;
    Clock clock;
  };

  Outbound(async::Executor executor, engine::Client& engine, Removal& removal,
           InitVolume& init_volume, Settings settings);

  /// Refuses (network_not_available) unless a canary under such a policy has found everything
  /// closed within the last hour, and since the engine began and the host's addresses are as they
  /// are. Takes some seconds when it has to be shown anew. Any other error is of this attempt, and
  /// changes nothing of what was shown before.
  async::task<Result<>> prove(ServedImage image, Policy policy, OnProgress progress);
  /// The refusal that holds now, if one is known.
  Result<> remembered(const Policy& policy) const;

  /// A namespace for one container until `deadline`: what its `network_mode` has to be. `holder`
  /// is what to remove afterwards, as soon as there is something, whatever comes of it.
  async::task<Result<std::string>> hold(Lease& holder, ServedImage image, WallTime deadline);

 private:
  /// What may change under our feet, and what was found with it.
  struct World {
    engine::Network bridge;
    std::vector<engine::Network> networks;
    HostAddresses host;

    /// Another one means that what was shown may hold no longer.
    std::string fingerprint() const;
  };
  struct Proof {
    std::string fingerprint;
    SteadyTime at;
    std::optional<Error> refusal;
  };
  /// What a container of ours is to be, and the line it ends its words with.
  struct Task {
    std::string label;
    SpecOf spec_of;
    std::string_view last_line;
  };

  async::task<Result<>> prove_anew(ServedImage image, Policy policy, OnProgress progress);
  async::task<Result<>> prove_in(ServedImage image, Policy policy, World world);
  async::task<Result<>> send_canary(Lease& holder, Lease& canary, ServedImage image, Policy policy,
                                    World world);
  async::task<Result<std::string>> hold_in(Lease& holder, ServedImage image, WallTime deadline,
                                           World world);
  async::task<Result<World>> look(ServedImage image);
  async::task<Result<HostAddresses>> host_addresses(ServedImage image);
  async::task<Result<HostAddresses>> survey(Lease& lease, ServedImage image);
  async::task<Result<engine::Network>> bridge(std::vector<engine::Network>& networks);
  async::task<Result<std::string>> hear(Lease& lease, Task task);
  async::task<Result<std::string>> start_and_listen(std::string container, std::string last_line);
  async::task<void> let_go(Lease& first, Lease& second);

  engine::Client& engine_;
  Removal& removal_;
  InitVolume& init_volume_;
  Settings settings_;
  std::map<Runtime, Proof> proofs_;
  std::optional<HostAddresses> host_;
  SteadyTime surveyed_at_;
  bool proving_ = false;
  bool surveying_ = false;
  async::Event changed_;
};

}  // namespace gantry::sandbox
