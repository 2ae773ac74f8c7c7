#include "sandbox/verdict.hpp"

#include <array>

#include <fmt/format.h>
#include <string.h>

namespace gantry::sandbox {
namespace {

constexpr std::array<std::string_view, 9> words{"ok",
                                                "failed",
                                                "signalled",
                                                "timed_out",
                                                "cpu_exceeded",
                                                "memory_exceeded",
                                                "output_exceeded",
                                                "cancelled",
                                                "infrastructure_error"};
static_assert(words.size() == static_cast<std::size_t>(Verdict::infrastructure_error) + 1);

}  // namespace

std::string_view word(Verdict verdict) { return words[static_cast<std::size_t>(verdict)]; }

std::optional<Verdict> verdict_from(std::string_view word) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == word) return static_cast<Verdict>(i);
  }
  return std::nullopt;
}

std::string signal_name(int signal) {
  const auto* name = ::sigabbrev_np(signal);
  return name == nullptr ? fmt::format("signal {}", signal) : fmt::format("SIG{}", name);
}

}  // namespace gantry::sandbox
