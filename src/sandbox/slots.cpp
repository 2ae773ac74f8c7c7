#include "sandbox/slots.hpp"

#include <fmt/format.h>

#include "base/random.hpp"

namespace gantry::sandbox {

Slots::Slots() : next_{static_cast<int>(random::below(count))} {}

std::optional<int> Slots::take() {
  for (int tried = 0; tried < count; ++tried) {
    int id = first + next_;
    next_ = (next_ + 1) % count;
    if (taken_.insert(id).second) return id;
  }
  return std::nullopt;
}

std::string Slots::container_name(int id) { return fmt::format("gantry-sandbox-{}", id); }

}  // namespace gantry::sandbox
