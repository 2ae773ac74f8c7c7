#pragma once

#include "async/attempt.hpp"
#include "integration/real_engine.hpp"
#include "integration/ssh_server.hpp"
#include "net/ssh_tunnel.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gantry {

/// The real engine, and ways to it through sshds of the test's own.
class SshWays : public RealEngine {
 protected:
  void SetUp() override;
  /// Insists that nothing is left of the tunnel.
  void TearDown() override;

  /// The engine's socket.
  std::string socket() const { return client_->endpoint().path(); }
  void trust(const SshServer& server);
  /// A server that lets `key` in, and whose own key is trusted.
  void welcome(SshServer& server, const std::string& key);
  /// Settings with a new key, `name`.
  net::SshSettings with_key(const std::string& name, const std::string& passphrase = {});
  net::SshTunnel& open(const net::Endpoint& endpoint, net::SshSettings settings,
                       net::SshPace pace = {});
  /// The engine's containers, asked for through the tunnel.
  Result<std::vector<engine::ContainerSummary>> list();
  /// Waits until it is so, at most 15 s.
  void eventually(std::function<bool()> reached);
  /// Why a stream can not be had.
  Error refusal();

  TestFolder folder_;
  std::optional<SshKeys> keys_;
  net::SshPlaces places_;
  std::unique_ptr<net::SshTunnel> tunnel_;
  std::unique_ptr<engine::Client> far_;
};

}  // namespace gantry
