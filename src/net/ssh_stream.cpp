#include "net/ssh_stream.hpp"

#include <utility>

namespace gantry::net {
namespace {

class SshStream final : public Stream {
 public:
  SshStream(std::unique_ptr<Stream> below, SshPlace place, std::function<void()> closed)
      : place_{std::move(place)}, below_{std::move(below)}, closed_{std::move(closed)} {}
  ~SshStream() override { tell(); }

  async::task<std::size_t> read_some(std::span<char> into) override {
    return below_->read_some(into);
  }
  async::task<void> write(std::string_view bytes) override { return below_->write(bytes); }
  void write_last(std::string bytes) override { below_->write_last(std::move(bytes)); }
  void finish_writing() override { below_->finish_writing(); }
  void close() override {
    below_->close();
    tell();
  }

 private:
  void tell() {
    if (auto closed = std::exchange(closed_, nullptr)) closed();
  }

  SshPlace place_;
  std::unique_ptr<Stream> below_;
  std::function<void()> closed_;
};

}  // namespace

std::unique_ptr<Stream> ssh_stream(std::unique_ptr<Stream> below, SshPlace place,
                                   std::function<void()> closed) {
  return std::make_unique<SshStream>(std::move(below), std::move(place), std::move(closed));
}

}  // namespace gantry::net
