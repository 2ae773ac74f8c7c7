#include "main/tls_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::main {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

Settings given(const std::map<std::string, std::string>& texts) {
  Settings settings;
  for (const auto& [key, text] : texts) settings[key] = {{text}, "here"};
  return settings;
}

bool everything(const fs::path&) { return true; }
bool nothing(const fs::path&) { return false; }

TEST(TlsOptions, AreEmptyWhenNothingWasSaid) {
  auto options = tls_options({}, {}, everything).value();
  EXPECT_TRUE(options.certificate.empty());
  EXPECT_EQ(options.engine, net::TlsClientFiles{});
}

TEST(TlsOptions, AreReadFromTheSettings) {
  auto options = tls_options(given({{"tls_certificate", "/c"},
                                    {"tls_key", "/k"},
                                    {"webhook_ca", "/w"},
                                    {"engine_ca", "/e"}}),
                             {}, nothing)
                     .value();
  EXPECT_EQ(options.certificate, "/c");
  EXPECT_EQ(options.key, "/k");
  EXPECT_EQ(options.webhook_ca, "/w");
  EXPECT_EQ(options.engine.authorities, "/e");
  EXPECT_EQ(options.engine.system, net::SystemAuthorities::ignored);
}

TEST(TlsOptions, TakeDockersFilesThatAreThere) {
  auto options = tls_options({}, "/home/ann/.docker", everything).value();
  EXPECT_EQ(options.engine.authorities, "/home/ann/.docker/ca.pem");
  EXPECT_EQ(options.engine.key, "/home/ann/.docker/key.pem");
  EXPECT_TRUE(tls_options({}, "/home/ann/.docker", nothing)->engine.authorities.empty());
  auto named = tls_options(given({{"engine_ca", "/e"}}), "/home/ann/.docker", everything);
  EXPECT_EQ(named->engine.authorities, "/e");
}

TEST(TlsOptions, RefuseACertificateWithoutItsKeyAndAKeyWithoutItsCertificate) {
  auto alone = [](const char* key) {
    return tls_options(given({{key, "/x"}}), {}, nothing).error().sentence();
  };
  EXPECT_THAT(alone("tls_certificate"), HasSubstr("both tls_certificate and tls_key"));
  EXPECT_THAT(alone("tls_key"), HasSubstr("both tls_certificate and tls_key"));
  EXPECT_THAT(alone("engine_certificate"), HasSubstr("both engine_certificate and engine_key"));
}

}  // namespace
}  // namespace gantry::main
