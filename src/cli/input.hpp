#pragma once

#include "async/task.hpp"
#include "base/error.hpp"

#include <functional>
#include <string>

namespace gantry::cli {

/// Standard input to its end, at most `max` bytes (refused when there is more). Waits without
/// holding up the loop, so that Ctrl-C works on a pipe that never ends.
async::task<Result<std::string>> read_input(std::size_t max);

/// Hands over standard input line by line, without the lines' ends, until it ends; the next line is
/// read when `each` has ended. Refused (too_large) when a line is longer than `line_max` bytes.
async::task<Result<>> read_lines(std::size_t line_max,
                                 std::function<async::task<void>(std::string)> each);

/// The first line of standard input, without its end; what follows may be lost, and what is over
/// `line_max` bytes is cut off.
async::task<Result<std::string>> read_line(std::size_t line_max);

/// Hands over standard input as it comes, in pieces of at most 64 KiB, until it ends.
async::task<Result<>> read_pieces(std::function<async::task<void>(std::string)> each);

}  // namespace gantry::cli
