#include "net/memory_stream_fake.hpp"

#include "async/event.hpp"

#include <algorithm>
#include <string>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace gantry::net {
namespace {

namespace asio = boost::asio;

constexpr std::size_t capacity = 64U << 10U;

/// One direction; shared by its writer and its reader.
struct Pipe {
  explicit Pipe(const async::Executor& executor) : changed{executor} {}

  async::Event changed;
  std::string bytes;
  bool finished = false;  ///< The writer will write no more.
  bool deserted = false;  ///< The reader has gone.
};

class MemoryStream final : public Stream {
 public:
  MemoryStream(std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out)
      : in_{std::move(in)}, out_{std::move(out)} {}
  ~MemoryStream() override { close(); }

  async::task<std::size_t> read_some(std::span<char> into) override {
    auto in = in_;  // the stream may be closed while we wait
    while (in->bytes.empty() && !in->finished && !closed_) co_await in->changed.wait();
    if (closed_) throw boost::system::system_error{asio::error::operation_aborted};
    auto count = in->bytes.copy(into.data(), into.size());
    in->bytes.erase(0, count);
    in->changed.notify();
    co_return count;
  }

  async::task<void> write(std::string_view bytes) override {
    auto out = out_;
    while (!bytes.empty()) {
      while (out->bytes.size() >= capacity && !out->deserted && !closed_) {
        co_await out->changed.wait();
      }
      if (closed_) throw boost::system::system_error{asio::error::operation_aborted};
      if (out->deserted || out->finished) {
        throw boost::system::system_error{asio::error::broken_pipe};
      }
      auto count = std::min(bytes.size(), capacity - out->bytes.size());
      out->bytes.append(bytes.substr(0, count));
      bytes.remove_prefix(count);
      out->changed.notify();
    }
  }

  void write_last(std::string bytes) override {
    if (!out_->deserted && !out_->finished) out_->bytes.append(bytes);
    out_->changed.notify();
  }

  void finish_writing() override {
    out_->finished = true;
    out_->changed.notify();
  }

  void close() override {
    closed_ = true;
    in_->deserted = true;
    in_->changed.notify();
    finish_writing();
  }

 private:
  std::shared_ptr<Pipe> in_;
  std::shared_ptr<Pipe> out_;
  bool closed_ = false;
};

}  // namespace

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> memory_streams(
    const async::Executor& executor) {
  auto forth = std::make_shared<Pipe>(executor);
  auto back = std::make_shared<Pipe>(executor);
  return {std::make_unique<MemoryStream>(back, forth), std::make_unique<MemoryStream>(forth, back)};
}

}  // namespace gantry::net
