#include "sandbox/image_rules.hpp"

#include "base/text.hpp"
#include "net/outside.hpp"

#include <algorithm>
#include <array>

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

std::unexpected<Error> not_allowed(const engine::ImageReference& wanted, std::string_view cause) {
  return fail(
      ErrorKind::denied, "registry_not_allowed",
      fmt::format("cannot pull image '{}': {} '{}'", wanted.familiar(), cause, wanted.domain()),
      "ask an admin to name it in images_registries of gantry.toml, or to sign in to it");
}

}  // namespace

bool names_registry(const std::string& host) {
  auto reference = engine::ImageReference::parse(host + "/x/x");
  return reference && reference->domain() == host && !host.contains('/');
}

bool is_private_registry(std::string_view domain) {
  auto host = text::lowered(domain.substr(0, domain.find(':')));
  auto last = std::string_view{host}.substr(host.rfind('.') + 1);
  constexpr std::array<std::string_view, 5> own{"localhost", "local", "internal", "localdomain",
                                                "arpa"};
  if (!host.contains('.') || std::ranges::find(own, last) != own.end()) return true;
  // No top-level domain begins with a digit: whatever does is an address in one spelling or
  // another.
  bool address = last.front() >= '0' && last.front() <= '9';
  return address && !net::is_public(host);
}

ImageRules::ImageRules() : registries_{usual_registries()} {}

const std::vector<std::string>& ImageRules::usual_registries() {
  static const std::vector<std::string> usual{"docker.io", "ghcr.io", "quay.io",
                                              "mcr.microsoft.com", "public.ecr.aws"};
  return usual;
}

Result<> ImageRules::set_registries(const std::vector<std::string>& hosts) {
  for (const auto& host : hosts) {
    if (names_registry(host)) continue;
    return fail(ErrorKind::invalid, "invalid_image_rule",
                fmt::format("cannot use registry '{}': it is no host's name",
                            text::shortened(text::one_line(host), 80)),
                "write it like 'ghcr.io' or 'localhost:5000'");
  }
  registries_ = hosts;
  return ok;
}

void ImageRules::add_registry_of(const engine::ImageReference& image) {
  registries_.push_back(image.domain());
}

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

const ImageRules::Rule* ImageRules::rule_for(const engine::ImageReference& wanted) const {
  auto found = std::ranges::find_if(rules_, [&](const Rule& rule) {
    return matches(rule.name, name_of(wanted)) && allows_version(rule.tag, rule.digest, wanted);
  });
  return found == rules_.end() ? nullptr : &*found;
}

Result<engine::ImageReference> ImageRules::check(const engine::ImageReference& wanted) const {
  if (rules_.empty()) return wanted;
  const auto* rule = rule_for(wanted);
  if (rule == nullptr) {
    return fail(
        ErrorKind::denied, "image_not_allowed",
        fmt::format("cannot use image '{}': this server does not allow it", wanted.familiar()),
        "ask for one that images_allow in gantry.toml names, or have it added there");
  }
  if (rule->digest.empty()) return wanted;
  return engine::ImageReference::parse(wanted.familiar_name() + "@" + rule->digest);
}

Result<> ImageRules::check_registry(const engine::ImageReference& wanted, Logins used) const {
  const auto& domain = wanted.domain();
  bool known = std::ranges::find(registries_, domain) != registries_.end();
  if (known || used == Logins::stored) return ok;
  const auto* rule = rule_for(wanted);
  if (rule == nullptr) return not_allowed(wanted, "this server does not know the registry");
  bool named = !rule->name.substr(0, rule->name.find('/')).contains('*');
  if (named || !is_private_registry(domain)) return ok;
  return not_allowed(wanted, "this is no public registry:");
}

}  // namespace gantry::sandbox
