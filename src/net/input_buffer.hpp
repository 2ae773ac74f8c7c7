#pragma once

#include "net/stream.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace gantry::net {

/// Bytes read from a stream and not yet understood. Begins at 2 KiB, so that an idle connection
/// costs little, and doubles to 64 KiB while the peer fills it.
class InputBuffer {
 public:
  static constexpr std::size_t least = 2U << 10U;
  static constexpr std::size_t most = 64U << 10U;

  std::string_view data() const { return {memory_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  /// Whether there is no room left for `fill`.
  bool full() const { return end_ - begin_ == most; }
  void consume(std::size_t count);
  /// Reads what is there, after what is kept; 0 means the peer has finished. Not when full().
  async::task<std::size_t> fill(Stream& stream);
  /// Gives back the memory a large message needed.
  void shrink();

 private:
  void make_room();

  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace gantry::net
