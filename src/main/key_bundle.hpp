#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"

#include <array>
#include <map>
#include <string>
#include <string_view>

/// The data directory's key files as one sealed text, for backups.
namespace gantry::main {

/// Contents by the file's name.
using KeyFiles = std::map<std::string, Secret>;

/// What belongs in a bundle, of all that lies in a data directory.
inline constexpr std::array<std::string_view, 3> key_file_names{"secret.key", "webhook.secret",
                                                                "server.id"};
inline constexpr std::size_t passphrase_min = 12;

/// Sealed under a key that is derived from the passphrase (Argon2id, 256 MiB). Refused: invalid,
/// `bad_passphrase`, when it is shorter than `passphrase_min`.
Result<std::string> seal_keys(const KeyFiles& files, const Secret& passphrase);
/// Refused: invalid, `bad_passphrase`: another one, or changed bytes.
Result<KeyFiles> open_keys(std::string_view sealed, const Secret& passphrase);

}  // namespace gantry::main
