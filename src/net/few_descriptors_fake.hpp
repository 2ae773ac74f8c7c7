#pragma once

#include <sys/resource.h>
#include <unistd.h>

namespace gantry::net {

/// The process may open no more than `count` further descriptors while this lives.
class FewDescriptors {
 public:
  explicit FewDescriptors(int count) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    int lowest_free = ::dup(0);
    ::close(lowest_free);
    auto few = before_;
    few.rlim_cur = static_cast<rlim_t>(lowest_free + count);
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace gantry::net
