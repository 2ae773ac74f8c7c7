#pragma once

#include "base/log.hpp"
#include "doctor/gather.hpp"
#include "main/execution_options.hpp"
#include "main/image_options.hpp"
#include "main/oidc_options.hpp"
#include "main/secret_key.hpp"
#include "main/tls_options.hpp"
#include "net/ssh_settings.hpp"
#include "net/trusted_proxies.hpp"
#include "sandbox/images.hpp"
#include "sandbox/languages.hpp"
#include "sandbox/local_executor.hpp"
#include "sandbox/policy_bounds.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gantry::main {

/// Whether `/execute`, `/metrics` and Piston's routes are open, without a token, on loopback
/// listeners.
enum class AnonymousExecute { no, yes };

/// The executor for machines without an engine.
struct LocalOptions {
  enum class Use { no, yes } use = Use::yes;
  sandbox::Trust trust = sandbox::Trust::nobody;
};

/// Everything `gantry serve` has been told: flags, then GANTRY_* variables, then gantry.toml, then
/// defaults. Syntax has been checked; what can only be known by trying has not.
struct ServeOptions {
  std::vector<std::string> listen{"127.0.0.1:5920"};  ///< `ADDR:PORT`, `[ADDR]:PORT`
  std::filesystem::path data_dir;                     ///< Never empty; may not exist yet.
  /// Holds the database's password; empty: none.
  std::filesystem::path database_password_file = {};
  /// Whose word on where requests come from is taken.
  net::http::TrustedProxies trusted_proxies = {};
  std::string database;  ///< A file's path; empty: in `data_dir`.
  std::string engine;    ///< `unix://…`, `tcp://…`, `tls://…`; never empty.
  AnonymousExecute anonymous_execute = AnonymousExecute::no;
  /// Names it may be called by on listeners that are not loopback; lower case, without port.
  std::vector<std::string> allowed_hosts;
  /// Whose web pages may call Piston's routes: `https://editor.example:8443`, lower case.
  std::vector<std::string> allowed_origins = {};
  sandbox::ImageAliases image_aliases = sandbox::default_aliases();
  sandbox::Languages languages;
  sandbox::ServerBounds bounds;
  log::Level log_level = log::Level::info;
  log::Style log_style = log::Style::text;
  std::size_t executions_max = 4;  ///< How many run at once.
  std::size_t queue_max = 256;     ///< How many may wait.
  /// What systemd passes as the key of secrets; empty: nothing.
  std::filesystem::path secret_key_credential;
  NewKey new_secret_key = NewKey::refused;
  std::optional<OidcOptions> oidc = {};
  ExecutionOptions executions;
  ImageOptions images;
  TlsOptions tls;
  /// Where hosts over SSH have their files, and what they may use.
  net::SshPlaces ssh = {};
  LocalOptions local;
  /// Where the doctor finds this machine's tools and settings.
  doctor::Environment doctor = {};
};

/// The server, from its start to its end (SIGINT, SIGTERM). Answers the exit code; what keeps it
/// from starting has been said on standard error.
int serve(const ServeOptions& options);

}  // namespace gantry::main
