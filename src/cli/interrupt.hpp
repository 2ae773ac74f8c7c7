#pragma once

#include "async/race.hpp"
#include "async/task.hpp"
#include "base/error.hpp"
#include "cli/commands.hpp"

#include <optional>
#include <utility>

namespace gantry::cli {

/// What a command says that Ctrl-C has ended.
inline Error interrupted_error() {
  return {ErrorKind::unavailable, "interrupted", "cannot go on: interrupted", {}};
}

/// Runs `work`; Ctrl-C cancels it, and then this answers `interrupted`.
template <class T>
async::task<Result<T>> unless_interrupted(Context& context, async::task<Result<T>> work) {
  std::optional<Result<T>> answer;
  co_await async::race(async::detail::keep(std::move(work), answer), context.interrupted.wait());
  if (!answer) co_return fail(interrupted_error());
  co_return std::move(*answer);
}

}  // namespace gantry::cli
