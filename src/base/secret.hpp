#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace gantry {

/// A text that must not be shown: it has no formatter, so it can not be logged by accident, and
/// its memory is wiped when it goes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_{std::move(text)} {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret&) = delete;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  /// The text itself: call it only where it goes into a hash, a header or a pipe.
  std::string_view reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  /// Compares in constant time.
  bool matches(std::string_view other) const;

 private:
  std::string text_;
};

}  // namespace gantry
