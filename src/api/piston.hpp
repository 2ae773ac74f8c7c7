#pragma once

#include "base/error.hpp"
#include "base/json.hpp"
#include "executions/executions.hpp"
#include "sandbox/languages.hpp"
#include "sandbox/policy_bounds.hpp"
#include "sandbox/program.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Piston's API, version 2 (https://github.com/engineer-man/piston, docs/api-v2.md), spoken for
/// its clients: docs/fronts/piston.md says what is the same and what is not.
namespace gantry::api::piston {

/// The most that a job may ask for; a server's own bounds may be narrower.
inline constexpr std::int64_t run_time_max_ms = 3'000;
inline constexpr std::int64_t compile_time_max_ms = 10'000;

/// What somebody wants to be run.
struct Job {
  std::string language;  ///< Its name, whatever alias was asked for.
  std::string version;
  sandbox::Submission submission;
};

/// Reads the body of `/execute`, or the `init` message, in Piston's tolerant manner. Errors have
/// Piston's words; a file that leaves the work folder is `path_escapes`.
Result<Job> read_job(const json::Value& body, const sandbox::Languages& languages,
                     const sandbox::PolicyBounds& bounds);

/// The version that a language is told to have; `0.0.0` when it is not known.
std::string version_of(const sandbox::Language& language);
json::Array runtimes_json(const sandbox::Languages& languages);
json::Array packages_json(const sandbox::Languages& languages);

/// What one stage wrote.
struct Written {
  std::string out;
  std::string err;
  std::string both;  ///< In the order of time.
};

/// What happened in an execution, stage by stage.
struct Story {
  Written compile;
  Written run;
  void add(const executions::Happening& happening);
};

/// How a stage ended, in Piston's terms.
struct Ending {
  std::optional<int> code;
  std::string signal;   ///< `SIGKILL`; empty when it ended by itself.
  std::string status;   ///< `RE`, `SG`, `TO`, `OL`, `EL`, `XX`; empty when all is well.
  std::string message;  ///< Empty with `status`.
};
Ending ending_of(const sandbox::StageOutcome& outcome);

/// The answer of `/execute` to a finished execution.
std::string result_text(const Job& job, const Story& story, const sandbox::Outcome& outcome);

/// The number of `SIGTERM`; nothing for what is no signal.
std::optional<int> signal_number(std::string_view name);

}  // namespace gantry::api::piston
