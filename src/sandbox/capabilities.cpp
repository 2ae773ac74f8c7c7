#include "sandbox/capabilities.hpp"

#include "async/attempt.hpp"
#include "engine/system.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::sandbox {
namespace {

// An engine's runtimes change by its configuration and a restart.
constexpr Seconds remembered{60};

}  // namespace

async::task<Result<>> Capabilities::check(const Policy& policy) {
  if (policy.runtime == Runtime::runc) co_return ok;
  co_return co_await check_runtime("runsc");
}

async::task<Result<>> Capabilities::check_runtime(std::string name) {
  if (runtimes_.empty() || steady_now() - asked_at_ > remembered) {
    auto info = co_await async::attempt(engine::info(engine_));
    if (!info) co_return fail(info.error());
    runtimes_ = info->runtimes;
    asked_at_ = steady_now();
  }
  if (std::ranges::find(runtimes_, name) != runtimes_.end()) co_return ok;
  co_return fail(ErrorKind::unavailable, "runtime_not_available",
                 fmt::format("cannot run on runtime '{}': the engine has {}", name,
                             fmt::join(runtimes_, ", ")),
                 "install it on the engine's host, or ask for runtime 'runc'");
}

}  // namespace gantry::sandbox
