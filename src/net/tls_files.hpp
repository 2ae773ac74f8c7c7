#pragma once

#include "base/clock.hpp"
#include "net/tls.hpp"

#include <compare>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <tuple>

/// Certificates and keys that lie in files.
namespace gantry::net {

/// Paths; empty ones are not used.
struct TlsClientFiles {
  std::filesystem::path authorities;
  std::filesystem::path certificate;
  std::filesystem::path key;
  SystemAuthorities system = SystemAuthorities::trusted;
  bool operator==(const TlsClientFiles&) const = default;
};
/// Refuses as TlsClient::make, naming the file; and `file_unreadable`.
Result<TlsClient> load_tls_client(const TlsClientFiles& files);

/// A server's certificate and key, read anew when their files change.
class TlsServerFiles {
 public:
  /// Refuses as TlsServer::make, naming the file; and `file_unreadable`.
  static Result<TlsServerFiles> open(std::filesystem::path certificate, std::filesystem::path key);

  /// The newest that could be used. Looks at most once a second whether the files have changed;
  /// ones that can not be used are told to the log, and the former stay until they can be.
  TlsServer current();
  /// Looks now. Answers whether what lies there is what is used.
  bool look();

 private:
  /// What changes when a file is replaced or written, or may be read by others than before.
  using Mark = std::tuple<std::uint64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                          std::int64_t>;
  struct Marks {
    Mark certificate;
    Mark key;
    bool operator==(const Marks&) const = default;
  };

  TlsServerFiles(std::filesystem::path certificate, std::filesystem::path key, Marks marks,
                 TlsServer server);
  static Mark mark_of(const std::filesystem::path& file);
  static Marks marks_of(const std::filesystem::path& certificate, const std::filesystem::path& key);

  std::filesystem::path certificate_;
  std::filesystem::path key_;
  Marks marks_;  ///< Of what is used.
  std::optional<Marks> refused_;
  TlsServer server_;
  SteadyTime looked_at_;
};

}  // namespace gantry::net
