#include "api/exec_place.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace gantry::api {
namespace {

constexpr std::size_t variables_max = 128;
constexpr json::TextBounds value_bounds{0, 32U << 10U};
constexpr std::size_t name_max = 64;
constexpr std::int64_t user_id_max = 2'147'483'647;
constexpr std::array forbidden_folders{std::string_view{"proc"}, std::string_view{"sys"},
                                       std::string_view{"dev"}};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool valid_variable(std::string_view name) {
  return !name.empty() && name.size() <= 256 && is_letter(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c); });
}

/// A name or a number of the container's own.
bool valid_account(std::string_view name) {
  if (name.empty() || name.size() > name_max || name.front() == '-') return false;
  auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-'; };
  if (!std::ranges::all_of(name, allowed)) return false;
  if (!std::ranges::all_of(name, is_digit)) return true;
  std::int64_t number = 0;
  auto read = std::from_chars(name.data(), name.data() + name.size(), number);
  return read.ec == std::errc{} && number <= user_id_max;
}

bool valid_user(std::string_view text) {
  auto colon = text.find(':');
  if (colon == text.npos) return valid_account(text);
  return valid_account(text.substr(0, colon)) && valid_account(text.substr(colon + 1));
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

bool valid_folder(std::string_view path) {
  if (!path.starts_with('/') || has_control(path)) return false;
  std::vector<std::string_view> parts;
  for (auto part : text::split(path, '/')) {
    if (part == "..") return false;
    if (!part.empty() && part != ".") parts.push_back(part);
  }
  return parts.empty() ||
         std::ranges::find(forbidden_folders, parts.front()) == forbidden_folders.end();
}

}  // namespace

ExecPlace read_exec_place(json::Fields& fields) {
  ExecPlace place;
  if (auto user = fields.text("user", {1, 2 * name_max + 1})) {
    if (!valid_user(*user)) {
      fields.refuse("user", "must be a user or 'user:group', by name or number up to 2147483647");
    }
    place.user = std::move(*user);
  }
  if (auto folder = fields.text("working_dir", {1, 4096})) {
    if (!valid_folder(*folder)) {
      fields.refuse("working_dir",
                    "must be an absolute path without '..', and not below /proc, /sys or /dev");
    }
    place.working_dir = std::move(*folder);
  }
  place.env = fields.text_map("env", variables_max, value_bounds);
  for (const auto& [name, value] : place.env) {
    if (!valid_variable(name)) fields.refuse("env", "has a name that no variable can have");
    if (value.contains('\0')) fields.refuse("env", "has a value with a NUL byte");
  }
  return place;
}

bool valid_program(std::string_view text) {
  if (text.empty() || text.size() > 255 || text.front() == '-') return false;
  constexpr std::string_view others = "./+-";
  return std::ranges::all_of(
      text, [&](char c) { return is_letter(c) || is_digit(c) || others.contains(c); });
}

}  // namespace gantry::api
