#include "cli/verdict.hpp"

#include "cli/commands.hpp"
#include "sandbox/verdict.hpp"

#include <array>
#include <csignal>

#include <fmt/format.h>

namespace gantry::cli {
namespace {

using sandbox::Verdict;

/// What the verdicts look like that the program's own exit code does not tell.
struct Shown {
  Verdict verdict;
  int exit_code;
  std::string_view words;
};
constexpr int exit_timed_out = 124;  // as timeout(1) of coreutils
constexpr std::array shown{
    Shown{Verdict::timed_out, exit_timed_out, "the program ran out of time"},
    Shown{Verdict::cpu_exceeded, 128 + SIGXCPU, "the program used up its processor time"},
    Shown{Verdict::memory_exceeded, 128 + SIGKILL, "the program ran out of memory"},
    Shown{Verdict::output_exceeded, 128 + SIGXFSZ, "the program wrote more than it may"},
    Shown{Verdict::cancelled, exit_interrupted, "the execution was cancelled"},
    Shown{Verdict::infrastructure_error, exit_infrastructure, "the program could not be run"},
};

}  // namespace

Result<Ending> ending_of(const json::Value& execution) {
  json::Fields fields{execution, "", json::Keys::tolerant};
  auto word = fields.required_text("verdict");
  auto code = fields.integer("exit_code", {0, 255});
  auto signal = fields.integer("signal", {1, 64});
  auto message = fields.text("message", {0, 1U << 20U}).value_or("");
  if (auto read = fields.finish(); !read) return fail(read.error());

  auto verdict = sandbox::verdict_from(word);
  if (verdict == Verdict::ok || verdict == Verdict::failed) {
    return Ending{static_cast<int>(code.value_or(verdict == Verdict::ok ? 0 : 1)), {}};
  }
  if (verdict == Verdict::signalled) {
    auto number = static_cast<int>(signal.value_or(SIGKILL));
    return Ending{128 + number, fmt::format("signalled: the program was ended by {}",
                                            sandbox::signal_name(number))};
  }
  for (const auto& row : shown) {
    if (row.verdict != verdict) continue;
    return Ending{row.exit_code,
                  fmt::format("{}: {}", word, message.empty() ? row.words : message)};
  }
  return Ending{exit_infrastructure, fmt::format("{}: {}", word, message)};
}

}  // namespace gantry::cli
