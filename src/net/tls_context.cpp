// Certificates, keys and the rules that hold for all connections.
#include "base/text.hpp"
#include "net/openssl.hpp"
#include "net/tls.hpp"

#include <array>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace gantry::net {
namespace {

using Context = std::shared_ptr<SSL_CTX>;

/// What the last call complained of, in OpenSSL's words.
std::string openssl_words() {
  std::array<char, 256> words{};
  auto code = ERR_peek_last_error();
  if (const auto* reason = ERR_reason_error_string(code)) return reason;
  ERR_error_string_n(code, words.data(), words.size());
  return words.data();
}

std::unexpected<Error> refuse(std::string code, std::string_view what, std::string_view cause,
                              std::string remedy) {
  auto error = fail(ErrorKind::invalid, std::move(code),
                    fmt::format("cannot use the {}: {}", what, cause), std::move(remedy));
  ERR_clear_error();
  return error;
}

Bio reader_of(std::string_view pem) {
  return Bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
}

/// Nobody is there to be asked for a key's password.
int no_password(char*, int, int, void*) { return 0; }

/// The certificates of a PEM text; nothing when there is none or one is broken.
std::vector<Certificate> read_certificates(std::string_view pem) {
  std::vector<Certificate> found;
  auto reader = reader_of(pem);
  while (auto* one = PEM_read_bio_X509(reader.get(), nullptr, no_password, nullptr)) {
    found.emplace_back(one);
  }
  bool at_the_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_the_end) found.clear();
  return found;
}

// Every server this side of 2015 speaks one of these; TLS 1.3 has its own, all of them good.
constexpr const char* ciphers_of_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr unsigned char protocols[] = "\x08http/1.1";
constexpr unsigned protocols_size = sizeof protocols - 1;

Context new_context(const SSL_METHOD* method) {
  Context context{SSL_CTX_new(method), SSL_CTX_free};
  CHECK(context != nullptr);
  CHECK(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
  CHECK(SSL_CTX_set_cipher_list(context.get(), ciphers_of_1_2) == 1);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

Result<> use_certificates(SSL_CTX* context, const std::string& pem) {
  auto chain = read_certificates(pem);
  if (chain.empty()) {
    return refuse("bad_certificate", "certificate", "it is not one in PEM",
                  "give the text from '-----BEGIN CERTIFICATE-----' on");
  }
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    return refuse("bad_certificate", "certificate", openssl_words(), "make a stronger one");
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    // Refused when it is weaker than the security level allows.
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1) continue;
    return refuse("bad_certificate", "certificate",
                  fmt::format("number {} of its chain: {}", i + 1, openssl_words()),
                  "make a stronger one");
  }
  return ok;
}

Result<> use_identity(SSL_CTX* context, const TlsIdentity& identity) {
  if (auto used = use_certificates(context, identity.certificates); !used) return used;
  auto reader = reader_of(identity.key.reveal());
  Key key{PEM_read_bio_PrivateKey(reader.get(), nullptr, no_password, nullptr)};
  if (!key) {
    bool encrypted = identity.key.reveal().contains("ENCRYPTED");
    return refuse("bad_key", "key", encrypted ? "it is encrypted" : "it is not one in PEM",
                  encrypted ? "decrypt it with 'openssl pkey', nobody is there to be asked"
                            : "give the text from '-----BEGIN PRIVATE KEY-----' on");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return refuse("bad_key", "key", "it does not belong to the certificate",
                  "give the one that the certificate was made with");
  }
  return ok;
}

Result<> trust(SSL_CTX* context, const TlsClientSettings& settings) {
  if (settings.system == SystemAuthorities::trusted) SSL_CTX_set_default_verify_paths(context);
  if (settings.authorities.empty()) return ok;
  auto certificates = read_certificates(settings.authorities);
  if (certificates.empty()) {
    return refuse("bad_authorities", "certificates to trust", "they are not in PEM",
                  "give the text from '-----BEGIN CERTIFICATE-----' on");
  }
  auto* store = SSL_CTX_get_cert_store(context);
  for (const auto& one : certificates) {
    if (X509_STORE_add_cert(store, one.get()) == 1) continue;
    return refuse("bad_authorities", "certificates to trust", openssl_words(), "give others");
  }
  // Without it only roots can be trusted, and not one certificate by itself.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  return ok;
}

/// Of what the client offers, HTTP/1.1; a client that offers only others is refused (RFC 7301).
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* found = nullptr;
  int how = SSL_select_next_proto(&found, size, protocols, protocols_size, offered, offered_size);
  *chosen = found;
  return how == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

Result<TlsClient> TlsClient::make(const TlsClientSettings& settings) {
  auto context = new_context(TLS_client_method());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  CHECK(SSL_CTX_set_alpn_protos(context.get(), protocols, protocols_size) == 0);
  if (auto trusted = trust(context.get(), settings); !trusted) return fail(trusted.error());
  if (settings.identity) {
    auto used = use_identity(context.get(), *settings.identity);
    if (!used) return fail(used.error());
  }
  return TlsClient{std::move(context)};
}

Result<TlsServer> TlsServer::make(const TlsIdentity& identity) {
  auto context = new_context(TLS_server_method());
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  if (auto used = use_identity(context.get(), identity); !used) return fail(used.error());
  return TlsServer{std::move(context)};
}

}  // namespace gantry::net
