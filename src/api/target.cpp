#include "api/target.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace gantry::api {
namespace {

constexpr std::size_t parameters_max = 32;

std::unexpected<Error> malformed(std::string_view cause) {
  return fail(ErrorKind::invalid, "invalid_target",
              fmt::format("cannot read the request's target: {}", cause));
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Decodes one piece; with `+` as a space in queries.
std::optional<std::string> decoded_parameter(std::string_view text) {
  std::string spaced{text};
  std::ranges::replace(spaced, '+', ' ');
  auto decoded = encoding::from_percent(spaced);
  if (decoded && !text::valid_utf8(*decoded)) return std::nullopt;
  return decoded;
}

Result<Query> parse_query(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> items;
  for (auto part : text::split(text, '&')) {
    if (part.empty()) continue;
    auto equals = std::min(part.find('='), part.size());
    auto name = decoded_parameter(part.substr(0, equals));
    auto value = decoded_parameter(part.substr(std::min(equals + 1, part.size())));
    if (!name || !value) return malformed("its query is not well encoded");
    items.emplace_back(std::move(*name), std::move(*value));
    if (items.size() > parameters_max) return malformed("it has too many parameters");
  }
  return Query{std::move(items)};
}

}  // namespace

void Query::refuse(std::string_view name, std::string_view reason) {
  if (error_) return;
  error_ =
      Error{ErrorKind::invalid,
            "invalid_parameter",
            fmt::format("parameter '{}' {}", text::shortened(text::one_line(name), 80), reason),
            {}};
}

std::optional<std::string> Query::text(std::string_view name) {
  asked_.emplace(name);
  std::optional<std::string> found;
  for (const auto& [key, value] : items_) {
    if (key != name) continue;
    if (found) refuse(name, "comes twice");
    found = value;
  }
  return found;
}

std::vector<std::string> Query::texts(std::string_view name, std::size_t count_max) {
  asked_.emplace(name);
  std::vector<std::string> found;
  for (const auto& [key, value] : items_) {
    if (key == name) found.push_back(value);
  }
  if (found.size() > count_max) refuse(name, fmt::format("comes more than {} times", count_max));
  return found;
}

std::optional<bool> Query::boolean(std::string_view name) {
  auto value = text(name);
  if (!value) return std::nullopt;
  if (*value != "true" && *value != "false") refuse(name, "must be true or false");
  return *value == "true";
}

std::optional<int> Query::integer(std::string_view name, int min, int max) {
  auto value = text(name);
  if (!value) return std::nullopt;
  int number = 0;
  const auto* end = value->data() + value->size();
  auto [stop, code] = std::from_chars(value->data(), end, number);
  if (code != std::errc{} || stop != end || number < min || number > max) {
    refuse(name, fmt::format("must be an integer between {} and {}", min, max));
    return std::nullopt;
  }
  return number;
}

Result<> Query::finish() {
  for (const auto& [name, value] : items_) {
    if (!asked_.contains(name)) refuse(name, "is unknown");
  }
  if (error_) return fail(*error_);
  return ok;
}

std::string Target::path() const {
  std::string path;
  for (const auto& segment : segments) path += fmt::format("/{}", segment);
  return path;
}

Result<Target> Target::parse(std::string_view text) {
  if (!text.starts_with('/')) return malformed("it does not begin with '/'");
  auto question = std::min(text.find('?'), text.size());
  Target target;
  for (auto segment : text::split(text.substr(1, question - 1), '/')) {
    auto decoded = encoding::from_percent(segment);
    if (!decoded || !text::valid_utf8(*decoded)) return malformed("its path is not well encoded");
    if (decoded->find('/') != std::string::npos || std::ranges::any_of(*decoded, is_control)) {
      return malformed("its path hides a slash or a control character");
    }
    target.segments.push_back(std::move(*decoded));
  }
  auto query = parse_query(text.substr(std::min(question + 1, text.size())));
  if (!query) return fail(std::move(query.error()));
  target.query = std::move(*query);
  return target;
}

bool valid_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || c == '_' || c == '-';
  });
}

bool valid_reference(std::string_view text) {
  constexpr std::string_view others = "_.-:@";
  return !text.empty() && text.size() <= 255 && is_alphanumeric(text.front()) &&
         std::ranges::all_of(text,
                             [&](char c) { return is_alphanumeric(c) || others.contains(c); });
}

}  // namespace gantry::api
