#pragma once

#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"

#include <memory>
#include <string>

namespace gantry::net::http {

/// A real server on a free port of the loopback interface, for as long as a test runs something
/// against it.
class TestServer {
 public:
  explicit TestServer(Handler handler, ServerLimits limits = {});
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  async::TestLoop& loop() { return loop_; }
  Server& server() { return server_; }
  std::uint16_t port() const { return port_; }
  Connect connect() const;

  /// Runs `work` while the server serves; may be called again and again.
  template <class T>
  T run(async::task<T> work) {
    return loop_.run(std::move(work));
  }

  /// Sends `bytes` over a connection of their own and answers everything that comes back until the
  /// server closes it; what has come when it does not do so for 60 s.
  async::task<std::string> say(std::string bytes) const;

 private:
  async::TestLoop loop_;
  Server server_;
  std::uint16_t port_;
  async::TaskScope serving_;
};

}  // namespace gantry::net::http
