#include "net/tls_certificates_fake.hpp"

#include "async/race.hpp"
#include "net/openssl.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace gantry::net {
namespace {

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  auto size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

TlsIdentity in_pem(X509* certificate, EVP_PKEY* key) {
  Bio certificates{BIO_new(BIO_s_mem())};
  Bio secret{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(certificates.get(), certificate);
  PEM_write_bio_PrivateKey(secret.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return {text_of(certificates.get()), Secret{text_of(secret.get())}};
}

Certificate certificate_of(const TlsIdentity& identity) {
  Bio bio{BIO_new_mem_buf(identity.certificates.data(), -1)};
  return Certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
}

Key key_of(const TlsIdentity& identity) {
  auto text = identity.key.reveal();
  Bio bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  return Key{PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)};
}

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  CHECK(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

/// Without an issuer it signs itself.
TlsIdentity make(const CertificateWish& wish, const char* constraints, const TlsIdentity* issuer) {
  bool weak = wish.strength == CertificateWish::Strength::weak;
  Key key{weak ? EVP_RSA_gen(512) : EVP_EC_gen("P-256")};
  Certificate certificate{X509_new()};
  auto* made = certificate.get();
  X509_set_version(made, X509_VERSION_3);
  std::uint32_t number = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), number);
  X509_gmtime_adj(X509_getm_notBefore(made), wish.begins.count());
  X509_gmtime_adj(X509_getm_notAfter(made), wish.ends.count());
  X509_set_pubkey(made, key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1,
                             -1, 0);
  auto signer = issuer != nullptr ? certificate_of(*issuer) : nullptr;
  auto signing_key = issuer != nullptr ? key_of(*issuer) : nullptr;
  auto* above = signer ? signer.get() : made;
  X509_set_issuer_name(made, X509_get_subject_name(above));
  extend(made, above, NID_basic_constraints, constraints);
  if (!wish.alternatives.empty()) extend(made, above, NID_subject_alt_name, wish.alternatives);
  CHECK(X509_sign(made, signing_key ? signing_key.get() : key.get(), EVP_sha256()) != 0);
  return in_pem(made, key.get());
}

async::task<void> keep(async::task<std::unique_ptr<Stream>> work, std::unique_ptr<Stream>& into) {
  into = co_await std::move(work);
}

}  // namespace

TestAuthority::TestAuthority(const std::string& name)
    : own_{make({.alternatives = "", .common_name = name}, "critical,CA:TRUE", nullptr)} {}

TlsIdentity TestAuthority::issue(const CertificateWish& wish) const {
  return make(wish, "CA:FALSE", &own_);
}

TlsClient TestAuthority::client() const {
  return value_or_throw(TlsClient::make(
      {.system = SystemAuthorities::ignored, .authorities = certificate(), .identity = {}}));
}

TlsServer TestAuthority::server(const CertificateWish& wish) const {
  return value_or_throw(TlsServer::make(issue(wish)));
}

TlsIdentity self_signed(const CertificateWish& wish) { return make(wish, "CA:FALSE", nullptr); }

async::task<StreamEnds> tls_ends(StreamEnds below) {
  TestAuthority authority;
  StreamEnds ends;
  co_await async::both(
      keep(tls_connect(std::move(below.first), authority.client(), "localhost"), ends.first),
      keep(tls_accept(std::move(below.second), authority.server()), ends.second));
  co_return ends;
}

}  // namespace gantry::net
