#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace gantry::engine {

/// `[domain[:port]/]path[:tag][@digest]`, strictly as
/// https://github.com/distribution/reference has it, without identifiers (`sha256:…` alone).
class ImageReference {
 public:
  /// Refuses (invalid, `invalid_image`) anything the grammar does not allow. Short names get
  /// Docker's defaults: domain `docker.io`, `library/`, and tag `latest` when there is no digest.
  static Result<ImageReference> parse(std::string_view text);

  const std::string& domain() const { return domain_; }  ///< `docker.io`
  const std::string& path() const { return path_; }      ///< `library/python`
  const std::string& tag() const { return tag_; }        ///< `3.11-alpine`; empty: by digest only
  const std::string& digest() const { return digest_; }  ///< `sha256:…` or empty

  /// With everything written out: `docker.io/library/python:3.11-alpine`.
  std::string canonical() const;
  /// As people write it: `python:3.11-alpine`, `gantry/sh:latest`.
  std::string familiar() const;
  /// The familiar name without tag and digest: `python`, `localhost:5000/team/app`.
  std::string familiar_name() const;

  bool operator==(const ImageReference&) const = default;

 private:
  std::string domain_;
  std::string path_;
  std::string tag_;
  std::string digest_;
};

/// Whether `text` is an image's id: `sha256:` and 64 hexadecimal digits.
bool valid_image_id(std::string_view text);

}  // namespace gantry::engine
