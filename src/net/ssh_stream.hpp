#pragma once

#include "net/stream.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace gantry::net {

/// One of a bounded number of streams; gives its place back when it goes.
class SshPlace {
 public:
  /// `taken` is owned by the tunnel and by its streams, which may outlive it.
  explicit SshPlace(std::shared_ptr<std::size_t> taken) : taken_{std::move(taken)} { ++*taken_; }
  SshPlace(SshPlace&&) noexcept = default;
  SshPlace& operator=(SshPlace&&) = delete;
  ~SshPlace() {
    if (taken_) --*taken_;
  }

 private:
  std::shared_ptr<std::size_t> taken_;
};

/// `below`, which holds `place` as long as it lives, and calls `closed` when it is closed or goes.
std::unique_ptr<Stream> ssh_stream(std::unique_ptr<Stream> below, SshPlace place,
                                   std::function<void()> closed);

}  // namespace gantry::net
