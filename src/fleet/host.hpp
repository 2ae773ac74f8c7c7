#pragma once

#include "async/race.hpp"
#include "async/task.hpp"
#include "engine/client.hpp"
#include "fleet/door.hpp"
#include "fleet/host_config.hpp"
#include "fleet/hosts.hpp"
#include "fleet/link.hpp"
#include "net/ssh_tunnel.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::fleet {

/// Makes the errors of a dialler tell more.
using Dress = std::function<net::Connect(net::Connect)>;

/// How streams to a host's engine are made: by `connect`, which for ssh uses the tunnel.
struct HostWay {
  net::Connect connect;
  std::unique_ptr<net::SshTunnel> tunnel = {};
  Dress dress = {};  ///< What `connect` wears; nothing: nothing.
};

/// One host: what is configured about it, its engine's client, and the link that keeps its view.
/// Hold it by the shared pointer that Fleet::find gives: it stays usable when the host is removed,
/// disabled or reached another way meanwhile; its engine then refuses (`host_ended`), its streams
/// end, and `ended` tells.
class Host {
 public:
  Host(async::Executor executor, HostRecord record, HostWay way, Clock clock,
       LinkSettings settings);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// May change at any wait (a rename, other groups): copy what must not.
  const HostConfig& config() const { return record_.config; }
  const std::string& name() const { return record_.config.name; }
  /// With its secrets: for the fleet itself and for telling which are set.
  const HostReach& reach() const { return record_.reach; }
  /// Throws Failure `host_disabled` or `host_ended` (both conflict) when the host may not be used.
  engine::Client& engine() { return engine_; }
  const Link& link() const { return link_; }
  const HostView& view() const { return link_.view(); }
  /// By which way its engine is reached: `direct`, `forward`, `dial-stdio`; empty while an SSH
  /// tunnel has not found one.
  std::string_view via() const;
  /// What somebody should know of this host at any time: one sentence each.
  std::vector<std::string> warnings() const;

  /// Runs a text of ours by `sh` on the host's machine: net::SshTunnel::run. Hold the host by its
  /// shared pointer meanwhile. Refuses where there is no such way (conflict, `host_without_shell`),
  /// and as `engine` does.
  async::task<Result<std::string>> run_there(std::string script);

  /// Tries at once what waits for its next try by itself: somebody looks.
  void try_again();

  /// Whether this is no host of the fleet any more.
  bool ended() const { return ended_.stopped(); }
  /// Returns when it has ended: for streams that outlive the request that opened them.
  async::task<void> until_ended() { return ended_.wait(); }

 private:
  friend class Fleet;

  void end(Error why);
  /// Ends what the way needs; the last thing that happens to a host.
  async::task<void> close_way();

  HostRecord record_;
  std::unique_ptr<net::SshTunnel> tunnel_;
  Dress dress_;
  Door door_;
  engine::Client engine_;
  Link link_;
  async::StopSignal ended_;
};

}  // namespace gantry::fleet
