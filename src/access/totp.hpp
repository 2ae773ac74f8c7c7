#pragma once

#include "base/clock.hpp"
#include "base/secret.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The second factor of signing in: codes by time (RFC 6238: SHA-1, six digits, 30 s), as every
/// authenticator knows them.
namespace gantry::access::totp {

/// 20 random bytes, as RFC 4226 recommends.
Secret make_secret();
/// Which 30 s of the world's time it is.
std::int64_t step_at(WallTime now);
/// The six digits of that step.
std::string code(const Secret& secret, std::int64_t step);
/// The step whose code it is: the present one, the one before or the one after, and later than
/// `last_used`, so that no code counts twice. Nothing when it is none of them.
std::optional<std::int64_t> match(const Secret& secret, std::string_view code, WallTime now,
                                  std::int64_t last_used);
/// As people type it: base32 (RFC 4648) without padding.
std::string text(const Secret& secret);
/// What a QR code holds: `otpauth://totp/Gantry:ada?secret=…&issuer=Gantry`.
std::string uri(std::string_view user, const Secret& secret);

}  // namespace gantry::access::totp
