#include "net/input_buffer.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <cstring>

namespace gantry::net {

void InputBuffer::consume(std::size_t count) {
  begin_ += count;
  CHECK(begin_ <= end_);
  if (begin_ == end_) begin_ = end_ = 0;
}

async::task<std::size_t> InputBuffer::fill(Stream& stream) {
  CHECK(!full());
  if (end_ == capacity_) make_room();
  auto count = co_await stream.read_some({memory_.get() + end_, capacity_ - end_});
  end_ += count;
  co_return count;
}

void InputBuffer::make_room() {
  auto kept = end_ - begin_;
  // A full buffer means that the peer sends much: the next read shall take more at once.
  auto larger = std::clamp(capacity_ * 2, least, most);
  auto memory = std::make_unique_for_overwrite<char[]>(larger);
  if (kept != 0) std::memcpy(memory.get(), memory_.get() + begin_, kept);
  memory_ = std::move(memory);
  capacity_ = larger;
  begin_ = 0;
  end_ = kept;
}

void InputBuffer::shrink() {
  if (!empty() || capacity_ <= 2 * least) return;
  memory_.reset();
  capacity_ = 0;
}

}  // namespace gantry::net
