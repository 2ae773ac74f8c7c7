#include "base/secret.hpp"

#include <sodium.h>

namespace gantry {

Secret::Secret(Secret&& other) noexcept : text_{std::move(other.text_)} {
  sodium_memzero(other.text_.data(), other.text_.size());
  other.text_.clear();
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  std::swap(text_, other.text_);
  // What this held before is gone now, not when `other` goes.
  sodium_memzero(other.text_.data(), other.text_.size());
  other.text_.clear();
  return *this;
}

Secret::~Secret() { sodium_memzero(text_.data(), text_.size()); }

bool Secret::matches(std::string_view other) const {
  return text_.size() == other.size() && !text_.empty() &&
         sodium_memcmp(text_.data(), other.data(), other.size()) == 0;
}

}  // namespace gantry
