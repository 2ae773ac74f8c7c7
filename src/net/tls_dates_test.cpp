#include "net/tls_dates.hpp"

#include "net/tls_certificates_fake.hpp"

#include <gtest/gtest.h>

namespace gantry::net {
namespace {

TEST(FirstEndOfCertificates, IsThatOfTheOneThatEndsFirst) {
  auto late = self_signed({.ends = Seconds{7'200}});
  auto soon = self_signed({.ends = Seconds{60}});
  auto end = first_end_of_certificates(late.certificates + soon.certificates);
  EXPECT_EQ(end, first_end_of_certificates(soon.certificates));
  EXPECT_LT(end, first_end_of_certificates(late.certificates));
}

TEST(FirstEndOfCertificates, MayLieInThePast) {
  auto ended = self_signed({.begins = Seconds{-7'200}, .ends = Seconds{-3'600}});
  EXPECT_LT(first_end_of_certificates(ended.certificates), Clock{}.now());
}

TEST(FirstEndOfCertificates, IsNoneOfWhatIsNoCertificate) {
  EXPECT_FALSE(first_end_of_certificates(""));
  EXPECT_FALSE(first_end_of_certificates("-----BEGIN CERTIFICATE-----\nno\n"));
}

}  // namespace
}  // namespace gantry::net
