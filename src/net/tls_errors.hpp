#pragma once

// OpenSSL's errors are the business of tls_*.cpp only.
#include "base/error.hpp"

#include <string>
#include <string_view>

#include <openssl/types.h>

namespace gantry::net {

/// What was wrong with the other side's certificate, seen while it was verified.
struct TlsDoubt {
  int problem = 0;    ///< X509_V_ERR_…; 0: nothing.
  std::string names;  ///< Whom the certificate is for: `'a.example', '10.0.0.1'`.
};

/// Notes in the connection's TlsDoubt (its app data) what is wrong; a callback of OpenSSL.
int tls_note_doubt(int fine, X509_STORE_CTX* verification);

/// Why TLS with `peer` can not begin or go on, by the connection's doubt and OpenSSL's queue of
/// errors, which is emptied.
Error tls_error(std::string_view peer, const TlsDoubt& doubt);

/// The connection ended where TLS did not.
Error tls_cut_off(std::string_view peer);

}  // namespace gantry::net
