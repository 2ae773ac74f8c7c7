#include "engine/exec_lost.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "engine/exec.hpp"

#include <utility>

namespace gantry::engine {
namespace {

constexpr int looks_max = 8;
constexpr Milliseconds between_looks{250};
constexpr Milliseconds all_looks_max{10'000};

/// Until it has started, or is not going to: an engine that was asked to start it may do so late.
async::task<void> wait_for_its_start(Client& client, std::string exec) {
  for (int look = 0; look < looks_max; ++look) {
    if (look > 0) co_await async::pause(between_looks);
    auto state = co_await async::attempt(inspect_exec(client, exec));
    if (state && (state->running || state->pid > 0)) co_return;
    if (!state && state.error().kind == ErrorKind::not_found) co_return;
  }
}

}  // namespace

async::task<ExecEnd> end_lost_exec(Client& client, MarkedExec exec, std::string first) {
  // What it has not seen by then, end_exec tells.
  auto seen = co_await async::attempt(async::with_deadline(all_looks_max, "waiting for its start",
                                                           wait_for_its_start(client, exec.exec)));
  (void)seen;
  co_return co_await end_exec(client, std::move(exec), std::move(first));
}

}  // namespace gantry::engine
