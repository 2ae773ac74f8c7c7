#pragma once

#include "base/clock.hpp"
#include "base/id.hpp"

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gantry::storage {

/// Bytes that are not text.
struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};

/// What a column holds and a placeholder takes; monostate is SQL's NULL.
using Value = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;

/// How our types are stored: times as Unix milliseconds, ids as their text, absence as NULL.
template <std::integral T>
Value to_value(T number) {
  return static_cast<std::int64_t>(number);
}
inline Value to_value(double number) { return number; }
inline Value to_value(std::string_view text) { return std::string{text}; }
inline Value to_value(const std::string& text) { return text; }
inline Value to_value(const char* text) { return std::string{text}; }
inline Value to_value(Blob blob) { return blob; }
inline Value to_value(std::nullopt_t) { return std::monostate{}; }
inline Value to_value(WallTime time) { return std::int64_t{time.time_since_epoch().count()}; }
template <class Tag>
Value to_value(const Id<Tag>& id) {
  return id.text();
}
template <class T>
Value to_value(const std::optional<T>& value) {
  return value ? to_value(*value) : Value{std::monostate{}};
}

/// One row of an answer, columns counted from 0. A getter throws Failure (`unexpected_column`)
/// when the column holds something else, which only a bug or a foreign hand can cause.
class Row {
 public:
  explicit Row(std::vector<Value> values) : values_{std::move(values)} {}

  bool null(std::size_t column) const;
  std::int64_t integer(std::size_t column) const;
  /// An integer column reads as a double, too.
  double real(std::size_t column) const;
  const std::string& text(std::size_t column) const;
  const std::string& blob(std::size_t column) const;
  WallTime time(std::size_t column) const;
  template <class AnyId>
  AnyId id(std::size_t column) const {
    return AnyId{text(column)};
  }

  std::optional<std::int64_t> integer_or_null(std::size_t column) const;
  std::optional<double> real_or_null(std::size_t column) const;
  std::optional<std::string> text_or_null(std::size_t column) const;
  std::optional<std::string> blob_or_null(std::size_t column) const;
  std::optional<WallTime> time_or_null(std::size_t column) const;

  std::size_t size() const { return values_.size(); }
  /// As it is, for whoever copies rows. `column` is less than `size`.
  const Value& value(std::size_t column) const { return values_[column]; }

 private:
  template <class T>
  const T& get(std::size_t column, std::string_view wanted) const;

  std::vector<Value> values_;
};

using Rows = std::vector<Row>;

}  // namespace gantry::storage
