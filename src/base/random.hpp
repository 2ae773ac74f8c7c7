#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

/// Randomness from the kernel's generator, fit for secrets.
namespace gantry::random {

/// `count` bytes.
std::string bytes(std::size_t count);
/// `length` characters of [0-9a-z] (5.17 bits each).
std::string word(std::size_t length);
/// An id that sorts by creation: 10 characters of time, 16 of randomness (as ULID, lower case).
std::string sortable_id(std::int64_t unix_milliseconds);
/// Uniform in [0, bound); bound > 0.
std::uint32_t below(std::uint32_t bound);

}  // namespace gantry::random
