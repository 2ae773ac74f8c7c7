#include "engine/read.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace gantry::engine::read {
namespace {

constexpr json::TextBounds any_text{0, std::numeric_limits<std::size_t>::max()};
constexpr std::size_t any_count = std::numeric_limits<std::size_t>::max();
constexpr json::IntegerBounds any_integer{std::numeric_limits<std::int64_t>::min(),
                                          std::numeric_limits<std::int64_t>::max()};

}  // namespace

json::Fields fields(const json::Value& answer, std::string where) {
  return {answer, std::move(where), json::Keys::tolerant};
}

std::string text(json::Fields& fields, std::string_view key) {
  return fields.text(key, any_text).value_or("");
}

std::int64_t integer(json::Fields& fields, std::string_view key) {
  return fields.integer(key, any_integer).value_or(0);
}

bool boolean(json::Fields& fields, std::string_view key) {
  return fields.boolean(key).value_or(false);
}

std::vector<std::string> texts(json::Fields& fields, std::string_view key) {
  return fields.texts(key, any_count, any_text);
}

std::map<std::string, std::string> text_map(json::Fields& fields, std::string_view key) {
  auto pairs = fields.text_map(key, any_count, any_text);
  return {std::make_move_iterator(pairs.begin()), std::make_move_iterator(pairs.end())};
}

std::vector<std::string> keys(json::Fields& fields, std::string_view key) {
  std::vector<std::string> out;
  const auto* value = fields.member(key);
  if (value == nullptr) return out;
  if (!value->is_object()) {
    fields.refuse(key, "must be an object");
    return out;
  }
  for (const auto& member : value->get_object()) out.emplace_back(std::string{member.key()});
  return out;
}

std::size_t count(json::Fields& fields, std::string_view key) {
  const auto* value = fields.member(key);
  if (value == nullptr) return 0;
  if (value->is_object()) return value->get_object().size();
  if (value->is_array()) return value->get_array().size();
  fields.refuse(key, "must be an array or an object");
  return 0;
}

std::uint64_t counter(const json::Object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return 0;
  if (value->is_uint64()) return value->get_uint64();
  if (value->is_int64() && value->get_int64() >= 0) {
    return static_cast<std::uint64_t>(value->get_int64());
  }
  return 0;
}

std::string text_in(const json::Object& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string{found->as_string()} : std::string{};
}

const json::Object& object(const json::Object& parent, std::string_view key) {
  static const json::Object nothing;
  const auto* value = parent.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : nothing;
}

WallTime time_of(std::int64_t unix_seconds) {
  constexpr std::int64_t year_2200 = 7'258'118'400;
  return WallTime{Seconds{std::clamp<std::int64_t>(unix_seconds, 0, year_2200)}};
}

Error malformed(const Doing& doing, const Error& cause) {
  return {
      ErrorKind::unavailable, "engine_answer_malformed",
      fmt::format("cannot {}: the engine's answer is malformed: {}", doing.text(), cause.message),
      "check that the endpoint is a Docker engine"};
}

}  // namespace gantry::engine::read
