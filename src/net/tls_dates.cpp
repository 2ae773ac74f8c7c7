#include "net/tls_dates.hpp"

#include "net/openssl.hpp"

#include <algorithm>
#include <ctime>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace gantry::net {
namespace {

std::optional<WallTime> end_of(const X509& certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts) != 1) return std::nullopt;
  return WallTime{Seconds{::timegm(&parts)}};
}

/// Nobody is there to be asked for a password.
int no_password(char*, int, int, void*) { return 0; }

}  // namespace

std::optional<WallTime> first_end_of_certificates(std::string_view pem) {
  Bio reader{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  std::optional<WallTime> first;
  while (Certificate one{PEM_read_bio_X509(reader.get(), nullptr, no_password, nullptr)}) {
    auto end = end_of(*one);
    if (end && (!first || *end < *first)) first = end;
  }
  ERR_clear_error();
  return first;
}

}  // namespace gantry::net
