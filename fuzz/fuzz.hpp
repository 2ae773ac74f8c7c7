#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

/// A fuzz target (https://llvm.org/docs/LibFuzzer.html): never fails but by a CHECK or a sanitizer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace gantry::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace gantry::fuzz
