#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace gantry::storage {

/// A PostgreSQL server of the tests' own: in a temporary folder, reached by a Unix socket only, as
/// an unprivileged user (the server refuses root), gone with its owner.
class PostgresServer {
 public:
  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  /// Why there is none on this machine; empty when there is.
  static std::string missing();
  /// The one that all tests of this process share, made when first asked for.
  static PostgresServer& shared();

  /// The address of a schema with this name, which is made; reached by the socket in `folder`.
  std::string url(std::string_view schema) const { return url(schema, folder_); }
  std::string url(std::string_view schema, const std::filesystem::path& folder) const;
  /// One statement by a connection of its own; the first column of its first row.
  std::string ask(const std::string& sql) const;
  /// Where its socket is: `.s.PGSQL.5432`.
  const std::filesystem::path& folder() const { return folder_; }

  void stop();
  void start();

 private:
  pid_t as_user(std::string_view program, std::initializer_list<std::string> arguments) const;

  std::filesystem::path folder_;
  pid_t process_ = 0;
};

}  // namespace gantry::storage
