#pragma once

#include "base/error.hpp"

#include <optional>
#include <string>
#include <string_view>

/// The file of host keys that Gantry owns, in OpenSSH's form (sshd(8), SSH_KNOWN_HOSTS).
namespace gantry::net {

/// A public key as known_hosts writes it.
struct SshPublicKey {
  std::string type;  ///< `ssh-ed25519`
  std::string blob;  ///< base64
  bool operator==(const SshPublicKey&) const = default;
};

/// `SHA256:…` as `ssh-keygen -l` prints it; empty when the blob is not base64.
std::string ssh_fingerprint(const SshPublicKey& key);
/// Whether `text` has the form of one: `SHA256:` and 43 characters of base64.
bool is_ssh_fingerprint(std::string_view text);

/// The key that stands alone in a file of one line, which OpenSSH has just written.
std::optional<SshPublicKey> recorded_ssh_key(std::string_view known_hosts);
/// Whether any key is trusted under exactly this name (hashed names and patterns are not read).
bool knows_ssh_name(std::string_view known_hosts, std::string_view name);
/// The text with this key in the place of all that were trusted under this name alone; keys that
/// others share stay theirs. Lines with markers stay as they are.
std::string with_ssh_key(std::string_view known_hosts, std::string_view name,
                         const SshPublicKey& key);

/// The file's text; empty where there is none yet. Throws Failure where it can not be read.
std::string read_known_hosts(const std::string& path);
/// Replaces the file as a whole, or leaves it as it was. Throws Failure.
void write_known_hosts(const std::string& path, std::string_view text);

}  // namespace gantry::net
