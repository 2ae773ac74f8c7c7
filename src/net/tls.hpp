#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "net/stream.hpp"

#include <memory>
#include <optional>
#include <string>

struct ssl_ctx_st;  // OpenSSL's own, which nobody but tls_*.cpp looks into

/// TLS 1.2 and 1.3 over any Stream. Certificates and host names are always verified; there is no
/// switch that turns this off.
namespace gantry::net {

/// Who we are to the other side, in PEM.
struct TlsIdentity {
  std::string certificates;  ///< Our own first, then those between it and its authority's.
  Secret key;                ///< Not encrypted.
};

/// Whether the authorities that the operating system trusts count.
enum class SystemAuthorities { trusted, ignored };

struct TlsClientSettings {
  SystemAuthorities system = SystemAuthorities::trusted;
  /// Certificates in PEM that are trusted too: of authorities, or the other side's very own.
  std::string authorities;
  /// For servers that ask who we are.
  std::optional<TlsIdentity> identity;
};

/// Whom a client trusts and who it is: read once, good for any number of connections. Cheap to
/// copy.
class TlsClient {
 public:
  /// Refuses, invalid: `bad_authorities`, `bad_certificate`, `bad_key` (also one that is encrypted
  /// or belongs to another certificate).
  static Result<TlsClient> make(const TlsClientSettings& settings);
  ssl_ctx_st* context() const { return context_.get(); }

 private:
  explicit TlsClient(std::shared_ptr<ssl_ctx_st> context) : context_{std::move(context)} {}
  std::shared_ptr<ssl_ctx_st> context_;  // of all copies; connections count themselves in OpenSSL
};

/// Who a server is. Cheap to copy.
class TlsServer {
 public:
  /// Refuses, invalid: `bad_certificate`, `bad_key`.
  static Result<TlsServer> make(const TlsIdentity& identity);
  ssl_ctx_st* context() const { return context_.get(); }

 private:
  explicit TlsServer(std::shared_ptr<ssl_ctx_st> context) : context_{std::move(context)} {}
  std::shared_ptr<ssl_ctx_st> context_;  // of all copies
};

/// How long two sides may take until they have agreed.
inline constexpr Milliseconds tls_handshake_max{10'000};

/// Begins TLS as the client. The certificate must name `server_name`, a host's name or IP address
/// (RFC 9525: only its alternative names count, a wildcard stands for one whole label).
///
/// Throws Failure, unavailable unless said otherwise: `tls_expired`, `tls_not_yet_valid`,
/// `tls_unknown_authority`, `tls_wrong_name`, `tls_untrusted` (anything else that is wrong with the
/// certificate), `tls_version` (older than 1.2), `tls_not_spoken`, `tls_certificate_required`,
/// `tls_certificate_refused` (ours), `tls_no_agreement`, `tls_cut_off`, `tls_failed`, and
/// `tls_timed_out` (timed_out).
///
/// What reads from the stream throws Failure `tls_cut_off` when the connection ends without the
/// other side having said that it is the end.
async::task<std::unique_ptr<Stream>> tls_connect(std::unique_ptr<Stream> stream, TlsClient client,
                                                 std::string server_name,
                                                 Milliseconds handshake_max = tls_handshake_max);

/// Begins TLS as the server. Throws as `tls_connect`.
async::task<std::unique_ptr<Stream>> tls_accept(std::unique_ptr<Stream> stream, TlsServer server,
                                                Milliseconds handshake_max = tls_handshake_max);

}  // namespace gantry::net
