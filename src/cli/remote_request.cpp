#include "cli/remote_request.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "cli/quantities.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace gantry::cli {
namespace {

using Kind = Parameter::Kind;

/// Of longer lists the API's words must do.
constexpr int told_items_max = 20;

Error bad_value(const Parameter& parameter, std::string_view value, std::string_view form) {
  return {ErrorKind::invalid, "bad_usage",
          fmt::format("cannot read the command line: '{}' of {} is not {}", text::one_line(value),
                      parameter.name, form),
          "see the command's --help"};
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<json::Value> map_of(const Parameter& parameter, const std::vector<std::string>& texts) {
  json::Object map;
  for (const auto& text : texts) {
    auto equals = text.find('=');
    if (equals == text.npos || equals == 0) return fail(bad_value(parameter, text, "NAME=VALUE"));
    map[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return json::Value(std::move(map));
}

/// `rights` has `+` between its words, because commas stand between the members.
Result<json::Value> grant_of(const Parameter& parameter, const std::string& text) {
  json::Object grant{{"role", "viewer"}};
  for (auto part : text::split(text, ',')) {
    auto equals = part.find('=');
    auto name = part.substr(0, equals);
    constexpr std::array known{"host", "group", "project", "role", "rights"};
    bool is_known = std::ranges::find(known, name) != known.end();
    if (equals == part.npos || equals + 1 == part.size() || !is_known) {
      return fail(bad_value(parameter, text,
                            "like host=web1,project=shop,role=operator,rights=unmask+recordings"));
    }
    auto value = part.substr(equals + 1);
    if (name != "rights") {
      grant[name] = value;
      continue;
    }
    json::Array rights;
    for (auto right : text::split(value, '+')) rights.emplace_back(right);
    grant[name] = std::move(rights);
  }
  return json::Value(std::move(grant));
}

Result<json::Value> grants_of(const Parameter& parameter, const std::vector<std::string>& texts) {
  json::Array grants;
  for (const auto& text : texts) {
    auto grant = grant_of(parameter, text);
    if (!grant) return grant;
    grants.push_back(std::move(*grant));
  }
  return json::Value(std::move(grants));
}

Result<json::Value> list_of(const std::vector<std::string>& texts) {
  json::Array list;
  for (const auto& text : texts) list.emplace_back(text);
  return json::Value(std::move(list));
}

template <class Value>
Result<json::Value> or_refused(std::optional<Value> value, const Parameter& parameter,
                               std::string_view text, std::string_view form) {
  if (!value) return fail(bad_value(parameter, text, form));
  return json::Value(*value);
}

Result<json::Value> quantity(Result<std::int64_t> read) {
  if (!read) return fail(read.error());
  return json::Value(*read);
}

/// `5s`, `2m`; or `5` alone, as Docker's users write it.
Result<json::Value> whole_seconds(std::string_view text) {
  if (auto number = number_of<std::int64_t>(text)) return json::Value(*number);
  auto milliseconds = parse_duration(text);
  if (!milliseconds) return fail(milliseconds.error());
  return json::Value((*milliseconds + 999) / 1'000);
}

Result<json::Value> file_text(const ReadFile& read, const std::string& path) {
  auto text = read(path);
  if (!text) return fail(text.error());
  return json::Value(*text);
}

/// Whoever writes a password into a file ends the line, and means the password alone.
Result<json::Value> file_line(const ReadFile& read, const std::string& path) {
  auto text = read(path);
  if (!text) return fail(text.error());
  auto line = text->substr(0, text->find('\n'));
  if (line.ends_with('\r')) line.pop_back();
  return json::Value(std::move(line));
}

Result<json::Value> value_of(const Parameter& parameter, const std::vector<std::string>& texts,
                             const ReadFile& read) {
  const auto& text = texts.front();
  switch (parameter.kind) {
    case Kind::text:
      return json::Value(text);
    case Kind::number:
      return or_refused(number_of<std::int64_t>(text), parameter, text, "a whole number");
    case Kind::decimal:
      return or_refused(number_of<double>(text), parameter, text, "a number");
    case Kind::size:
      return quantity(parse_size(text));
    case Kind::duration:
      return quantity(parse_duration(text));
    case Kind::seconds:
      return whole_seconds(text);
    case Kind::on:
      return json::Value(true);
    case Kind::off:
      return json::Value(false);
    case Kind::list:
      return list_of(texts);
    case Kind::map:
      return map_of(parameter, texts);
    case Kind::grants:
      return grants_of(parameter, texts);
    case Kind::none:
      return json::Value(json::Array{});
    case Kind::file:
      return file_text(read, text);
    case Kind::line:
      return file_line(read, text);
  }
  return json::Value{};
}

/// Puts a value at `tls.key`: the member of a member.
void put(json::Object& body, std::string_view key, json::Value value) {
  auto dot = key.find('.');
  if (dot == key.npos) {
    body[key] = std::move(value);
    return;
  }
  auto& inner = body[key.substr(0, dot)];
  if (!inner.is_object()) inner = json::Object{};
  put(inner.as_object(), key.substr(dot + 1), std::move(value));
}

void add_query(std::string& target, const Parameter& parameter,
               const std::vector<std::string>& texts) {
  for (const auto& text : texts) {
    bool is_switch = parameter.kind == Kind::on || parameter.kind == Kind::off;
    auto value = !is_switch ? text : parameter.kind == Kind::on ? "true" : "false";
    target += fmt::format("{}{}={}", target.find('?') == target.npos ? '?' : '&', parameter.key,
                          encoding::percent(value));
  }
}

void replace_all(std::string& text, std::string_view old, std::string_view by) {
  for (auto at = text.find(old); at != text.npos; at = text.find(old, at + by.size())) {
    text.replace(at, old.size(), by);
  }
}

template <class Encode>
std::string filled(std::string_view pattern, const Given& given, Encode encode) {
  std::string out;
  while (!pattern.empty()) {
    auto open = pattern.find('{');
    out += pattern.substr(0, open);
    if (open == pattern.npos) break;
    auto close = pattern.find('}', open);
    auto found = given.find(pattern.substr(open + 1, close - open - 1));
    if (found != given.end()) out += encode(found->second.front());
    pattern.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace

Error in_words_of(const Verb& verb, Error error) {
  for (const auto& parameter : verb.parameters) {
    if (parameter.is_implied()) continue;
    auto name = parameter.name.substr(parameter.name.rfind(',') + 1);
    for (auto* text : {&error.message, &error.remedy}) {
      // Of a list: `grants[0].host` is a host in a --grant.
      for (int i = 0; i < told_items_max; ++i) {
        replace_all(*text, fmt::format("field '{}[{}].", parameter.key, i),
                    fmt::format("{} number {}: '", name, i + 1));
      }
      for (auto kind : {"field", "parameter"}) {
        replace_all(*text, fmt::format("{} '{}'", kind, parameter.key), name);
      }
      replace_all(*text, fmt::format("send \"{}\": true", parameter.key),
                  fmt::format("give {}", name));
    }
    bool is_file =
        parameter.kind == Parameter::Kind::file || parameter.kind == Parameter::Kind::line;
    bool lacks_file = is_file && error.message.ends_with(fmt::format("{} is missing", name));
    if (lacks_file) error.remedy = fmt::format("name the file that holds it: {} FILE", name);
  }
  return error;
}

std::string path_of(std::string_view pattern, const Given& given) {
  return filled(pattern, given, [](const std::string& text) { return encoding::percent(text); });
}

std::string sentence_of(std::string_view pattern, const Given& given) {
  return filled(pattern, given, [](const std::string& text) { return text::one_line(text); });
}

Result<RemoteRequest> request_of(const Verb& verb, const Given& given, const ReadFile& read) {
  RemoteRequest request{
      .method = std::string{verb.method}, .target = path_of(verb.path, given), .body = {}};
  for (const auto& parameter : verb.parameters) {
    const std::vector<std::string> otherwise{std::string{parameter.otherwise}};
    auto found = given.find(parameter.key);
    bool is_given = found != given.end() && !parameter.is_implied();
    if (!is_given && !parameter.is_implied() && parameter.otherwise.empty()) continue;
    const auto& texts = is_given ? found->second : otherwise;
    if (parameter.to == Parameter::To::query) add_query(request.target, parameter, texts);
    if (parameter.to != Parameter::To::body) continue;
    auto value = value_of(parameter, texts, read);
    if (!value) return fail(value.error());
    put(request.body, parameter.key, std::move(*value));
  }
  return request;
}

Result<RemoteRequest> request_of(const Verb& verb, const Given& given) {
  return request_of(verb, given, [](const std::string&) -> Result<std::string> {
    CHECK(false);  // a verb of this kind takes no file
    return std::string{};
  });
}

}  // namespace gantry::cli
