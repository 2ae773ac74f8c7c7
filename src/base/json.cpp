#include "base/json.hpp"

#include "base/text.hpp"

#include <cmath>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

namespace gantry::json {
namespace {

/// Sees every key of a text once and stops at the first that its object already has: the value
/// parser of Boost.JSON keeps the last one silently.
struct DuplicateFinder {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  using Code = boost::system::error_code;
  using View = boost::json::string_view;

  std::vector<std::set<std::string>> open_objects;
  std::string key;
  std::optional<std::string> duplicate;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    open_objects.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, Code&) {
    open_objects.pop_back();
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(View part, std::size_t, Code&) {
    key.append(part.data(), part.size());
    return true;
  }
  bool on_key(View part, std::size_t, Code& code) {
    key.append(part.data(), part.size());
    if (!open_objects.back().insert(key).second) {
      duplicate = key;
      code = boost::json::make_error_code(boost::json::error::syntax);
      return false;
    }
    key.clear();
    return true;
  }
  bool on_string_part(View, std::size_t, Code&) { return true; }
  bool on_string(View, std::size_t, Code&) { return true; }
  bool on_number_part(View, Code&) { return true; }
  bool on_int64(std::int64_t, View, Code&) { return true; }
  bool on_uint64(std::uint64_t, View, Code&) { return true; }
  bool on_double(double, View, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(View, Code&) { return true; }
  bool on_comment(View, Code&) { return true; }
};

std::optional<std::string> duplicate_key(std::string_view text,
                                         const boost::json::parse_options& options) {
  boost::json::basic_parser<DuplicateFinder> finder{options};
  boost::system::error_code code;
  finder.write_some(false, text.data(), text.size(), code);
  return finder.handler().duplicate;
}

std::string_view kind_word(const Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return "null";
    case boost::json::kind::bool_:
      return "a boolean";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
      return "an integer";
    case boost::json::kind::double_:
      return "a number";
    case boost::json::kind::string:
      return "a text";
    case boost::json::kind::array:
      return "an array";
    case boost::json::kind::object:
      return "an object";
  }
  return "something else";
}

/// Why a number that is no 64-bit integer is none: printed, 5000.0 would be 5000.
std::string_view double_word(double number) {
  constexpr double integers_end = 9.3e18;
  bool large = !std::isfinite(number) || std::abs(number) > integers_end;
  return large ? "a number of that size" : "a number with a fraction or an exponent";
}

}  // namespace

Error field_error(std::string_view path, std::string_view reason) {
  return {ErrorKind::invalid, "invalid_field", fmt::format("field '{}' {}", path, reason), {}};
}

Result<Value> parse(std::string_view text, Keys keys, const Limits& limits) {
  if (text.size() > limits.bytes_max) {
    return fail(ErrorKind::too_large, "json_too_large",
                fmt::format("cannot read JSON: {} bytes, over the limit of {}", text.size(),
                            limits.bytes_max));
  }
  boost::json::parse_options options;
  options.max_depth = limits.depth_max;
  boost::system::error_code code;
  auto value = boost::json::parse({text.data(), text.size()}, code, {}, options);
  if (code == boost::json::error::too_deep) {
    return fail(ErrorKind::invalid, "invalid_json",
                fmt::format("cannot read JSON: nested deeper than {} levels", limits.depth_max));
  }
  if (code) {
    return fail(ErrorKind::invalid, "invalid_json",
                fmt::format("cannot read JSON: {}", code.message()),
                "send one well-formed JSON value in UTF-8");
  }
  if (keys == Keys::strict) {
    if (auto twice = duplicate_key(text, options)) {
      return fail(ErrorKind::invalid, "duplicate_key",
                  fmt::format("cannot read JSON: key '{}' comes twice in one object",
                              text::shortened(text::one_line(*twice), 80)),
                  "send each key once");
    }
  }
  return value;
}

Fields::Fields(const Value& value, std::string where, Keys keys)
    : object_{value.if_object()}, where_{std::move(where)}, keys_{keys} {
  if (object_ == nullptr) {
    auto reason = fmt::format("must be an object, not {}", kind_word(value));
    error_ = field_error(where_.empty() ? "body" : where_, reason);
  }
}

std::string Fields::path(std::string_view key) const {
  return where_.empty() ? std::string{key} : fmt::format("{}.{}", where_, key);
}

void Fields::refuse(std::string_view key, std::string_view reason) {
  if (!error_) error_ = field_error(path(key), reason);
}

void Fields::adopt(Error error) {
  if (!error_) error_ = std::move(error);
}

const Value* Fields::member(std::string_view key) {
  asked_.emplace(key);
  if (object_ == nullptr) return nullptr;
  const auto* value = object_->if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<std::string> Fields::text(std::string_view key, TextBounds bounds) {
  const auto* value = member(key);
  if (value == nullptr) return std::nullopt;
  const auto* text = value->if_string();
  if (text == nullptr) {
    refuse(key, fmt::format("must be a text, not {}", kind_word(*value)));
    return std::nullopt;
  }
  if (text->size() < bounds.length_min || text->size() > bounds.length_max) {
    refuse(key, fmt::format("must have {} to {} bytes, not {}", bounds.length_min,
                            bounds.length_max, text->size()));
    return std::nullopt;
  }
  return std::string{text->data(), text->size()};
}

std::string Fields::required_text(std::string_view key, TextBounds bounds) {
  auto value = text(key, bounds);
  if (!value) refuse(key, "is missing");
  return value.value_or(std::string{});
}

std::optional<std::int64_t> Fields::integer(std::string_view key, IntegerBounds bounds) {
  const auto* value = member(key);
  if (value == nullptr) return std::nullopt;
  auto wrong = [&](std::string_view found) {
    refuse(key, fmt::format("must be an integer between {} and {}, not {}", bounds.min, bounds.max,
                            found));
    return std::nullopt;
  };
  if (value->is_uint64()) return wrong(std::to_string(value->get_uint64()));
  if (value->is_double()) return wrong(double_word(value->get_double()));
  if (!value->is_int64()) return wrong(kind_word(*value));
  auto number = value->get_int64();
  if (number < bounds.min || number > bounds.max) return wrong(std::to_string(number));
  return number;
}

std::optional<double> Fields::number(std::string_view key, NumberBounds bounds) {
  const auto* value = member(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) {
    refuse(key, fmt::format("must be a number, not {}", kind_word(*value)));
    return std::nullopt;
  }
  auto number = value->to_number<double>();
  if (!std::isfinite(number) || number < bounds.min || number > bounds.max) {
    auto found = std::isfinite(number) ? fmt::format("{}", number) : "a number of that size";
    refuse(key, fmt::format("must be between {} and {}, not {}", bounds.min, bounds.max, found));
    return std::nullopt;
  }
  return number;
}

std::optional<bool> Fields::boolean(std::string_view key) {
  const auto* value = member(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool()) {
    refuse(key, fmt::format("must be true or false, not {}", kind_word(*value)));
    return std::nullopt;
  }
  return value->get_bool();
}

const Array* Fields::array(std::string_view key, std::size_t count_max) {
  const auto* value = member(key);
  if (value == nullptr) return nullptr;
  const auto* array = value->if_array();
  if (array == nullptr) {
    refuse(key, fmt::format("must be an array, not {}", kind_word(*value)));
    return nullptr;
  }
  if (array->size() > count_max) {
    refuse(key, fmt::format("must have at most {} items, not {}", count_max, array->size()));
    return nullptr;
  }
  return array;
}

std::vector<std::string> Fields::texts(std::string_view key, std::size_t count_max,
                                       TextBounds bounds) {
  std::vector<std::string> out;
  const auto* items = array(key, count_max);
  if (items == nullptr) return out;
  for (const auto& item : *items) {
    const auto* text = item.if_string();
    if (text == nullptr || text->size() < bounds.length_min || text->size() > bounds.length_max) {
      refuse(key, fmt::format("must hold texts of {} to {} bytes", bounds.length_min,
                              bounds.length_max));
      return {};
    }
    out.emplace_back(text->data(), text->size());
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> Fields::text_map(std::string_view key,
                                                                  std::size_t count_max,
                                                                  TextBounds bounds) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto* value = member(key);
  if (value == nullptr) return out;
  const auto* object = value->if_object();
  if (object == nullptr || object->size() > count_max) {
    refuse(key, fmt::format("must be an object of at most {} texts", count_max));
    return out;
  }
  for (const auto& [name, item] : *object) {
    const auto* text = item.if_string();
    if (text == nullptr || text->size() > bounds.length_max) {
      refuse(key, fmt::format("must hold only texts of at most {} bytes", bounds.length_max));
      return {};
    }
    out.emplace_back(std::string{name.data(), name.size()},
                     std::string{text->data(), text->size()});
  }
  return out;
}

Result<> Fields::finish() {
  if (!error_ && object_ != nullptr && keys_ == Keys::strict) {
    for (const auto& [name, value] : *object_) {
      std::string_view key{name.data(), name.size()};
      if (asked_.contains(key)) continue;
      error_ = field_error(path(text::shortened(text::one_line(key), 80)), "is unknown");
      error_->code = "unknown_field";
      error_->remedy = "leave it out; /api/openapi.yaml lists the fields";
      break;
    }
  }
  if (error_) return fail(*error_);
  return ok;
}

}  // namespace gantry::json
