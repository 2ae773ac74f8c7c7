#include "sandbox/image_rules.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

/// `*` stands for any characters, slashes among them. Linear: no backtracking beyond the last `*`.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  auto star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return std::ranges::all_of(pattern.substr(p), [](char c) { return c == '*'; });
}

std::string name_of(const engine::ImageReference& reference) {
  return reference.domain() + "/" + reference.path();
}

/// Whether a rule of this tag and digest allows the version that is wanted. A digest is content, of
/// which a rule about tags says nothing.
bool allows_version(const std::string& tag, const std::string& digest,
                    const engine::ImageReference& wanted) {
  if (!wanted.digest().empty()) {
    return digest.empty() ? tag.empty() : wanted.digest() == digest;
  }
  return tag.empty() || matches(tag, wanted.tag());
}

/// A word that stands for `*` where only letters may stand.
constexpr std::string_view stand_in = "xstarx";

}  // namespace

Result<ImageRules> ImageRules::parse(const std::vector<std::string>& patterns) {
  ImageRules rules;
  for (const auto& pattern : patterns) {
    auto reference = engine::ImageReference::parse(text::replaced(pattern, "*", stand_in));
    if (!reference) {
      return fail(ErrorKind::invalid, "invalid_image_rule",
                  fmt::format("cannot use image rule '{}': it is no image's name",
                              text::shortened(text::one_line(pattern), 80)),
                  "write a name such as 'python:3.*', with '*' for any characters");
    }
    Rule rule{.name = text::replaced(name_of(*reference), stand_in, "*"),
              .tag = text::replaced(reference->tag(), stand_in, "*"),
              .digest = reference->digest()};
    // What begins with `*` may be on any registry; without a tag, any tag will do.
    if (pattern.starts_with('*')) rule.name = rule.name.substr(rule.name.find('*'));
    bool tagged = pattern.find(':', pattern.rfind('/') + 1) < pattern.find('@');
    if (!tagged) rule.tag.clear();
    rules.rules_.push_back(std::move(rule));
  }
  return rules;
}

Result<engine::ImageReference> ImageRules::check(const engine::ImageReference& wanted) const {
  if (rules_.empty()) return wanted;
  for (const auto& rule : rules_) {
    if (!matches(rule.name, name_of(wanted))) continue;
    if (!allows_version(rule.tag, rule.digest, wanted)) continue;
    if (rule.digest.empty()) return wanted;
    return engine::ImageReference::parse(wanted.familiar_name() + "@" + rule.digest);
  }
  return fail(
      ErrorKind::denied, "image_not_allowed",
      fmt::format("cannot use image '{}': this server does not allow it", wanted.familiar()),
      "ask for one that [images] allow in gantry.toml names, or have it added there");
}

}  // namespace gantry::sandbox
