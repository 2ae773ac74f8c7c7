#pragma once

#include "cli/remote_request.hpp"

namespace gantry::cli {

/// What reads the files that a command names. `-` is standard input, which is read at once: of a
/// password its first line, which a terminal does not show while it is typed, else all of it.
/// Refused (invalid, `bad_usage`) where two of them are `-`.
async::task<Result<ReadFile>> reader_of(Context& context, const RemoteCommand& command);

}  // namespace gantry::cli
