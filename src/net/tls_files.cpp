#include "net/tls_files.hpp"

#include "base/log.hpp"

#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

namespace gantry::net {
namespace fs = std::filesystem;
namespace {

/// The system's whole store has a quarter of it.
constexpr std::streamsize file_max = 1 << 20;
constexpr Seconds look_every{1};

Result<std::string> read_file(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  std::string text(static_cast<std::size_t>(file_max), '\0');
  file.read(text.data(), file_max);
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  if (!text.empty()) return text;
  return fail(ErrorKind::invalid, "file_unreadable",
              fmt::format("cannot read '{}': it is not there, empty, or not for us", path.string()),
              "check the path, and that the server's user may read it");
}

/// `error` with the name of the file that is meant.
Error in_file(Error error, const TlsClientFiles& files) {
  const auto& file = error.code == "bad_authorities" ? files.authorities
                     : error.code == "bad_key"       ? files.key
                                                     : files.certificate;
  error.message += fmt::format(" (file '{}')", file.string());
  return error;
}

Result<TlsIdentity> read_identity(const fs::path& certificate, const fs::path& key) {
  auto certificates = read_file(certificate);
  if (!certificates) return fail(certificates.error());
  auto secret = read_file(key);
  if (!secret) return fail(secret.error());
  return TlsIdentity{std::move(*certificates), Secret{std::move(*secret)}};
}

Result<TlsServer> load_server(const fs::path& certificate, const fs::path& key) {
  auto identity = read_identity(certificate, key);
  if (!identity) return fail(identity.error());
  auto server = TlsServer::make(*identity);
  if (!server) return fail(in_file(server.error(), {.certificate = certificate, .key = key}));
  return server;
}

}  // namespace

Result<TlsClient> load_tls_client(const TlsClientFiles& files) {
  TlsClientSettings settings{.system = files.system, .authorities = {}, .identity = {}};
  if (!files.authorities.empty()) {
    auto authorities = read_file(files.authorities);
    if (!authorities) return fail(authorities.error());
    settings.authorities = std::move(*authorities);
  }
  if (!files.certificate.empty()) {
    auto identity = read_identity(files.certificate, files.key);
    if (!identity) return fail(identity.error());
    settings.identity.emplace(std::move(*identity));
  }
  auto client = TlsClient::make(settings);
  if (!client) return fail(in_file(client.error(), files));
  return client;
}

TlsServerFiles::TlsServerFiles(fs::path certificate, fs::path key, Marks marks, TlsServer server)
    : certificate_{std::move(certificate)},
      key_{std::move(key)},
      marks_{marks},
      server_{std::move(server)},
      looked_at_{steady_now()} {}

Result<TlsServerFiles> TlsServerFiles::open(fs::path certificate, fs::path key) {
  // Before they are read: what changes meanwhile is read again.
  auto marks = marks_of(certificate, key);
  auto server = load_server(certificate, key);
  if (!server) return fail(server.error());
  return TlsServerFiles{std::move(certificate), std::move(key), marks, std::move(*server)};
}

TlsServer TlsServerFiles::current() {
  if (steady_now() - looked_at_ >= look_every) look();
  return server_;
}

bool TlsServerFiles::look() {
  looked_at_ = steady_now();
  auto marks = marks_of(certificate_, key_);
  if (marks == marks_) return true;
  // Tried each time: what kept them from being read may not show in the marks.
  auto server = load_server(certificate_, key_);
  if (server) {
    marks_ = marks;
    refused_.reset();
    server_ = std::move(*server);
    log::info("the certificate in '{}' has changed and is used from now on", certificate_.string());
  } else if (refused_ != marks) {
    refused_ = marks;
    log::warn("the former certificate stays: {}", server.error().sentence());
  }
  return server.has_value();
}

TlsServerFiles::Mark TlsServerFiles::mark_of(const fs::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return {};
  return {status.st_ino,          status.st_size,        status.st_mtim.tv_sec,
          status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec};
}

TlsServerFiles::Marks TlsServerFiles::marks_of(const fs::path& certificate, const fs::path& key) {
  return {mark_of(certificate), mark_of(key)};
}

}  // namespace gantry::net
