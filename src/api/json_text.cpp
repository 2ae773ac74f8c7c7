#include "api/json_text.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace gantry::api {
namespace {

void write(std::string& out, const json::Value& value) {
  std::string_view separator;
  if (const auto* object = value.if_object()) {
    out += '{';
    for (const auto& [name, member] : *object) {
      out += separator;
      out += json::serialize(json::Value(name));
      out += ':';
      write(out, member);
      separator = ",";
    }
    out += '}';
  } else if (const auto* array = value.if_array()) {
    out += '[';
    for (const auto& item : *array) {
      out += separator;
      write(out, item);
      separator = ",";
    }
    out += ']';
  } else if (const auto* number = value.if_double()) {
    out += fmt::format("{}", *number);
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string json_text(const json::Value& value) {
  std::string out;
  write(out, value);
  return out;
}

std::string json_string(std::string_view bytes) {
  if (text::valid_utf8(bytes)) return json::serialize(json::Value(bytes));
  return text::json_quoted(bytes);
}

json::Value time_or_null(const std::optional<WallTime>& time) {
  return time ? json::Value(rfc3339(*time)) : json::Value(nullptr);
}

}  // namespace gantry::api
