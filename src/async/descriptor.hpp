#pragma once

#include "async/task.hpp"

#include <utility>

namespace gantry::async {

/// An open file descriptor and its only owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_{fd} {}
  Descriptor(Descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  /// -1: there is none.
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close();
  /// Somebody else owns it from now on.
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// Waits until `descriptor` is readable; a pidfd is once its process has ended.
task<void> readable(const Descriptor& descriptor);

}  // namespace gantry::async
