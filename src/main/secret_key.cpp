#include "main/secret_key.hpp"

#include "base/random.hpp"
#include "main/private_file.hpp"
#include "main/secret_key_store.hpp"

#include <fstream>
#include <iterator>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>

namespace gantry::main {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view proof_context = "secret key";

enum class Kept { file, credential };

/// The key of a place; nothing when there is none.
std::optional<Secret> read_key(const fs::path& path, Kept kept) {
  struct stat status{};
  if (path.empty() || ::stat(path.c_str(), &status) != 0) return std::nullopt;
  // Of credentials systemd takes care: they are readable by the service alone.
  if (kept == Kept::file && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw Failure{{ErrorKind::denied, "secret_key_exposed",
                   fmt::format("cannot use the secret key '{}': others may read it (mode {:04o})",
                               path.string(), status.st_mode & 07777U),
                   fmt::format("run 'chmod 600 {}', and enter the stored secrets anew if somebody "
                               "may have read it",
                               path.string())}};
  }
  std::ifstream file{path, std::ios::binary};
  std::string key{std::istreambuf_iterator<char>{file}, {}};
  if (key.size() == Sealer::key_bytes) return Secret{std::move(key)};
  throw Failure{{ErrorKind::invalid, "bad_secret_key",
                 fmt::format("cannot use the secret key '{}': it has {} bytes, and must have {}",
                             path.string(), key.size(), Sealer::key_bytes),
                 "bring back the file as it was, from a backup"}};
}

Error missing(const SecretKeyPlaces& places) {
  return {
      ErrorKind::conflict, "secret_key_missing",
      fmt::format("cannot open the stored secrets: their key '{}' is gone", places.file.string()),
      "bring it back from a backup of the data folder (mode 0600), or pass it as the systemd "
      "credential 'gantry-secret-key'; if it is lost, start once with --new-secret-key and "
      "enter the secrets of hosts, registries and second factors again"};
}

Error changed(const fs::path& place) {
  return {ErrorKind::conflict, "secret_key_changed",
          fmt::format("cannot open the stored secrets: '{}' is not the key they were sealed with",
                      place.string()),
          "bring back the right one from a backup of the data folder; if it is lost, start once "
          "with --new-secret-key and enter the secrets of hosts, registries and second factors "
          "again"};
}

struct Known {
  std::optional<std::string> proof;
  bool sealed = false;
};

}  // namespace

async::task<Sealer> load_secret_key(storage::Database& database, SecretKeyPlaces places,
                                    NewKey fresh) {
  co_await secret_key_store::migrate(database);
  auto known = co_await storage::transact(database, [](storage::Transaction& transaction) {
    return Known{secret_key_store::proof(transaction), secret_key_store::has_sealed(transaction)};
  });
  bool binding = known.sealed && fresh == NewKey::refused;
  auto place = places.credential;
  auto key = read_key(places.credential, Kept::credential);
  if (!key) {
    place = places.file;
    key = read_key(places.file, Kept::file);
  }
  if (!key && binding) throw Failure{missing(places)};
  if (!key) {
    key = Secret{random::bytes(Sealer::key_bytes)};
    write_private(places.file, key->reveal());
  }
  Sealer sealer{std::move(*key)};
  bool right = known.proof && sealer.open(*known.proof, proof_context).has_value();
  // Secrets of a version that kept no proof speak for themselves, when they are opened.
  if (known.proof && !right && binding) throw Failure{changed(place)};
  if (!right) {
    auto proof = sealer.seal(proof_context, proof_context);
    co_await storage::transact(database, [&](storage::Transaction& transaction) {
      secret_key_store::set_proof(transaction, proof);
    });
  }
  co_return sealer;
}

}  // namespace gantry::main
