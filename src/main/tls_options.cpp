#include "main/tls_options.hpp"

#include <fmt/format.h>

namespace gantry::main {
namespace fs = std::filesystem;
namespace {

Result<> check_pair(const fs::path& certificate, const fs::path& key, std::string_view names) {
  if (certificate.empty() == key.empty()) return ok;
  return fail(ErrorKind::invalid, "bad_setting",
              fmt::format("cannot use '{}' alone: a certificate and its key go together",
                          (key.empty() ? certificate : key).string()),
              fmt::format("set {}", names));
}

}  // namespace

Result<TlsOptions> tls_options(const Settings& settings, const fs::path& docker_folder,
                               const std::function<bool(const fs::path&)>& exists) {
  auto of_docker = [&](std::string_view name) {
    auto path = docker_folder / name;
    return !docker_folder.empty() && exists(path) ? path.string() : std::string{};
  };
  TlsOptions options;
  options.certificate = text_setting(settings, "tls_certificate", "");
  options.key = text_setting(settings, "tls_key", "");
  options.webhook_ca = text_setting(settings, "webhook_ca", "");
  auto& engine = options.engine;
  engine.authorities = text_setting(settings, "engine_ca", of_docker("ca.pem"));
  engine.certificate = text_setting(settings, "engine_certificate", of_docker("cert.pem"));
  engine.key = text_setting(settings, "engine_key", of_docker("key.pem"));
  if (!engine.authorities.empty()) engine.system = net::SystemAuthorities::ignored;
  auto own = check_pair(options.certificate, options.key, "both tls_certificate and tls_key");
  if (!own) return fail(own.error());
  auto engines =
      check_pair(engine.certificate, engine.key, "both engine_certificate and engine_key");
  if (!engines) return fail(engines.error());
  return options;
}

}  // namespace gantry::main
