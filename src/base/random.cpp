#include "base/random.hpp"

#include <string_view>

#include <sodium.h>

namespace gantry::random {
namespace {
constexpr std::string_view alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
// Crockford's base 32, lower case: no i, l, o, u to be misread.
constexpr std::string_view crockford = "0123456789abcdefghjkmnpqrstvwxyz";
}  // namespace

std::string bytes(std::size_t count) {
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

std::string word(std::size_t length) {
  std::string text(length, '0');
  for (auto& c : text) c = alphabet[randombytes_uniform(alphabet.size())];
  return text;
}

std::string sortable_id(std::int64_t unix_milliseconds) {
  std::string text(26, '0');
  auto rest = static_cast<std::uint64_t>(unix_milliseconds);
  for (std::size_t i = 10; i-- > 0; rest >>= 5U) text[i] = crockford[rest & 31U];
  for (std::size_t i = 10; i < text.size(); ++i) text[i] = crockford[randombytes_uniform(32)];
  return text;
}

std::uint32_t below(std::uint32_t bound) { return randombytes_uniform(bound); }

}  // namespace gantry::random
