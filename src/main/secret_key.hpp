#pragma once

#include "async/task.hpp"
#include "base/sealer.hpp"
#include "storage/database.hpp"

#include <filesystem>

namespace gantry::main {

/// Where the key that seals secrets may lie.
struct SecretKeyPlaces {
  std::filesystem::path file;  ///< `secret.key` in the data folder, mode 0600.
  /// What systemd passes as `gantry-secret-key`; empty: nothing. It wins over the file.
  std::filesystem::path credential;
};

/// What to do about a key that is not the one the secrets were sealed with.
enum class NewKey {
  refused,
  accepted,  ///< Whoever says so knows that what was sealed before stays shut.
};

/// The key, found or, for a server that has sealed nothing yet, made. Throws Failure, of which each
/// says the way back: `secret_key_missing`, `secret_key_changed` (conflict: secrets were sealed
/// with another), `secret_key_exposed` (denied: others may read the file), `bad_secret_key`
/// (invalid: not 32 bytes), `data_dir_not_writable`.
async::task<Sealer> load_secret_key(storage::Database& database, SecretKeyPlaces places,
                                    NewKey fresh);

}  // namespace gantry::main
