#pragma once

#include "async/descriptor.hpp"
#include "async/task.hpp"
#include "base/error.hpp"
#include "net/stream.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Connections to processes of ours on this machine: one end here, the other to be passed on.
namespace gantry::net {

struct StreamPair {
  std::unique_ptr<Stream> near;
  async::Descriptor far;
};
/// A connected pair of Unix stream sockets.
Result<StreamPair> stream_pair(const async::Executor& executor);

/// One message and the descriptors that came with it.
struct Packet {
  std::string bytes;
  std::vector<async::Descriptor> descriptors;
};

/// The two ends of one.
struct PacketPair;

/// A connected pair of Unix sockets for packets.
Result<PacketPair> packet_pair(const async::Executor& executor);

/// A connected Unix socket that keeps the borders of messages and carries descriptors.
/// One reader and one writer at a time; limits on waiting are the caller's.
class PacketSocket {
 public:
  static constexpr std::size_t bytes_max = 64U << 10U;
  static constexpr std::size_t descriptors_max = 16;

  PacketSocket(PacketSocket&&) noexcept;
  PacketSocket& operator=(PacketSocket&&) noexcept;
  ~PacketSocket();

  /// The next message; no bytes: the other side has gone. Throws when the socket breaks.
  async::task<Packet> receive();
  /// The other side gets copies of `descriptors`. Throws when it has gone.
  async::task<void> send(std::string_view bytes, std::span<const int> descriptors);

 private:
  friend Result<PacketPair> packet_pair(const async::Executor& executor);
  struct Impl;
  explicit PacketSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct PacketPair {
  PacketSocket near;
  async::Descriptor far;
};

}  // namespace gantry::net
