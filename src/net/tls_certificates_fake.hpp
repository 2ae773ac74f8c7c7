#pragma once

#include "async/task.hpp"
#include "net/tls.hpp"

#include <memory>
#include <string>
#include <utility>

/// Certificates for tests, made when they are needed, and two ends that trust each other.
namespace gantry::net {

struct CertificateWish {
  /// In OpenSSL's notation: `DNS:a.example,IP:10.0.0.1`; empty: it has none.
  std::string alternatives = "DNS:localhost,IP:127.0.0.1";
  Seconds begins{-3'600};  ///< From now.
  Seconds ends{3'600};
  std::string common_name = "a test";
  /// weak: its key is shorter than any security level above 0 allows.
  enum class Strength { good, weak } strength = Strength::good;
};

/// An authority that signs what a test asks for.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "an authority");
  /// What its clients trust, in PEM.
  const std::string& certificate() const { return own_.certificates; }
  TlsIdentity issue(const CertificateWish& wish = {}) const;
  /// Trusts this authority and nobody else.
  TlsClient client() const;
  TlsServer server(const CertificateWish& wish = {}) const;

 private:
  TlsIdentity own_;
};

/// One that nobody else has signed.
TlsIdentity self_signed(const CertificateWish& wish = {});

using StreamEnds = std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>>;
/// TLS over a connection: the client's end first.
async::task<StreamEnds> tls_ends(StreamEnds below);

}  // namespace gantry::net
