#include "access/credential.hpp"

#include "base/encoding.hpp"
#include "base/random.hpp"

#include <sodium.h>

namespace gantry::access::credential {

Secret make(std::string_view prefix) {
  std::string text{prefix};
  text += random::word(length);
  return Secret{std::move(text)};
}

std::string digest(std::string_view text) { return encoding::sha256_hex(text); }

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace gantry::access::credential
