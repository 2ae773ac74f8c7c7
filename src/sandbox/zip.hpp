#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "sandbox/program.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// Unpacking ZIP archives that strangers send, in memory.
namespace gantry::sandbox::zip {

/// How much may come out of one archive.
struct Limits {
  std::size_t files_max = 1'000;
  std::size_t file_bytes_max = 10U << 20U;
  std::size_t bytes_max = 100U << 20U;
  /// How many times larger than the archive its files together may be.
  std::size_t ratio_max = 100;
  Milliseconds time_max{30'000};
};

/// Whether a member with this path may be there at all.
using Allowed = std::function<bool(std::string_view path)>;

/// The archive's plain files in its order, a path that comes twice with its last content. Refuses
/// (invalid: `invalid_zip`) what is no archive, is damaged or encrypted, goes over a limit, and
/// members that are links or devices, leave the folder (absolute, `..`) or are not `allowed`.
/// Takes up to `limits.time_max`: run it beside the event loop.
Result<std::vector<File>> unpack(std::string_view archive, const Limits& limits,
                                 const Allowed& allowed);

}  // namespace gantry::sandbox::zip
