#pragma once

#include "base/error.hpp"
#include "engine/image_reference.hpp"

#include <string>
#include <vector>

namespace gantry::sandbox {

/// Which images programs may ask for: a list of patterns, or every image when it is empty.
///
/// A pattern is a reference in which `*` stands for any characters, so that it matches an image's
/// name and tag: `python:3.*`, `ghcr.io/team/*`. Without a tag it means every tag. A pattern that
/// ends in `@sha256:…` allows that content only, whatever the tag says by now.
class ImageRules {
 public:
  ImageRules() = default;
  /// Refuses (invalid, `invalid_image_rule`) a pattern that could match nothing.
  static Result<ImageRules> parse(const std::vector<std::string>& patterns);

  /// The reference to use, with the digest where a rule pins one. Refused (denied,
  /// `image_not_allowed`) when no rule matches. The first rule that matches holds.
  Result<engine::ImageReference> check(const engine::ImageReference& wanted) const;

 private:
  struct Rule {
    std::string name;  ///< Of the canonical form, with `*`.
    std::string tag;   ///< Empty: any.
    std::string digest;
  };
  std::vector<Rule> rules_;
};

}  // namespace gantry::sandbox
