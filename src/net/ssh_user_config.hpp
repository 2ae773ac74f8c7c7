#pragma once

#include "async/task.hpp"
#include "net/ssh_settings.hpp"
#include "net/ssh_way.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gantry::net {

/// What `ssh -G` says about one name: OpenSSH itself reads the user's configuration.
struct SshResolved {
  SshMachine machine;
  std::vector<SshHop> jumps;  ///< ProxyJump, from here to there.
};
/// Takes over what says how a machine is reached and logged in to, and nothing that forwards, runs
/// or shares anything. Refuses (`bad_endpoint`) names that are more than names.
Result<SshResolved> read_ssh_resolved(std::string_view output, const SshSettings& settings);

/// The way to `host`: by the settings alone, or, where they say so, as the user's configuration
/// has it. Throws Failure: `ssh_config_not_allowed`, `ssh_config_unusable`, `ssh_missing`,
/// `bad_endpoint`.
async::task<SshWay> find_ssh_way(SshHop host, const SshSettings& settings, const SshPlaces& places);

}  // namespace gantry::net
