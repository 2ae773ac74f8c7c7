#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"

#include <cstddef>
#include <string>
#include <string_view>

/// argon2id, by libsodium. The functions take long on purpose: call them in async::Workers.
namespace gantry::access::password {

/// How much work one hash is. 64 MiB and 3 passes (RFC 9106) take 0.1 s; the memory is mapped for
/// the time of one hash and given back, so an idle server does not hold it.
struct Cost {
  unsigned long long passes = 3;
  std::size_t memory_bytes = 64U << 20U;
};

inline constexpr std::size_t characters_min = 10;
inline constexpr std::size_t characters_max = 256;
/// 256 characters of at most 4 bytes: nothing longer reaches the hash.
inline constexpr std::size_t bytes_max = 1024;

/// Whether it may be somebody's new password; `field` is what the refusal calls it.
Result<> check_new(const Secret& password, std::string_view field = "password");
/// The `$argon2id$…` text that is stored. Throws Failure `exhausted` when memory is short.
std::string hash(const Secret& password, const Cost& cost);
enum class Match { yes, no };
Match verify(const Secret& password, const std::string& stored);
/// As long as `verify`, for a user who does not exist.
void waste(const Secret& password, const Cost& cost);

}  // namespace gantry::access::password
