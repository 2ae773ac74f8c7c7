#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"

#include <string>
#include <string_view>

namespace gantry {

/// Encrypts what must lie on a disk and be read again, such as a registry's password:
/// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) with a fresh random nonce before the ciphertext.
class Sealer {
 public:
  static constexpr std::size_t key_bytes = 32;

  /// `key`: exactly `key_bytes` bytes from random::bytes.
  explicit Sealer(Secret key);

  /// `context` says what this is (`registry ghcr.io`): it opens only under the same words, so
  /// that nobody who can write to the database can pass one secret off as another.
  std::string seal(std::string_view plain, std::string_view context) const;
  /// Refused (internal, `cannot_unseal`): another key, another context, or changed bytes.
  Result<Secret> open(std::string_view sealed, std::string_view context) const;

 private:
  Secret key_;
};

}  // namespace gantry
