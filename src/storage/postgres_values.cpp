#include "storage/postgres_values.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "storage/postgres_text.hpp"

#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace gantry::storage {
namespace {

// pg_type.dat of PostgreSQL; these never change.
constexpr Oid boolean_type = 16;
constexpr Oid bytes_type = 17;
constexpr Oid bigint_type = 20;
constexpr Oid smallint_type = 21;
constexpr Oid integer_type = 23;
constexpr Oid text_type = 25;
constexpr Oid oid_type = 26;
constexpr Oid real_type = 700;
constexpr Oid double_type = 701;
constexpr Oid numeric_type = 1700;
/// The server shall find out by itself.
constexpr Oid any_type = 0;

constexpr int as_text = 0;
constexpr int as_bytes = 1;

/// How one value travels.
struct Encoded {
  Oid type;
  int format;
  std::string bytes;
};

struct Encoder {
  Encoded operator()(std::monostate) const { return {any_type, as_text, {}}; }
  Encoded operator()(std::int64_t number) const {
    return {bigint_type, as_text, fmt::format("{}", number)};
  }
  Encoded operator()(double number) const {
    return {double_type, as_text, fmt::format("{}", number)};
  }
  Encoded operator()(const std::string& text) const {
    return {text_type, as_bytes, to_postgres_text(text)};
  }
  Encoded operator()(const Blob& blob) const { return {bytes_type, as_bytes, blob.bytes}; }
};

template <class Number>
std::optional<Number> parsed(std::string_view text) {
  Number number{};
  auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

/// `12`, `0.5`, `1e300`, `NaN`, `-Infinity`.
Value number_of(std::string_view text) {
  if (auto whole = parsed<std::int64_t>(text)) return *whole;
  if (auto real = parsed<double>(text)) return *real;
  return std::string{text};
}

Value real_of(std::string_view text) {
  auto real = parsed<double>(text);
  return real ? Value{*real} : Value{std::string{text}};
}

/// `\x00ff`
Value blob_of(std::string_view text) {
  auto bytes = text.starts_with("\\x") ? encoding::from_hex(text.substr(2)) : std::nullopt;
  if (!bytes) {
    throw Failure{{ErrorKind::internal, "database_error",
                   "cannot read a column of bytes: it is not told in hexadecimal digits",
                   "leave the database's bytea_output at 'hex'"}};
  }
  return Blob{std::move(*bytes)};
}

}  // namespace

PostgresParameters::PostgresParameters(std::span<const Value> parameters) {
  auto count = parameters.size();
  texts_.reserve(count);
  for (const auto& value : parameters) {
    auto encoded = std::visit(Encoder{}, value);
    CHECK(encoded.bytes.size() < static_cast<std::size_t>(std::numeric_limits<int>::max()));
    types.push_back(encoded.type);
    formats.push_back(encoded.format);
    texts_.push_back(std::move(encoded.bytes));
    bool null = std::holds_alternative<std::monostate>(value);
    values.push_back(null ? nullptr : texts_.back().c_str());
    lengths.push_back(static_cast<int>(texts_.back().size()));
  }
}

Value postgres_value(const PGresult* outcome, int row, int column) {
  if (PQgetisnull(outcome, row, column) != 0) return std::monostate{};
  std::string_view text{PQgetvalue(outcome, row, column),
                        static_cast<std::size_t>(PQgetlength(outcome, row, column))};
  switch (PQftype(outcome, column)) {
    case boolean_type:
      return std::int64_t{text == "t" ? 1 : 0};
    case smallint_type:
    case integer_type:
    case bigint_type:
    case oid_type:
    case numeric_type:
      return number_of(text);
    case real_type:
    case double_type:
      return real_of(text);
    case bytes_type:
      return blob_of(text);
    default:
      return from_postgres_text(text);
  }
}

}  // namespace gantry::storage
