#include "net/prefixed_stream.hpp"

#include <algorithm>

namespace gantry::net {
namespace {

class PrefixedStream final : public Stream {
 public:
  PrefixedStream(std::string bytes, std::unique_ptr<Stream> rest)
      : bytes_{std::move(bytes)}, rest_{std::move(rest)} {}

  async::task<std::size_t> read_some(std::span<char> into) override {
    if (taken_ == bytes_.size()) co_return co_await rest_->read_some(into);
    auto count = bytes_.copy(into.data(), into.size(), taken_);
    taken_ += count;
    if (taken_ == bytes_.size()) bytes_ = {}, taken_ = 0;
    co_return count;
  }
  async::task<void> write(std::string_view bytes) override { return rest_->write(bytes); }
  void write_last(std::string bytes) override { rest_->write_last(std::move(bytes)); }
  void finish_writing() override { rest_->finish_writing(); }
  void close() override {
    bytes_ = {};
    taken_ = 0;
    rest_->close();
  }

 private:
  std::string bytes_;
  std::size_t taken_ = 0;
  std::unique_ptr<Stream> rest_;
};

}  // namespace

std::unique_ptr<Stream> prefixed_stream(std::string bytes, std::unique_ptr<Stream> rest) {
  return std::make_unique<PrefixedStream>(std::move(bytes), std::move(rest));
}

}  // namespace gantry::net
