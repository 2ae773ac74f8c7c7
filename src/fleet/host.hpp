#pragma once

#include "async/race.hpp"
#include "async/task.hpp"
#include "engine/client.hpp"
#include "fleet/door.hpp"
#include "fleet/host_config.hpp"
#include "fleet/link.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gantry::fleet {

/// One host: what is configured about it, its engine's client, and the link that keeps its view.
/// Hold it by the shared pointer that Fleet::find gives: it stays usable when the host is removed,
/// disabled or reached another way meanwhile, its engine then refuses (`host_ended`), its streams
/// end, and `ended` tells.
class Host {
 public:
  Host(async::Executor executor, HostConfig config, net::Connect dial, Clock clock,
       LinkSettings settings);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const HostConfig& config() const { return config_; }
  const std::string& name() const { return config_.name; }
  /// Throws Failure `host_disabled` (conflict) or `host_ended` (conflict) at its first byte when
  /// the host may not be used.
  engine::Client& engine() { return engine_; }
  const Link& link() const { return link_; }
  const HostView& view() const { return link_.view(); }
  /// What somebody should know of this host at any time: one sentence each.
  std::vector<std::string> warnings() const;

  /// Whether this is no host of the fleet any more.
  bool ended() const { return ended_.stopped(); }
  /// Returns when it has ended: for streams that outlive the request that opened them.
  async::task<void> until_ended() { return ended_.wait(); }

 private:
  friend class Fleet;

  /// Follows the engine until the host ends.
  static async::task<void> follow(std::shared_ptr<Host> self);
  void end(Error why);

  HostConfig config_;
  Door door_;
  engine::Client engine_;
  Link link_;
  async::StopSignal ended_;
};

}  // namespace gantry::fleet
