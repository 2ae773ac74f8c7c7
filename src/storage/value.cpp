#include "storage/value.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

namespace gantry::storage {

template <class T>
const T& Row::get(std::size_t column, std::string_view wanted) const {
  const T* found = column < values_.size() ? std::get_if<T>(&values_[column]) : nullptr;
  if (found == nullptr) {
    throw Failure{{ErrorKind::internal,
                   "unexpected_column",
                   fmt::format("cannot read column {} of a row of {}: it is not {}", column,
                               values_.size(), wanted),
                   {}}};
  }
  return *found;
}

bool Row::null(std::size_t column) const {
  return column < values_.size() && std::holds_alternative<std::monostate>(values_[column]);
}

std::int64_t Row::integer(std::size_t column) const {
  return get<std::int64_t>(column, "an integer");
}

double Row::real(std::size_t column) const {
  if (column < values_.size()) {
    if (const auto* whole = std::get_if<std::int64_t>(&values_[column])) {
      return static_cast<double>(*whole);
    }
  }
  return get<double>(column, "a number");
}

const std::string& Row::text(std::size_t column) const {
  return get<std::string>(column, "a text");
}

const std::string& Row::blob(std::size_t column) const { return get<Blob>(column, "a blob").bytes; }

WallTime Row::time(std::size_t column) const { return WallTime{Milliseconds{integer(column)}}; }

std::optional<std::int64_t> Row::integer_or_null(std::size_t column) const {
  if (null(column)) return std::nullopt;
  return integer(column);
}

std::optional<double> Row::real_or_null(std::size_t column) const {
  if (null(column)) return std::nullopt;
  return real(column);
}

std::optional<std::string> Row::text_or_null(std::size_t column) const {
  if (null(column)) return std::nullopt;
  return text(column);
}

std::optional<std::string> Row::blob_or_null(std::size_t column) const {
  if (null(column)) return std::nullopt;
  return blob(column);
}

std::optional<WallTime> Row::time_or_null(std::size_t column) const {
  if (null(column)) return std::nullopt;
  return time(column);
}

}  // namespace gantry::storage
