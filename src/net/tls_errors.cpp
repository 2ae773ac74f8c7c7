#include "net/tls_errors.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace gantry::net {
namespace {

constexpr std::size_t names_max = 5;

struct Explanation {
  int problem;
  const char* code;
  const char* cause;
  const char* remedy;
};

constexpr const char* unknown_authority = "nobody whom this side trusts has signed its certificate";
constexpr const char* name_authority = "name the certificate of its authority as one to trust";
constexpr std::array certificate_problems{
    Explanation{X509_V_ERR_CERT_HAS_EXPIRED, "tls_expired", "its certificate has expired",
                "renew the certificate there, and check the clock here"},
    Explanation{X509_V_ERR_CERT_NOT_YET_VALID, "tls_not_yet_valid",
                "its certificate is not valid yet", "check the clocks of both machines"},
    Explanation{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "tls_unknown_authority",
                "it has signed its certificate itself", name_authority},
    Explanation{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "tls_unknown_authority", unknown_authority,
                name_authority},
    Explanation{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "tls_unknown_authority",
                unknown_authority, name_authority},
    Explanation{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "tls_unknown_authority", unknown_authority,
                name_authority},
    // One of the same name is known: authorities that people make themselves are often made anew.
    Explanation{X509_V_ERR_CERT_SIGNATURE_FAILURE, "tls_unknown_authority", unknown_authority,
                name_authority},
    Explanation{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "tls_unknown_authority",
                unknown_authority, name_authority},
};

constexpr const char* too_old = "it speaks no TLS of version 1.2 or later";
constexpr const char* newer = "let it speak TLS 1.2 or 1.3";
constexpr const char* no_tls = "what is there does not speak TLS";
constexpr const char* other_port = "check the port, or leave TLS out";
constexpr const char* refused = "it refuses our certificate";
constexpr const char* other_certificate = "use one that its authority has signed and that is valid";
constexpr const char* nothing_in_common = "the two sides have no way to encrypt in common";
constexpr const char* more_ciphers = "let it offer ECDHE with AES-GCM or ChaCha20";
constexpr std::array protocol_problems{
    Explanation{SSL_R_UNSUPPORTED_PROTOCOL, "tls_version", too_old, newer},
    Explanation{SSL_R_VERSION_TOO_LOW, "tls_version", too_old, newer},
    Explanation{SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "tls_version", too_old, newer},
    Explanation{SSL_R_WRONG_VERSION_NUMBER, "tls_not_spoken", no_tls, other_port},
    Explanation{SSL_R_HTTP_REQUEST, "tls_not_spoken", no_tls, other_port},
    Explanation{SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "tls_certificate_required",
                "it wants a certificate from this side", "give a client certificate and its key"},
    Explanation{SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "tls_certificate_refused", refused,
                other_certificate},
    Explanation{SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "tls_certificate_refused", refused,
                other_certificate},
    Explanation{SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "tls_certificate_refused", refused,
                other_certificate},
    Explanation{SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "tls_certificate_refused", refused,
                other_certificate},
    Explanation{SSL_R_TLSV1_ALERT_UNKNOWN_CA, "tls_certificate_refused", refused,
                other_certificate},
    Explanation{SSL_R_TLSV1_ALERT_ACCESS_DENIED, "tls_certificate_refused", refused,
                other_certificate},
    Explanation{SSL_R_NO_SHARED_CIPHER, "tls_no_agreement", nothing_in_common, more_ciphers},
    Explanation{SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "tls_no_agreement",
                "the two sides have no way to encrypt in common, or it wants a certificate from "
                "this side",
                "give a client certificate, or let it offer ECDHE with AES-GCM or ChaCha20"},
    Explanation{SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL, "tls_no_agreement",
                "it does not speak HTTP/1.1", "let it offer HTTP/1.1"},
};

Error error_of(std::string_view peer, const char* code, std::string_view cause,
               std::string remedy) {
  return {ErrorKind::unavailable, code,
          fmt::format("cannot speak TLS with '{}': {}", text::one_line(peer), cause),
          std::move(remedy)};
}

std::string address_words(const ASN1_OCTET_STRING& address) {
  namespace ip = boost::asio::ip;
  const auto* bytes = ASN1_STRING_get0_data(&address);
  auto size = static_cast<std::size_t>(ASN1_STRING_length(&address));
  ip::address_v4::bytes_type four{};
  ip::address_v6::bytes_type sixteen{};
  if (size == four.size()) {
    std::copy_n(bytes, size, four.begin());
    return ip::make_address_v4(four).to_string();
  }
  if (size != sixteen.size()) return "?";
  std::copy_n(bytes, size, sixteen.begin());
  return ip::make_address_v6(sixteen).to_string();
}

std::string word_of(const GENERAL_NAME& name) {
  if (name.type == GEN_IPADD) return address_words(*name.d.iPAddress);
  if (name.type != GEN_DNS) return {};
  const auto* bytes = ASN1_STRING_get0_data(name.d.dNSName);
  std::string text(bytes, bytes + ASN1_STRING_length(name.d.dNSName));
  return text::one_line(text::shortened(text, 100));
}

/// Whom a certificate is for. It comes from somebody who may not be trusted: texts are cleaned.
std::string names_of(const X509* certificate) {
  auto* all = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  std::vector<std::string> names;
  auto count = static_cast<std::size_t>(std::max(0, sk_GENERAL_NAME_num(all)));
  for (std::size_t i = 0; i < std::min(count, names_max); ++i) {
    auto word = word_of(*sk_GENERAL_NAME_value(all, static_cast<int>(i)));
    if (!word.empty()) names.push_back(fmt::format("'{}'", word));
  }
  if (count > names_max) names.emplace_back("…");
  GENERAL_NAMES_free(all);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

int tls_note_doubt(int fine, X509_STORE_CTX* verification) {
  if (fine == 1) return 1;
  const auto* connection = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& doubt = *static_cast<TlsDoubt*>(SSL_get_app_data(connection));
  doubt.problem = X509_STORE_CTX_get_error(verification);
  doubt.names = names_of(X509_STORE_CTX_get0_cert(verification));
  return 0;
}

Error tls_error(std::string_view peer, const TlsDoubt& doubt) {
  auto code = ERR_peek_error();
  const auto* words = ERR_reason_error_string(code);
  ERR_clear_error();
  if (doubt.problem == X509_V_ERR_HOSTNAME_MISMATCH ||
      doubt.problem == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    auto whom = doubt.names.empty() ? "nobody by name" : doubt.names;
    return error_of(peer, "tls_wrong_name", fmt::format("its certificate is for {}", whom),
                    "reach it by a name that its certificate has, or give it another certificate");
  }
  auto known = [&](const auto& table, int problem) -> const Explanation* {
    auto found = std::ranges::find(table, problem, &Explanation::problem);
    return found == table.end() ? nullptr : &*found;
  };
  if (doubt.problem != X509_V_OK) {
    if (const auto* one = known(certificate_problems, doubt.problem)) {
      return error_of(peer, one->code, one->cause, one->remedy);
    }
    return error_of(peer, "tls_untrusted",
                    fmt::format("its certificate can not be trusted: {}",
                                X509_verify_cert_error_string(doubt.problem)),
                    "give it another certificate");
  }
  bool of_tls = ERR_GET_LIB(code) == ERR_LIB_SSL;
  if (const auto* one = known(protocol_problems, ERR_GET_REASON(code)); of_tls && one != nullptr) {
    return error_of(peer, one->code, one->cause, one->remedy);
  }
  return error_of(peer, "tls_failed", words == nullptr ? "it breaks the rules" : words,
                  "check what is there");
}

Error tls_cut_off(std::string_view peer) {
  return error_of(peer, "tls_cut_off", "the connection was cut off before its end",
                  "check the network between, and the other side's log");
}

}  // namespace gantry::net
