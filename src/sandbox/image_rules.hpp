#pragma once

#include "base/error.hpp"
#include "engine/image_reference.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gantry::sandbox {

/// By which names this server fetches an image from its registry.
enum class Logins {
  stored,  ///< Those that it keeps, one for each registry.
  none,    ///< None: for who is nobody to us.
};

/// Which images programs may ask for, and which registries the engine may be sent to for them.
///
/// A pattern is a reference in which `*` stands for any characters, so that it matches an image's
/// name and tag: `python:3.*`, `ghcr.io/team/*`. Without a tag it means every tag. A pattern that
/// ends in `@sha256:…` allows that content only, whatever the tag says by now.
///
/// An image's name says which address the engine dials, from inside the engine's network. What is
/// absent is therefore fetched only from registries that somebody here has named.
class ImageRules {
 public:
  /// Every image, from the registries of `usual_registries`.
  ImageRules();
  /// Only images that a pattern matches; every image when there are none. Refuses (invalid,
  /// `invalid_image_rule`) a pattern that could match nothing.
  static Result<ImageRules> parse(const std::vector<std::string>& patterns);
  /// Public ones that many images come from.
  static const std::vector<std::string>& usual_registries();

  /// In the place of the usual ones. Refuses (invalid, `invalid_image_rule`) what is no registry's
  /// host, such as `ghcr.io` or `localhost:5000`.
  Result<> set_registries(const std::vector<std::string>& hosts);
  /// The registry of an image that the server's owner has named.
  void add_registry_of(const engine::ImageReference& image);

  /// The reference to use, with the digest where a rule pins one. Refused (denied,
  /// `image_not_allowed`) when no rule matches. The first rule that matches holds.
  Result<engine::ImageReference> check(const engine::ImageReference& wanted) const;
  /// Whether the engine may be sent to fetch it: from a registry that is known, or that a pattern
  /// names; where a pattern has `*` for the registry, from any whose name is not that of a private
  /// address. A login that is used makes its registry known. Refused: denied
  /// (`registry_not_allowed`).
  Result<> check_registry(const engine::ImageReference& wanted, Logins used) const;

 private:
  struct Rule {
    std::string name;  ///< Of the canonical form, with `*`.
    std::string tag;   ///< Empty: any.
    std::string digest;
  };
  const Rule* rule_for(const engine::ImageReference& wanted) const;

  std::vector<Rule> rules_;
  std::vector<std::string> registries_;
};

/// Whether images can be named below that host: `ghcr.io`, `localhost:5000`, not `ghcr` or a URL.
bool names_registry(const std::string& host);
/// Whether the host of a registry, `registry.example:5000`, is by its name one of this machine or
/// of a private network: what it resolves to is not asked.
bool is_private_registry(std::string_view domain);

}  // namespace gantry::sandbox
