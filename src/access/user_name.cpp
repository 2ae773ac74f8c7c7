#include "access/user_name.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace gantry::access {
namespace {

bool alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

Result<std::string> parse_user_name(std::string_view text) {
  auto name = text::lowered(text);
  bool fits = !name.empty() && name.size() <= user_name_bytes_max && alphanumeric(name.front()) &&
              std::ranges::all_of(name, [](char c) {
                return alphanumeric(c) || c == '.' || c == '_' || c == '@' || c == '-';
              });
  if (!fits) {
    return fail(json::field_error(
        "name", "must have 1 to 64 letters, digits or . _ @ -, a letter or digit first"));
  }
  if (name == "local" || name == "system" || name == "anonymous" || name == "oidc") {
    return fail(json::field_error("name", "must not be one that gantry itself acts under"));
  }
  return name;
}

}  // namespace gantry::access
