#include "main/key_bundle.hpp"

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/random.hpp"
#include "base/sealer.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <sodium.h>

namespace gantry::main {
namespace {

constexpr std::string_view context = "keys of a gantry backup";
constexpr std::size_t salt_bytes = crypto_pwhash_SALTBYTES;
constexpr std::size_t file_max = 64U << 10U;

Sealer sealer_of(const Secret& passphrase, std::string_view salt) {
  CHECK(sodium_init() >= 0);
  std::string key(Sealer::key_bytes, '\0');
  auto text = passphrase.reveal();
  int derived = crypto_pwhash(reinterpret_cast<unsigned char*>(key.data()), key.size(), text.data(),
                              text.size(), reinterpret_cast<const unsigned char*>(salt.data()),
                              crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE,
                              crypto_pwhash_ALG_ARGON2ID13);
  if (derived != 0) {
    throw Failure{{ErrorKind::exhausted, "no_memory",
                   "cannot derive a key from the passphrase: that takes 256 MiB of memory",
                   "free some memory"}};
  }
  return Sealer{Secret{std::move(key)}};
}

std::unexpected<Error> bad_passphrase(std::string_view cause, std::string_view remedy) {
  return fail(ErrorKind::invalid, "bad_passphrase",
              fmt::format("cannot use the passphrase: {}", cause), std::string{remedy});
}

}  // namespace

Result<std::string> seal_keys(const KeyFiles& files, const Secret& passphrase) {
  if (passphrase.reveal().size() < passphrase_min) {
    return bad_passphrase("it is too short to keep keys by",
                          fmt::format("take one of at least {} characters", passphrase_min));
  }
  json::Object contents;
  for (const auto& [name, content] : files) contents[name] = encoding::base64(content.reveal());
  auto salt = random::bytes(salt_bytes);
  return salt + sealer_of(passphrase, salt).seal(json::serialize(contents), context);
}

Result<KeyFiles> open_keys(std::string_view sealed, const Secret& passphrase) {
  auto wrong = [] {
    return bad_passphrase("the backup's keys do not open with it",
                          "give the one that the backup was made with");
  };
  if (sealed.size() < salt_bytes) return wrong();
  auto opened =
      sealer_of(passphrase, sealed.substr(0, salt_bytes)).open(sealed.substr(salt_bytes), context);
  if (!opened) return wrong();
  auto contents = json::parse(opened->reveal(), json::Keys::strict);
  if (!contents) return wrong();
  KeyFiles files;
  json::Fields fields{*contents, "", json::Keys::tolerant};
  for (auto name : key_file_names) {
    auto content = fields.text(name, {0, file_max});
    auto bytes = content ? encoding::from_base64(*content) : std::nullopt;
    if (bytes) files.emplace(name, std::move(*bytes));
  }
  if (auto read = fields.finish(); !read) return wrong();
  return files;
}

}  // namespace gantry::main
