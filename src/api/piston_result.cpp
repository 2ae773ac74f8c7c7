#include "api/json_text.hpp"
#include "api/piston.hpp"

#include <array>
#include <csignal>
#include <utility>

#include <fmt/format.h>

// What became of a job, in Piston's words.
namespace gantry::api::piston {
namespace {

using sandbox::Verdict;

/// What Piston says of a stage that its keeper killed.
Ending killed(std::string status, std::string message) {
  return {
      .code = {}, .signal = "SIGKILL", .status = std::move(status), .message = std::move(message)};
}

std::string or_null(std::string_view text) { return text.empty() ? "null" : json_string(text); }

std::string stage_text(const Written& written, const sandbox::StageOutcome& outcome) {
  auto ending = ending_of(outcome);
  auto number = [](bool known, auto value) { return known ? fmt::format("{}", value) : "null"; };
  return fmt::format(
      R"({{"signal":{},"stdout":{},"stderr":{},"code":{},"output":{},"memory":{},"message":{},)"
      R"("status":{},"cpu_time":{},"wall_time":{}}})",
      or_null(ending.signal), json_string(written.out), json_string(written.err),
      number(ending.code.has_value(), ending.code.value_or(0)), json_string(written.both),
      number(outcome.memory_peak_bytes > 0, outcome.memory_peak_bytes), or_null(ending.message),
      or_null(ending.status), outcome.cpu_time.count() / 1000, outcome.wall_time.count() / 1000);
}

}  // namespace

void Story::add(const executions::Happening& happening) {
  if (happening.kind != executions::Happening::Kind::output) return;
  auto& written = happening.stage == sandbox::Stage::compile ? compile : run;
  bool out = happening.stream == sandbox::OutputStream::standard_output;
  (out ? written.out : written.err) += happening.bytes;
  written.both += happening.bytes;
}

Ending ending_of(const sandbox::StageOutcome& outcome) {
  switch (outcome.verdict) {
    case Verdict::ok:
      return {.code = outcome.exit_code.value_or(0), .signal = {}, .status = {}, .message = {}};
    case Verdict::failed: {
      auto code = outcome.exit_code.value_or(1);
      return {.code = code,
              .signal = {},
              .status = "RE",
              .message = fmt::format("Exited with error status {}", code)};
    }
    case Verdict::signalled: {
      auto signal = outcome.signal.value_or(SIGKILL);
      return {.code = {},
              .signal = sandbox::signal_name(signal),
              .status = "SG",
              .message = fmt::format("Caught fatal signal {}", signal)};
    }
    case Verdict::timed_out:
      return killed("TO", "Time limit exceeded (wall clock)");
    case Verdict::cpu_exceeded:
      return killed("TO", "Time limit exceeded");
    case Verdict::memory_exceeded:
      return killed("SG", "Caught fatal signal 9 (memory limit exceeded)");
    case Verdict::output_exceeded:
      return outcome.errors_truncated && !outcome.output_truncated
                 ? killed("EL", "stderr length exceeded")
                 : killed("OL", "stdout length exceeded");
    case Verdict::cancelled:
    case Verdict::infrastructure_error:
      return killed("XX", outcome.message.empty() ? std::string{sandbox::word(outcome.verdict)}
                                                  : outcome.message);
  }
  return {};
}

std::string result_text(const Job& job, const Story& story, const sandbox::Outcome& outcome) {
  std::string text = "{";
  bool compiled = !outcome.compile || outcome.compile->verdict == Verdict::ok;
  auto compile = outcome.compile ? stage_text(story.compile, *outcome.compile) : std::string{};
  if (outcome.compile) text += fmt::format("\"compile\":{},", compile);
  // Old clients look at `run` only: it says what the compilation said when that failed.
  text += fmt::format("\"run\":{},\"language\":{},\"version\":{}}}",
                      compiled ? stage_text(story.run, outcome) : compile,
                      json_string(job.language), json_string(job.version));
  return text;
}

std::optional<int> signal_number(std::string_view name) {
  constexpr std::array aliases{std::pair{std::string_view{"SIGIOT"}, SIGABRT},
                               std::pair{std::string_view{"SIGCLD"}, SIGCHLD},
                               std::pair{std::string_view{"SIGPOLL"}, SIGPOLL},
                               std::pair{std::string_view{"SIGIO"}, SIGIO}};
  constexpr int last_standard = 31;
  for (const auto& [alias, number] : aliases) {
    if (alias == name) return number;
  }
  for (int number = 1; number <= last_standard; ++number) {
    if (sandbox::signal_name(number) == name) return number;
  }
  return std::nullopt;
}

json::Array runtimes_json(const sandbox::Languages& languages) {
  json::Array runtimes;
  for (const auto& language : languages.all()) {
    json::Array aliases;
    for (const auto& alias : language.aliases) aliases.emplace_back(alias);
    runtimes.push_back(json::Object{{"language", language.name},
                                    {"version", version_of(language)},
                                    {"aliases", std::move(aliases)}});
  }
  return runtimes;
}

json::Array packages_json(const sandbox::Languages& languages) {
  json::Array packages;
  for (const auto& language : languages.all()) {
    packages.push_back(json::Object{{"language", language.name},
                                    {"language_version", version_of(language)},
                                    {"installed", true}});
  }
  return packages;
}

}  // namespace gantry::api::piston
