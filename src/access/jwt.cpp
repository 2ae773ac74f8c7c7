#include "access/jwt.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

namespace gantry::access::jwt {
namespace {

constexpr std::size_t keys_max = 64;
constexpr std::size_t token_bytes_max = 32U << 10U;
constexpr std::size_t coordinate_bytes = 32;
constexpr int rsa_bits_min = 2'048;
constexpr int rsa_bits_max = 8'192;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* what) const {
    Free(what);
  }
};
using Context = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;
using SharedKey = std::shared_ptr<EVP_PKEY>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// RFC 4648 section 5, without padding, as RFC 7515 wants it.
std::optional<std::string> from_base64url(std::string_view text) {
  std::string plain{text};
  for (char& c : plain) {
    if (c == '+' || c == '/' || c == '=') return std::nullopt;
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  plain.append((4 - plain.size() % 4) % 4, '=');
  return encoding::from_base64(plain);
}

std::unexpected<Error> bad_token(std::string_view cause) {
  return fail(ErrorKind::denied, "bad_token",
              fmt::format("cannot accept the provider's token: {}", cause),
              "sign in again; if it goes on, check the provider's settings");
}

SharedKey key_from(const char* kind, OSSL_PARAM_BLD* builder) {
  Parameters parameters{::OSSL_PARAM_BLD_to_param(builder)};
  Context context{::EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr)};
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || ::EVP_PKEY_fromdata_init(context.get()) != 1 ||
      ::EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return {key, ::EVP_PKEY_free};
}

SharedKey rsa_key(std::string_view modulus, std::string_view exponent) {
  Number n{::BN_bin2bn(bytes_of(modulus), static_cast<int>(modulus.size()), nullptr)};
  Number e{::BN_bin2bn(bytes_of(exponent), static_cast<int>(exponent.size()), nullptr)};
  if (!n || !e || ::BN_num_bits(n.get()) < rsa_bits_min || ::BN_num_bits(n.get()) > rsa_bits_max) {
    return nullptr;
  }
  Builder builder{::OSSL_PARAM_BLD_new()};
  if (!builder || ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      ::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  return key_from("RSA", builder.get());
}

SharedKey ec_key(std::string_view x, std::string_view y) {
  if (x.size() != coordinate_bytes || y.size() != coordinate_bytes) return nullptr;
  auto point = fmt::format("\x04{}{}", x, y);
  Builder builder{::OSSL_PARAM_BLD_new()};
  if (!builder ||
      ::OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) !=
          1 ||
      ::OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1) {
    return nullptr;
  }
  return key_from("EC", builder.get());
}

/// As OpenSSL wants it: DER of the two numbers that RFC 7518 section 3.4 puts side by side.
std::string der_signature(std::string_view raw) {
  if (raw.size() != 2 * coordinate_bytes) return {};
  Number r{::BN_bin2bn(bytes_of(raw), coordinate_bytes, nullptr)};
  Number s{::BN_bin2bn(bytes_of(raw) + coordinate_bytes, coordinate_bytes, nullptr)};
  Signature signature{::ECDSA_SIG_new()};
  if (!r || !s || !signature || ::ECDSA_SIG_set0(signature.get(), r.release(), s.release()) != 1) {
    return {};
  }
  unsigned char* der = nullptr;
  int size = ::i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return {};
  std::string text{reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
  ::OPENSSL_free(der);
  return text;
}

bool signed_by(EVP_PKEY* key, std::string_view text, std::string_view signature) {
  Digest digest{::EVP_MD_CTX_new()};
  return digest && !signature.empty() &&
         ::EVP_DigestVerifyInit(digest.get(), nullptr, ::EVP_sha256(), nullptr, key) == 1 &&
         ::EVP_DigestVerify(digest.get(), bytes_of(signature), signature.size(), bytes_of(text),
                            text.size()) == 1;
}

Result<json::Object> object_of(std::string_view part) {
  auto text = from_base64url(part);
  if (!text) return bad_token("it is malformed");
  auto value = json::parse(*text, json::Keys::strict);
  if (!value || !value->is_object()) return bad_token("it is malformed");
  return std::move(value->get_object());
}

std::string text_of(const json::Object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

std::optional<Algorithm> parse_algorithm(std::string_view word) {
  if (word == "RS256") return Algorithm::rs256;
  if (word == "ES256") return Algorithm::es256;
  return std::nullopt;
}

}  // namespace

Result<Keys> Keys::read(const json::Value& set) {
  const auto* object = set.if_object();
  const auto* list = object != nullptr ? object->if_contains("keys") : nullptr;
  if (list == nullptr || !list->is_array() || list->get_array().size() > keys_max) {
    return fail(ErrorKind::unavailable, "bad_keys",
                "cannot read the provider's keys: they are no set of at most 64",
                "check the provider");
  }
  Keys keys;
  for (const auto& item : list->get_array()) {
    if (!item.is_object()) continue;
    const auto& jwk = item.get_object();
    if (auto use = text_of(jwk, "use"); !use.empty() && use != "sig") continue;
    auto member = [&](std::string_view name) {
      return from_base64url(text_of(jwk, name)).value_or("");
    };
    auto kind = text_of(jwk, "kty");
    bool rsa = kind == "RSA";
    if (!rsa && (kind != "EC" || text_of(jwk, "crv") != "P-256")) continue;
    auto algorithm = rsa ? Algorithm::rs256 : Algorithm::es256;
    auto named = text_of(jwk, "alg");
    if (!named.empty() && parse_algorithm(named) != algorithm) continue;
    auto key = rsa ? rsa_key(member("n"), member("e")) : ec_key(member("x"), member("y"));
    if (key) keys.keys_.push_back({text_of(jwk, "kid"), algorithm, std::move(key)});
  }
  return keys;
}

Result<json::Object> verify(std::string_view token, const Keys& keys) {
  if (token.size() > token_bytes_max) return bad_token("it is too long");
  auto parts = text::split(token, '.');
  if (parts.size() != 3) return bad_token("it is malformed");
  auto header = object_of(parts[0]);
  if (!header) return fail(header.error());
  auto algorithm = parse_algorithm(text_of(*header, "alg"));
  if (!algorithm) return bad_token("it is signed neither by RS256 nor by ES256");
  if (header->contains("crit")) return bad_token("it asks for extensions");
  auto signature = from_base64url(parts[2]);
  if (!signature) return bad_token("it is malformed");
  if (*algorithm == Algorithm::es256) *signature = der_signature(*signature);
  auto id = text_of(*header, "kid");
  auto body = token.substr(0, parts[0].size() + 1 + parts[1].size());
  bool known = false;
  for (const auto& key : keys.keys_) {
    if (key.algorithm != *algorithm || (!id.empty() && key.id != id)) continue;
    known = true;
    if (signed_by(key.key.get(), body, *signature)) return object_of(parts[1]);
  }
  if (known) return bad_token("its signature is wrong");
  return fail(ErrorKind::denied, "unknown_key",
              "cannot accept the provider's token: no known key has signed it", "sign in again");
}

}  // namespace gantry::access::jwt
