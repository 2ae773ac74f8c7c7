#pragma once

#include "sandbox/embedded.hpp"
#include "sandbox/executor.hpp"
#include "sandbox/tar.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What the tests of this folder say in gantry-init's and the engine's place.
namespace gantry::sandbox {

inline std::string big_endian(std::uint64_t number, unsigned size) {
  std::string out;
  while (size-- > 0) out += static_cast<char>(number >> (8 * size));
  return out;
}

/// A frame of gantry-init.
inline std::string init_frame(char type, std::string_view payload = {}) {
  return std::string{type} + big_endian(payload.size(), 4) + std::string{payload};
}

/// Its verdict. `truncated`: 1 standard output, 2 standard error.
inline std::string verdict_frame(std::uint8_t cause, int exit_code = 0, int signal = 0,
                                 std::uint8_t truncated = 0, std::uint32_t skipped = 0) {
  std::string payload{'\2', static_cast<char>(cause)};
  payload += big_endian(static_cast<std::uint32_t>(exit_code), 4);
  payload += big_endian(static_cast<std::uint32_t>(signal), 4);
  payload += big_endian(12'000, 8) + big_endian(3'000, 8) + big_endian(1U << 20U, 8);
  payload += std::string(24, '\0') + static_cast<char>(truncated) + big_endian(skipped, 4);
  return init_frame('V', payload);
}

/// A file that a program left.
inline std::string artifact_frames(std::string_view path, std::string_view content) {
  auto frames = init_frame('N', big_endian(content.size(), 8) + std::string{path});
  return content.empty() ? frames : frames + init_frame('D', content);
}

/// The volume of gantry-init as the engine tells it; with `init` in place of the real program.
inline std::string init_volume_archive(std::string_view init = embedded::init_program()) {
  std::vector<tar::Entry> entries;
  for (const auto& file : embedded::init_files()) {
    entries.push_back({.name = "gantry-init-volume/" + std::string{file.name},
                       .content = file.name == "gantry-init" ? init : file.content,
                       .mode = file.mode});
  }
  return tar::of_files(entries);
}

/// What the engine makes of what a container writes: to standard output (1) or error (2).
inline std::string engine_frame(char stream, std::string_view bytes) {
  return std::string{stream} + std::string(3, '\0') + big_endian(bytes.size(), 4) +
         std::string{bytes};
}

/// Writes down what an observer is told: `progress:…`, `compiling`, `started`, `out:…`, `err:…`.
struct Told {
  std::vector<std::string> lines;

  Observer observer() {
    return {.progress = [this](std::string text) { lines.push_back("progress:" + text); },
            .started =
                [this](Stage stage) {
                  lines.emplace_back(stage == Stage::compile ? "compiling" : "started");
                },
            .output =
                [this](OutputStream stream, std::string_view bytes) {
                  auto name = stream == OutputStream::standard_output ? "out:" : "err:";
                  lines.push_back(name + std::string{bytes});
                }};
  }
};

}  // namespace gantry::sandbox
