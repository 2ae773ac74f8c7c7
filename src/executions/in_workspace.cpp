#include "async/attempt.hpp"
#include "executions/live.hpp"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

// What a program with `filesystem: workspace` needs before and after it.
namespace gantry::executions {
namespace {

bool wants_workspace(const sandbox::Policy& policy) {
  return policy.filesystem == sandbox::Filesystem::workspace;
}

}  // namespace

/// For all programs of an order, or for none.
async::task<Result<Executions::Leases>> Executions::borrow_workspaces(const Order& order) {
  Leases leases;
  for (const auto& submission : order.submissions) {
    leases.emplace_back();
    const auto& policy = submission.policy;
    if (!wants_workspace(policy)) continue;
    auto lease =
        co_await workspaces_.borrow(order.caller.account(), policy.workspace, policy.tmpfs);
    if (!lease) co_return fail(std::move(lease.error()));
    leases.back().emplace(std::move(*lease));
  }
  co_return std::move(leases);
}

/// What comes from the disk has none yet. One that can not have it is told so at its turn.
async::task<Result<>> Executions::borrow_workspace(Live& live) {
  const auto& policy = live.submission.policy;
  if (live.workspace || !wants_workspace(policy)) co_return ok;
  auto lease =
      co_await workspaces_.borrow(live.ticket.caller.account(), policy.workspace, policy.tmpfs);
  if (!lease) co_return fail(std::move(lease.error()));
  live.workspace.emplace(std::move(*lease));
  co_return ok;
}

async::task<Result<std::optional<sandbox::Workspace>>> Executions::bring_workspace(Live& live) {
  if (auto borrowed = co_await borrow_workspace(live); !borrowed) {
    co_return fail(std::move(borrowed.error()));
  }
  if (!live.workspace) co_return std::nullopt;
  auto workspace = co_await workspaces_.load(*live.workspace);
  if (!workspace) co_return fail(std::move(workspace.error()));
  co_return std::move(*workspace);
}

async::task<void> Executions::execute_into(LivePointer live, sandbox::Outcome& outcome) {
  auto workspace = co_await bring_workspace(*live);
  if (!workspace) {
    outcome = {{.verdict = sandbox::Verdict::infrastructure_error,
                .message = workspace.error().sentence(),
                .error_code = workspace.error().code}};
    co_return;
  }
  auto execution = execution_of(*live);
  execution.workspace = std::move(*workspace);
  outcome = co_await sandbox_.execute(std::move(execution), observer_of(live));
}

/// The end of the program waits for it: who is told of the end finds what it left.
async::task<void> Executions::keep_workspace(Live& live, sandbox::Outcome& outcome) {
  auto left = std::exchange(outcome.workspace, std::nullopt);
  if (!left || !live.workspace) co_return;
  auto kept = co_await async::attempt(workspaces_.keep(*live.workspace, std::move(*left)));
  if (kept) co_return;
  outcome.message += fmt::format("{}the workspace is kept as it was before: {}",
                                 outcome.message.empty() ? "" : "; ", kept.error().sentence());
}

}  // namespace gantry::executions
