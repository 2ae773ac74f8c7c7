#include "base/sealer.hpp"

#include <fmt/format.h>
#include <sodium.h>

namespace gantry {
namespace {

constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(Sealer::key_bytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

Sealer::Sealer(Secret key) : key_{std::move(key)} {
  CHECK(sodium_init() >= 0);
  CHECK(key_.reveal().size() == key_bytes);
}

std::string Sealer::seal(std::string_view plain, std::string_view context) const {
  std::string sealed(nonce_bytes + plain.size() + tag_bytes, '\0');
  auto* nonce = bytes_of(sealed);
  randombytes_buf(nonce, nonce_bytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + nonce_bytes, nullptr, bytes_of(plain),
                                             plain.size(), bytes_of(context), context.size(),
                                             nullptr, nonce, bytes_of(key_.reveal()));
  return sealed;
}

Result<Secret> Sealer::open(std::string_view sealed, std::string_view context) const {
  auto refused = [&] {
    return fail(ErrorKind::internal, "cannot_unseal",
                fmt::format("cannot read the stored secret of '{}': it was not sealed with this "
                            "server's key, or it was changed",
                            context),
                "bring back the file 'secret.key' of the data folder, or enter the secret again");
  };
  if (sealed.size() < nonce_bytes + tag_bytes) return refused();
  const auto* nonce = bytes_of(sealed);
  std::string plain(sealed.size() - nonce_bytes - tag_bytes, '\0');
  int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
      bytes_of(plain), nullptr, nullptr, nonce + nonce_bytes, sealed.size() - nonce_bytes,
      bytes_of(context), context.size(), nonce, bytes_of(key_.reveal()));
  if (opened != 0) return refused();
  return Secret{std::move(plain)};
}

}  // namespace gantry
