#pragma once

#include "api/call.hpp"
#include "async/event.hpp"
#include "executions/record.hpp"
#include "net/websocket.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gantry::api {

/// One browser tab's WebSocket: it subscribes to topics and is told of every change of theirs, at
/// most four times a second each. One coroutine reads, one writes, and the writer alone closes.
class LiveChannel {
 public:
  LiveChannel(Call& call, net::WebSocket socket);

  /// Returns when the connection has ended.
  async::task<void> run();

 private:
  using ExecutionId = executions::ExecutionId;

  /// A topic: what of it was told last, and when more of it may be told.
  struct Topic {
    bool subscribed = false;
    std::optional<std::uint64_t> told_version;
    SteadyTime not_before{};

    bool due(std::uint64_t version, SteadyTime now) const {
      return subscribed && told_version != version && now >= not_before;
    }
  };
  struct Goodbye {
    std::uint16_t code;
    std::string reason;
  };

  async::task<void> read();
  void understand(const net::WebSocket::Message& message);
  void subscribe(std::string_view topic);
  async::task<void> write();
  async::task<void> tell_containers();
  async::task<void> tell_executions();
  async::task<std::vector<executions::Record>> changed_executions();
  async::task<void> send(json::Object message);
  async::task<void> send_refusals();
  std::optional<Goodbye> goodbye() const;
  async::task<void> woken();
  async::task<void> watch_link();
  async::task<void> watch_executions();
  async::task<void> watch_stop();
  async::task<void> watch_all();
  void wake();

  Call& call_;
  net::WebSocket socket_;
  async::Event wake_;
  bool woken_ = false;
  bool stopping_ = false;
  Topic containers_;
  Topic executions_;
  /// What the other side knows of each execution; only of those that may still be told.
  std::map<ExecutionId, executions::State> told_;
  bool told_before_ = false;
  std::vector<json::Object> refusals_;
  std::optional<Goodbye> refused_;
};

}  // namespace gantry::api
