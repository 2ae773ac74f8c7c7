#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gantry::fleet {

/// Names and their values in one piece of memory, in the order of the names: a fleet has hundreds
/// of thousands of labels, and a map of them would cost five times as much. Not changed once made.
class Labels {
 public:
  using value_type = std::pair<std::string_view, std::string_view>;

  /// Walks name by name; what it points to lives as long as the Labels.
  class Iterator {
   public:
    using value_type = Labels::value_type;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using pointer = const value_type*;
    using reference = value_type;

    explicit Iterator(const char* at) : at_{at} {}
    value_type operator*() const;
    Iterator& operator++();
    bool operator==(const Iterator&) const = default;

   private:
    const char* at_;
  };

  Labels() = default;
  // Both convert: this is a map in another form.
  Labels(const std::map<std::string, std::string>& labels);
  Labels(std::initializer_list<std::pair<const std::string, std::string>> labels)
      : Labels{std::map<std::string, std::string>{labels}} {}

  Iterator begin() const { return Iterator{packed_.data()}; }
  Iterator end() const { return Iterator{packed_.data() + packed_.size()}; }
  bool empty() const { return packed_.empty(); }
  /// Counts them.
  std::size_t size() const;
  bool contains(std::string_view name) const { return find(name).has_value(); }
  std::optional<std::string_view> find(std::string_view name) const;
  bool operator==(const Labels&) const = default;

 private:
  /// For each: both lengths as 4 bytes, then both texts.
  std::string packed_;
};

}  // namespace gantry::fleet
