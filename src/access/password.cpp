#include "access/password.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sodium.h>

namespace gantry::access::password {
namespace {

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

Result<> check_new(const Secret& password, std::string_view field) {
  auto text = password.reveal();
  auto refuse = [&](std::string_view reason) { return fail(json::field_error(field, reason)); };
  if (text.size() > bytes_max) return refuse("must have at most 256 characters");
  if (!text::valid_utf8(text)) return refuse("must be UTF-8");
  auto length = characters(text);
  if (length < characters_min || length > characters_max) {
    return refuse(fmt::format("must have {} to {} characters, not {}", characters_min,
                              characters_max, length));
  }
  return ok;
}

std::string hash(const Secret& password, const Cost& cost) {
  CHECK(sodium_init() >= 0);  // chooses the fast code for this machine; a second call is free
  CHECK(password.reveal().size() <= bytes_max);
  std::array<char, crypto_pwhash_STRBYTES> stored{};
  auto text = password.reveal();
  if (crypto_pwhash_str_alg(stored.data(), text.data(), text.size(), cost.passes, cost.memory_bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw Failure{{ErrorKind::exhausted, "memory_short",
                   fmt::format("cannot hash a password: {} MiB of memory are not to be had",
                               cost.memory_bytes >> 20U),
                   "try again later"}};
  }
  return stored.data();
}

Match verify(const Secret& password, const std::string& stored) {
  CHECK(sodium_init() >= 0);
  auto text = password.reveal();
  if (text.size() > bytes_max) return Match::no;
  return crypto_pwhash_str_verify(stored.c_str(), text.data(), text.size()) == 0 ? Match::yes
                                                                                 : Match::no;
}

void waste(const Secret& password, const Cost& cost) { hash(password, cost); }

}  // namespace gantry::access::password
