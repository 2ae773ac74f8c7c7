#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "fleet/host_config.hpp"
#include "net/ssh_tunnel.hpp"
#include "net/tls.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::fleet {

/// One step of the way to a host's engine.
struct ProbeStep {
  enum class State : std::uint8_t { ok, failed, skipped };

  std::string step;  ///< resolve, connect, authenticate, host_key, forward, ping, version
  State state = State::skipped;
  std::string detail;       ///< What was found, or why it failed; empty: nothing to say.
  std::string code;         ///< Of the error, where it failed.
  std::string remedy;       ///< What to do about that.
  std::string fingerprint;  ///< Of a host key, `SHA256:…`; empty elsewhere.
  Milliseconds took{0};
};
/// `ok`, `failed`, `skipped`.
std::string_view word(ProbeStep::State state);

/// What a try of the whole way found: always the seven steps, in their order.
struct Probe {
  std::vector<ProbeStep> steps;
  /// Whether an engine that we can use answers.
  bool reached() const;
};

/// A way that is tried: the steps that a transport does not have are skipped.
struct ProbedWay {
  net::Endpoint endpoint;
  std::optional<net::TlsClient> tls = {};
  net::SshTunnel* tunnel = nullptr;  ///< Of ssh.
  net::Connect connect;              ///< For ping and version.
  /// What `connect` wears already, for errors that are found without it; nothing: nothing.
  std::function<net::Connect(net::Connect)> dress = {};
};

/// Tries it step by step; what comes after a failure is skipped. Never throws Failure.
async::task<Probe> probe_way(async::Executor executor, ProbedWay way);

}  // namespace gantry::fleet
