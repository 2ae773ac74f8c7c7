#include "access/oidc_provider_fake.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

namespace gantry::access {
namespace {

std::string base64url(std::string_view bytes) {
  auto text = encoding::base64url(bytes);
  return text.substr(0, text.find('='));
}

std::string part_of(const json::Object& object) { return base64url(json::serialize(object)); }

std::string number_of(EVP_PKEY* key, const char* name, int width = 0) {
  BIGNUM* number = nullptr;
  if (::EVP_PKEY_get_bn_param(key, name, &number) != 1) return {};
  auto size = std::max(BN_num_bytes(number), width);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  ::BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), size);
  ::BN_free(number);
  return base64url(bytes);
}

std::string signed_with(EVP_PKEY* key, std::string_view text) {
  std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> digest{::EVP_MD_CTX_new(),
                                                                   ::EVP_MD_CTX_free};
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  ::EVP_DigestSignInit(digest.get(), nullptr, ::EVP_sha256(), nullptr, key);
  ::EVP_DigestSign(digest.get(), nullptr, &size, bytes, text.size());
  std::string signature(size, '\0');
  ::EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                   text.size());
  signature.resize(size);
  return signature;
}

/// The two numbers side by side (RFC 7518 section 3.4).
std::string raw_signature(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  std::unique_ptr<ECDSA_SIG, decltype(&::ECDSA_SIG_free)> parsed{
      ::d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ::ECDSA_SIG_free};
  std::string raw(64, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(raw.data());
  ::BN_bn2binpad(::ECDSA_SIG_get0_r(parsed.get()), bytes, 32);
  ::BN_bn2binpad(::ECDSA_SIG_get0_s(parsed.get()), bytes + 32, 32);
  return raw;
}

/// The value of a parameter in a query or a form.
std::string parameter(std::string_view query, std::string_view name) {
  for (auto pair : text::split(query, '&')) {
    auto equals = pair.find('=');
    if (equals != pair.npos && pair.substr(0, equals) == name) {
      return encoding::from_percent(pair.substr(equals + 1)).value_or("");
    }
  }
  return {};
}

}  // namespace

TestProvider::TestProvider()
    : rsa_{::EVP_RSA_gen(2'048), ::EVP_PKEY_free},
      stranger_{::EVP_RSA_gen(2'048), ::EVP_PKEY_free},
      ec_{::EVP_EC_gen("P-256"), ::EVP_PKEY_free} {
  auto document =
      json::serialize(json::Object{{"issuer", issuer},
                                   {"authorization_endpoint", "https://id.example/authorize"},
                                   {"token_endpoint", "https://id.example/token"},
                                   {"jwks_uri", "https://id.example/keys"}});
  server_.expect("GET", "/realm/.well-known/openid-configuration").reply(200, document).always();
  server_.expect("GET", "/keys")
      .reply_with([this](const net::ScriptedServer::Seen&) {
        return net::ScriptedServer::Reply{200, json::serialize(key_set()), {}};
      })
      .always();
  server_.expect("POST", "/token")
      .reply_with([this](const net::ScriptedServer::Seen& request) { return redeem(request); })
      .always();
}

OidcSettings TestProvider::settings() {
  return {.issuer = std::string{issuer},
          .client_id = std::string{client_id},
          .client_secret = Secret{"s3cret"},
          .redirect_url = "https://gantry.example/api/v1/oidc/callback",
          .roles = {{"ops", Role::operator_}, {"staff", Role::viewer}, {"chiefs", Role::admin}},
          .tls = {}};
}

Oidc::Dial TestProvider::dial() {
  return [this](const ProviderUrl&) { return server_.connect(); };
}

TestProvider::Granted TestProvider::grant(const std::string& url) {
  auto query = url.substr(url.find('?') + 1);
  Granted granted{.code = fmt::format("code-{}", codes_.size()),
                  .state = parameter(query, "state")};
  codes_[granted.code] = {parameter(query, "code_challenge"), parameter(query, "nonce")};
  return granted;
}

json::Object TestProvider::key_set() const {
  json::Array keys{json::Object{{"kty", "RSA"},
                                {"kid", "rs"},
                                {"use", "sig"},
                                {"n", number_of(rsa_.get(), OSSL_PKEY_PARAM_RSA_N)},
                                {"e", number_of(rsa_.get(), OSSL_PKEY_PARAM_RSA_E)}},
                   json::Object{{"kty", "EC"},
                                {"kid", "es"},
                                {"crv", "P-256"},
                                {"x", number_of(ec_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32)},
                                {"y", number_of(ec_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32)}},
                   json::Object{{"kty", "oct"}, {"kid", "hs"}, {"k", "c2VjcmV0"}}};
  return {{"keys", std::move(keys)}};
}

std::string TestProvider::public_pem() const {
  std::unique_ptr<BIO, decltype(&::BIO_free)> memory{::BIO_new(::BIO_s_mem()), ::BIO_free};
  ::PEM_write_bio_PUBKEY(memory.get(), rsa_.get());
  char* data = nullptr;
  auto size = ::BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

net::ScriptedServer::Reply TestProvider::redeem(const net::ScriptedServer::Seen& request) {
  net::ScriptedServer::Reply refused{400, R"({"error":"invalid_grant"})", {}};
  auto found = codes_.find(parameter(request.body, "code"));
  if (found == codes_.end() || found->second.used) return refused;
  found->second.used = true;
  auto verifier = parameter(request.body, "code_verifier");
  auto digest = encoding::from_hex(encoding::sha256_hex(verifier)).value_or("");
  if (base64url(digest) != found->second.challenge) return refused;
  auto basic = "Basic " + encoding::base64("gantry:s3cret");
  if (request.headers.get("Authorization") != basic) {
    return {401, R"({"error":"invalid_client"})", {}};
  }
  auto token = token_for(found->second);
  if (change_token) token = change_token(std::move(token));
  return {200, json::serialize(json::Object{{"id_token", token}, {"token_type", "Bearer"}}), {}};
}

std::string TestProvider::token_for(const Code& code) const {
  auto seconds = std::chrono::floor<Seconds>(now).time_since_epoch().count();
  json::Object claims{{"iss", issuer},
                      {"sub", "248289761001"},
                      {"aud", client_id},
                      {"exp", seconds + 300},
                      {"iat", seconds},
                      {"nonce", code.nonce},
                      {"preferred_username", "Jane Doe"},
                      {"groups", json::Array{"staff", "ops"}}};
  if (change_claims) change_claims(claims);
  json::Object header{{"alg", algorithm}, {"kid", algorithm == "ES256" ? "es" : "rs"}};
  if (change_header) change_header(header);
  auto text = fmt::format("{}.{}", part_of(header), part_of(claims));
  return fmt::format("{}.{}", text, base64url(signature_of(text)));
}

std::string TestProvider::signature_of(std::string_view text) const {
  if (algorithm == "none") return {};
  if (algorithm == "ES256") return raw_signature(signed_with(ec_.get(), text));
  if (algorithm == "HS256") {
    auto hex = encoding::hmac_sha256_hex(public_pem(), text);
    return encoding::from_hex(hex).value_or("");
  }
  return signed_with(signer == Signer::own ? rsa_.get() : stranger_.get(), text);
}

}  // namespace gantry::access
