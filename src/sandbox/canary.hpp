#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gantry::sandbox {

/// What a harmless program met that was run as strangers' programs are.
struct CanaryReport {
  std::string image;
  std::vector<std::string> held;       ///< What held it: `seccomp`, `the limit of memory`.
  std::vector<std::string> open;       ///< What did not, with what was seen instead.
  std::vector<std::string> languages;  ///< Whose images the engine has.
  std::vector<std::string> recipes;    ///< That make the images of the others.
};

/// Runs it on an engine: two short programs in an image that is there, nothing is pulled. What was
/// made for it is taken away again. At most 30 s. Refused (not_found): `no_canary_image`; and why a
/// program could not be run.
async::task<Result<CanaryReport>> run_canary(async::Executor executor, engine::Client& engine);

/// Reads what the first program printed.
void read_canary(std::string_view printed, CanaryReport& report);

}  // namespace gantry::sandbox
