#pragma once

#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace gantry {

/// A text that names one thing of one sort: ids of different sorts do not mix.
template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string text) : text_{std::move(text)} {}
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const Id&) const = default;

 private:
  std::string text_;
};

}  // namespace gantry

template <class Tag>
struct std::hash<gantry::Id<Tag>> {
  std::size_t operator()(const gantry::Id<Tag>& id) const {
    return std::hash<std::string>{}(id.text());
  }
};
