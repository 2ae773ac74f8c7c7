#pragma once

#include "base/json.hpp"
#include "engine/client.hpp"
#include "net/scripted_server_fake.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gantry::engine {

/// A Docker engine that does what a test wrote down, at the wire: the real client speaks HTTP to
/// it. It answers pings by itself; everything else is `expect`ed.
///
///   FakeDaemon daemon;
///   daemon.expect("POST", "/containers/create?name=x").reply(201, R"({"Id":"…"})");
///   auto client = daemon.client(loop.executor());
class FakeDaemon {
 public:
  using Script = net::ScriptedServer::Script;

  explicit FakeDaemon(ApiVersion version = oldest_api);

  /// As ScriptedServer::expect, with the `/v1.41` put before the target.
  Script& expect(std::string method, std::string_view target);
  std::unique_ptr<Client> client(const async::Executor& executor);
  /// What was asked, apart from pings: `POST /v1.41/containers/x/start`.
  std::vector<std::string> requests() const;
  /// The body of the latest request that had one.
  std::string last_body() const;
  /// Everything else: refusing connections, breaking them, what came unexpected.
  net::ScriptedServer& server() { return server_; }

  /// An id that begins with `begin` (hexadecimal digits) and has 64 digits.
  static std::string id(std::string_view begin);
  /// One container as `GET /containers/json` tells it.
  static json::Object container(std::string_view id_begin, std::string_view name,
                                std::string_view state);
  /// One line of `GET /events`.
  static std::string event(std::string_view action, std::string_view id_begin);

 private:
  ApiVersion version_;
  net::ScriptedServer server_;
};

}  // namespace gantry::engine
