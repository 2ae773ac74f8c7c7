#pragma once

#include "async/task.hpp"
#include "net/endpoint.hpp"
#include "net/ssh_tunnel.hpp"

#include <string>

namespace gantry::net {

/// What `SshTunnel::probe` does. Borrows everything.
async::task<SshReport> probe_ssh(const Endpoint& endpoint, const SshSettings& settings,
                                 const SshPlaces& places, SshPace pace);

/// What `SshTunnel::trust` does. Borrows everything. Throws Failure where the way breaks off.
async::task<SshHostKey> trust_ssh(const Endpoint& endpoint, const SshSettings& settings,
                                  const SshPlaces& places, SshPace pace, std::string fingerprint);

}  // namespace gantry::net
