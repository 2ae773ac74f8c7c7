#pragma once

#include "base/error.hpp"
#include "base/json.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;  // OpenSSL's own, which nobody but jwt.cpp looks into

/// Signed tokens (RFC 7515, RFC 7519) of an identity provider.
namespace gantry::access::jwt {

/// How a key signs; a token says which, and gets it only from a key of that kind.
enum class Algorithm { rs256, es256 };

/// The public keys that a provider shows (RFC 7517).
class Keys {
 public:
  /// Of a JWK set with at most 64 keys: RSA of 2048 to 8192 bits and EC P-256, for signatures. What
  /// is neither is left out. Refused: `bad_keys` (unavailable) for what is no JWK set.
  static Result<Keys> read(const json::Value& set);
  std::size_t size() const { return keys_.size(); }

 private:
  friend Result<json::Object> verify(std::string_view token, const Keys& keys);
  struct Key {
    std::string id;
    Algorithm algorithm;
    std::shared_ptr<evp_pkey_st> key;
  };
  std::vector<Key> keys_;
};

/// The claims of a token that one of the keys has signed, by RS256 or ES256 and nothing else:
/// `none` and HS256 are refused whatever they hold. What the claims say is the caller's to judge.
/// Refused: `bad_token` (denied), `unknown_key` (denied: no key has the id that the token names).
Result<json::Object> verify(std::string_view token, const Keys& keys);

}  // namespace gantry::access::jwt
