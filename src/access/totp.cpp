#include "access/totp.hpp"

#include "base/encoding.hpp"
#include "base/random.hpp"

#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace gantry::access::totp {
namespace {

constexpr std::size_t secret_bytes = 20;
constexpr std::int64_t step_seconds = 30;
constexpr std::uint32_t codes = 1'000'000;

/// HMAC-SHA-1 of the step as eight bytes, the most significant first.
std::array<unsigned char, 20> hmac(const Secret& secret, std::int64_t step) {
  std::array<unsigned char, 8> message{};
  for (std::size_t i = 0; i < message.size(); ++i) {
    message[7 - i] = static_cast<unsigned char>(static_cast<std::uint64_t>(step) >> (8 * i));
  }
  std::array<unsigned char, 20> digest{};
  unsigned length = digest.size();
  auto key = secret.reveal();
  ::HMAC(::EVP_sha1(), key.data(), static_cast<int>(key.size()), message.data(), message.size(),
         digest.data(), &length);
  return digest;
}

}  // namespace

Secret make_secret() { return Secret{random::bytes(secret_bytes)}; }

std::int64_t step_at(WallTime now) {
  return std::chrono::floor<Seconds>(now).time_since_epoch().count() / step_seconds;
}

std::string code(const Secret& secret, std::int64_t step) {
  auto digest = hmac(secret, step);
  auto offset = digest.back() & 0x0fU;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8U | digest[offset + i];
  return fmt::format("{:06}", (number & 0x7fff'ffffU) % codes);
}

std::optional<std::int64_t> match(const Secret& secret, std::string_view given, WallTime now,
                                  std::int64_t last_used) {
  auto present = step_at(now);
  for (auto step : {present, present - 1, present + 1}) {
    if (step > last_used && Secret{code(secret, step)}.matches(given)) return step;
  }
  return std::nullopt;
}

std::string text(const Secret& secret) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string out;
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (char c : secret.reveal()) {
    held = (held << 8U | static_cast<unsigned char>(c)) & 0xffffU;
    for (bits += 8; bits >= 5; bits -= 5) out += alphabet[held >> (bits - 5) & 31U];
  }
  if (bits > 0) out += alphabet[held << (5 - bits) & 31U];
  return out;
}

std::string uri(std::string_view user, const Secret& secret) {
  return fmt::format("otpauth://totp/Gantry:{}?secret={}&issuer=Gantry", encoding::percent(user),
                     text(secret));
}

}  // namespace gantry::access::totp
