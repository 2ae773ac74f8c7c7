#pragma once

#include "async/task.hpp"
#include "base/error.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gantry::net {

/// A connected, bidirectional byte stream: the one thing HTTP, hijacked attachments and WebSockets
/// are spoken over, whatever the transport. Implementations: sockets (unix, tcp), TLS over any
/// other one, later SSH tunnels and the agent's reverse streams; all run the conformance suite in
/// stream_test.cpp.
///
/// One reader and one writer at a time. Failures throw (boost::system::system_error); a cancelled
/// operation ends by throwing too. Limits on waiting are the caller's: async::with_deadline.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Waits for bytes and answers how many were put into `into`; 0 means the peer has finished.
  virtual async::task<std::size_t> read_some(std::span<char> into) = 0;
  /// Returns when all of `bytes` have been handed to the transport.
  virtual async::task<void> write(std::string_view bytes) = 0;
  /// Bytes for whose way nobody waits (TLS says goodbye so); nothing but more of them may be
  /// written behind them, and no write may be under way. What has no room at once goes later,
  /// unless the stream is closed before. They are lost without a word when the peer has gone.
  virtual void write_last(std::string bytes) = 0;
  /// No more writes: the peer sees the end; reading goes on.
  virtual void finish_writing() = 0;
  /// Ends both directions at once; pending operations fail. May be called twice.
  virtual void close() = 0;
};

/// How a client reaches its server: dials, with its own deadline, or throws Failure.
using Connect = std::function<async::task<std::unique_ptr<Stream>>()>;

}  // namespace gantry::net
