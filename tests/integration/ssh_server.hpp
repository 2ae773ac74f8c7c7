#pragma once

#include "async/process.hpp"
#include "async/testing_fake.hpp"
#include "net/endpoint.hpp"
#include "net/ssh_settings.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry {

/// A folder of its own, gone at the end.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string file(std::string_view name) const { return path_ / name; }
  std::string read(std::string_view name) const;
  void write(std::string_view name, std::string_view text) const;

 private:
  std::filesystem::path path_;
};

/// Keys made by ssh-keygen.
class SshKeys {
 public:
  explicit SshKeys(async::TestLoop& loop) : loop_{loop} {}

  /// A new private key, ed25519; `passphrase` may be empty. Answers its text.
  std::string make(const std::string& name, const std::string& passphrase = {});
  std::string public_key(const std::string& name) const { return folder_.read(name + ".pub"); }
  /// The certificate of the key `name` for `principal`, signed by the key `authority`.
  std::string certify(const std::string& name, const std::string& authority,
                      const std::string& principal);
  /// `SHA256:…`
  std::string fingerprint(const std::string& name);
  std::string file(std::string_view name) const { return folder_.file(name); }

 private:
  async::TestLoop& loop_;
  TestFolder folder_;
};

/// A real sshd on loopback with host keys, users' keys and a configuration of its own. It lets in
/// the user who runs the test (root in CI), by keys, certificates and, for root, a password that
/// exists only in this sshd's own mount namespace.
class SshServer {
 public:
  struct Options {
    /// Further lines of sshd_config; the first of two that say the same counts.
    std::vector<std::string> lines = {};
    /// Further variables of what runs there: `PATH=/bin`.
    std::vector<std::string> variables = {};
    /// Of root; empty: nobody has one.
    std::string password = {};
    /// Who logs in instead of the user who runs the test: an account, and a group of its own, that
    /// exist in this sshd's mount namespace alone. Takes root.
    std::string account = {};
  };

  /// Why there can be no server here; nothing where all is well.
  static std::optional<std::string> missing();

  explicit SshServer(async::TestLoop& loop);
  SshServer(async::TestLoop& loop, const Options& options);
  ~SshServer();
  SshServer(const SshServer&) = delete;
  SshServer& operator=(const SshServer&) = delete;

  std::uint16_t port() const { return port_; }
  /// Its name in known_hosts.
  std::string name() const;
  /// `user@127.0.0.1:port`
  std::string login() const;
  /// `ssh://user@127.0.0.1:port/path`
  net::Endpoint endpoint(std::string_view path) const;
  /// Its line for known_hosts.
  std::string known_hosts_line() const;
  std::string fingerprint();
  std::string log() const { return folder_.read("log"); }

  /// Lets in whoever has this key.
  void accept(const std::string& public_key);
  /// Lets in whoever has a certificate by this key.
  void accept_authority(const std::string& public_key);

  /// Runs a command as root where the account is.
  void run_there(const std::vector<std::string>& argv);

  /// Kills it and every connection.
  void stop();
  void start();
  /// It and every connection fall silent, for good: nothing is answered, nothing is closed.
  void freeze();
  /// Another host key from the next start on.
  void renew_host_key();

 private:
  void write_configuration(const Options& options);
  void make_account() const;
  std::vector<std::string> command() const;

  async::TestLoop& loop_;
  TestFolder folder_;
  SshKeys host_keys_{loop_};
  std::string host_key_ = "host";
  std::string user_;
  bool has_password_ = false;
  bool has_account_ = false;
  std::uint16_t port_ = 0;
  std::optional<async::Process> process_;
};

}  // namespace gantry
