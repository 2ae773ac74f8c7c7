#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include <fmt/format.h>

namespace gantry::text {
namespace {

/// Length of the well-formed character at the start of `bytes`, 0 when there is none.
std::size_t character_length(std::string_view bytes) {
  auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.empty()) return 0;
  auto first = at(0);
  if (first < 0x80) return 1;
  std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                       : first >= 0xE0 && first <= 0xEF ? 3
                       : first >= 0xF0 && first <= 0xF4 ? 4
                                                        : 0;
  if (length == 0 || bytes.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0U) != 0x80U) return 0;
  }
  auto second = at(1);
  bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
               (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return wrong ? 0 : length;
}

bool is_control(std::string_view character) {
  auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  return character.size() == 2 && first == 0xC2 &&
         static_cast<unsigned char>(character[1]) < 0xA0;  // C1
}

}  // namespace

bool valid_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    auto length = character_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto length = character_length(text);
    auto character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0 || is_control(character)) {
      if (character == "\n")
        out += "\\n";
      else if (character == "\t")
        out += "\\t";
      else
        for (char c : character) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    auto length = character_length(text);
    auto character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0)
      out += "\\ufffd";
    else if (character == "\"")
      out += "\\\"";
    else if (character == "\\")
      out += "\\\\";
    else if (is_control(character) && length == 1)
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(character[0]));
    else
      out += character;
    text.remove_prefix(character.size());
  }
  return out + '"';
}

std::string shortened(std::string_view text, std::size_t max) {
  if (text.size() <= max) return std::string{text};
  while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0U) == 0x80U) --max;
  return std::string{text.substr(0, max)} + "…";
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::string lowered(std::string_view text) {
  std::string out{text};
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
  std::string out;
  std::size_t from = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, from)) {
    out.append(text.substr(from, at - from)).append(with);
    from = at + what.size();
  }
  return out.append(text.substr(from));
}

bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && lowered(a) == lowered(b);
}

bool names_secret(std::string_view name) {
  constexpr std::array<std::string_view, 9> marks{"password", "passwd",     "secret",
                                                  "token",    "apikey",     "api_key",
                                                  "api-key",  "credential", "private_key"};
  auto low = lowered(name);
  return std::ranges::any_of(marks, [&](auto mark) { return low.contains(mark); });
}

std::string without_url_password(std::string_view url) {
  auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string{url};
  auto rest = url.substr(scheme + 3);
  auto path = rest.find_first_of("/?#");
  auto at = rest.rfind('@');
  auto colon = rest.find(':');
  if (at == std::string_view::npos || colon > at || colon > path) return std::string{url};
  // `host:80/a@b`: a port. Anything else before a late '@' is a password with a '/' in it.
  auto word = rest.substr(colon + 1, path - colon - 1);
  if (at > path && word.find_first_not_of("0123456789") == std::string_view::npos) {
    return std::string{url};
  }
  auto password_begin = scheme + 3 + colon + 1;
  return fmt::format("{}{}{}", url.substr(0, password_begin), mask, url.substr(scheme + 3 + at));
}

}  // namespace gantry::text
