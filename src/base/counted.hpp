#pragma once

#include <cstddef>

namespace gantry {

/// One more of what is counted, for as long as it lives.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_{count} { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::size_t& count_;
};

}  // namespace gantry
