#pragma once

#include "base/error.hpp"
#include "main/settings.hpp"
#include "net/tls_files.hpp"

#include <filesystem>
#include <functional>

namespace gantry::main {

/// Where certificates and keys lie. Empty paths are not used.
struct TlsOptions {
  /// Of listeners that are not loopback, with the certificates between it and its authority's.
  std::filesystem::path certificate;
  std::filesystem::path key;
  /// Whom webhooks trust besides those that the system trusts.
  std::filesystem::path webhook_ca;
  /// For an engine whose endpoint is `tls://…`: named authorities are trusted instead of the
  /// system's.
  net::TlsClientFiles engine;
};

/// Reads them from all settings; `docker_folder` holds Docker's own `ca.pem`, `cert.pem` and
/// `key.pem`, of which those that exist count where the settings name no others. Empty: there is
/// none. Refuses (invalid, `bad_setting`) a certificate without its key and a key without its
/// certificate.
Result<TlsOptions> tls_options(const Settings& settings, const std::filesystem::path& docker_folder,
                               const std::function<bool(const std::filesystem::path&)>& exists);

}  // namespace gantry::main
