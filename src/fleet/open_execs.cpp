#include "fleet/open_execs.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/log.hpp"
#include "engine/exec.hpp"

#include <utility>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

/// What was not reached for so long is not looked for any more: no terminal grows older than a day.
constexpr std::chrono::days age_max{7};
constexpr Milliseconds inspect_max{10'000};

/// Whether it runs still; nothing when nobody can tell.
async::task<std::optional<bool>> still_runs(engine::Client& client, std::string exec) {
  auto state = co_await async::attempt(async::with_deadline(
      inspect_max, "asking after a shell", engine::inspect_exec(client, std::move(exec))));
  if (state) co_return state->running;
  if (state.error().kind == ErrorKind::not_found) co_return false;
  co_return std::nullopt;
}

}  // namespace

async::task<void> OpenExecs::start() {
  co_await open_execs_store::migrate(database_);
  left_ = co_await storage::transact(
      database_, [at = settings_.clock.now()](storage::Transaction& transaction) {
        open_execs_store::prune(transaction, at - age_max);
        return open_execs_store::load(transaction);
      });
}

async::task<void> OpenExecs::note(HostId host, engine::MarkedExec exec) {
  OpenExec open{.host = std::move(host), .exec = std::move(exec), .since = settings_.clock.now()};
  co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    open_execs_store::put(transaction, open);
  });
}

async::task<void> OpenExecs::cross_out(std::string exec) {
  co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    open_execs_store::remove(transaction, exec);
  });
}

async::task<void> OpenExecs::end_one(std::shared_ptr<Host> host, OpenExec open) {
  auto exec = open.exec;
  auto runs = co_await still_runs(host->engine(), exec.exec);
  if (!runs) co_return;
  if (*runs) {
    auto underway =
        co_await operations_.begin({.actor = {.name = "gantry", .id = {}, .by = "local"},
                                    .host = host->name(),
                                    .action = "terminal.end_left",
                                    .object = exec.container,
                                    .parameters = {{"exec", exec.exec}}});
    if (!underway) co_return;
    if (!settings_.ender.archive.empty()) exec.ender = &settings_.ender;
    auto end = co_await engine::end_exec(host->engine(), exec, "HUP");
    bool ended = end.fate == engine::ProcessFate::ended;
    json::Object facts{{"process", ended ? "ended" : "may_live_on"}};
    if (!ended) facts["detail"] = end.detail;
    underway->succeeded(facts);
    log::info("a shell that a killed server had left on host '{}' {}", host->name(),
              ended ? "is ended" : "may live on: " + end.detail);
  }
  std::erase_if(left_, [&](const OpenExec& one) { return one.exec.exec == exec.exec; });
  co_await cross_out(exec.exec);
}

async::task<void> OpenExecs::end_left(Find find) {
  while (!left_.empty()) {
    for (const auto& open : std::vector<OpenExec>{left_}) {
      auto host = find(open.host);
      if (!host) {
        std::erase_if(left_, [&](const OpenExec& one) { return one.exec.exec == open.exec.exec; });
        co_await cross_out(open.exec.exec);
        continue;
      }
      if (host->view().state != EngineState::connected) continue;
      auto done = co_await async::attempt(end_one(host, open));
      if (!done) log::warn("a shell is left on host '{}': {}", host->name(), done.error().message);
    }
    if (!left_.empty()) co_await async::pause(settings_.look);
  }
}

}  // namespace gantry::fleet
