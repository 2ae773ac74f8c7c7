#include "engine/image_reference.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::engine {
namespace {

// Limits of https://github.com/distribution/reference/blob/main/regexp.go
constexpr std::size_t name_max = 255;
constexpr std::size_t tag_max = 128;
constexpr std::size_t text_max = 512;

bool digit(char c) { return c >= '0' && c <= '9'; }
bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool lower_or_digit(char c) { return lower(c) || digit(c); }
bool alphanumeric(char c) { return lower(c) || upper(c) || digit(c); }

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
bool valid_component(std::string_view text) {
  if (text.empty() || !lower_or_digit(text.front()) || !lower_or_digit(text.back())) return false;
  for (std::size_t at = 0; at < text.size();) {
    auto end = std::min(text.size(), at + 1);
    if (!lower_or_digit(text[at])) {
      while (end < text.size() && !lower_or_digit(text[end])) ++end;
      auto separator = text.substr(at, end - at);
      bool dashes = separator.find_first_not_of('-') == std::string_view::npos;
      if (separator != "." && separator != "_" && separator != "__" && !dashes) return false;
    }
    at = end;
  }
  return true;
}

/// `host.part-two:5000`, without IPv6 literals, which no registry of ours needs.
bool valid_domain(std::string_view text) {
  auto colon = text.find(':');
  auto host = text.substr(0, colon);
  if (colon != std::string_view::npos) {
    auto port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::ranges::all_of(port, digit)) return false;
  }
  return std::ranges::all_of(text::split(host, '.'), [](std::string_view label) {
    return !label.empty() && label.size() <= 63 && alphanumeric(label.front()) &&
           alphanumeric(label.back()) &&
           std::ranges::all_of(label, [](char c) { return alphanumeric(c) || c == '-'; });
  });
}

/// `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`
bool valid_tag(std::string_view text) {
  if (text.empty() || text.size() > tag_max) return false;
  if (!alphanumeric(text.front()) && text.front() != '_') return false;
  return std::ranges::all_of(
      text, [](char c) { return alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

/// Docker's own rule for what before the first slash is a registry.
bool looks_like_domain(std::string_view first) {
  return first.contains('.') || first.contains(':') || first == "localhost" ||
         std::ranges::any_of(first, upper);
}

std::unexpected<Error> refuse(std::string_view text, std::string_view why) {
  return fail(
      ErrorKind::invalid, "invalid_image",
      fmt::format("cannot use image '{}': {}", text::shortened(text::one_line(text), 100), why),
      "write it as 'python:3.11-alpine' or 'registry.example:5000/team/app:1.0'");
}

}  // namespace

bool valid_image_id(std::string_view text) {
  constexpr std::string_view prefix = "sha256:";
  if (!text.starts_with(prefix)) return false;
  auto hex = text.substr(prefix.size());
  return hex.size() == 64 &&
         std::ranges::all_of(hex, [](char c) { return digit(c) || (c >= 'a' && c <= 'f'); });
}

Result<ImageReference> ImageReference::parse(std::string_view text) {
  if (text.empty()) return refuse(text, "it is empty");
  if (text.size() > text_max) return refuse(text, "it is too long");
  ImageReference reference;
  auto rest = text;
  if (auto at = rest.find('@'); at != std::string_view::npos) {
    if (!valid_image_id(rest.substr(at + 1))) {
      return refuse(text, "after '@' must come 'sha256:' and 64 lower-case hexadecimal digits");
    }
    reference.digest_ = rest.substr(at + 1);
    rest = rest.substr(0, at);
  }
  auto slash = rest.rfind('/');
  auto colon = rest.rfind(':');
  bool has_tag =
      colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  if (has_tag) {
    if (!valid_tag(rest.substr(colon + 1))) {
      return refuse(text, "its tag must have 1 to 128 letters, digits, '_', '.' or '-'");
    }
    reference.tag_ = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  } else if (reference.digest_.empty()) {
    reference.tag_ = "latest";
  }
  reference.domain_ = "docker.io";
  auto first = rest.substr(0, rest.find('/'));
  if (first.size() < rest.size() && looks_like_domain(first)) {
    if (!valid_domain(first)) return refuse(text, "its registry is no host name with a port");
    reference.domain_ = first == "index.docker.io" ? "docker.io" : first;
    rest = rest.substr(first.size() + 1);
  }
  auto components = text::split(rest, '/');
  if (!std::ranges::all_of(components, valid_component)) {
    return refuse(text,
                  "its name must be lower-case letters and digits, with '.', '_' or '-' between");
  }
  bool official = reference.domain_ == "docker.io" && components.size() == 1;
  reference.path_ = official ? fmt::format("library/{}", rest) : std::string{rest};
  if (reference.domain_.size() + 1 + reference.path_.size() > name_max) {
    return refuse(text, "its name is longer than 255 bytes");
  }
  return reference;
}

std::string ImageReference::canonical() const {
  auto out = fmt::format("{}/{}", domain_, path_);
  if (!tag_.empty()) out += ":" + tag_;
  if (!digest_.empty()) out += "@" + digest_;
  return out;
}

std::string ImageReference::familiar_name() const {
  constexpr std::string_view library = "library/";
  if (domain_ != "docker.io") return fmt::format("{}/{}", domain_, path_);
  bool official = path_.starts_with(library) && path_.find('/', library.size()) == path_.npos;
  if (official) return path_.substr(library.size());
  // Without its domain, `docker.io/evil.io/app` would be an image of the registry `evil.io`.
  bool misleading = looks_like_domain(std::string_view{path_}.substr(0, path_.find('/')));
  return misleading ? fmt::format("{}/{}", domain_, path_) : path_;
}

std::string ImageReference::familiar() const {
  auto out = familiar_name();
  if (!tag_.empty()) out += ":" + tag_;
  if (!digest_.empty()) out += "@" + digest_;
  return out;
}

}  // namespace gantry::engine
