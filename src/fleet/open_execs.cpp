#include "fleet/open_execs.hpp"

#include "async/attempt.hpp"
#include "async/backoff.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "async/scope.hpp"
#include "base/log.hpp"
#include "engine/exec.hpp"

#include <algorithm>
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
  std::int64_t given_up = 0;
  left_ = co_await storage::transact(
      database_, [&, at = settings_.clock.now()](storage::Transaction& transaction) {
        given_up = open_execs_store::prune(transaction, at - age_max);
        return open_execs_store::load(transaction, settings_.owner);
      });
  if (given_up != 0) {
    log::warn(
        "{} shells of killed servers are not looked for any more: their hosts were away for "
        "{} days",
        given_up, age_max.count());
  }
}

async::task<void> OpenExecs::note(HostId host, engine::MarkedExec exec) {
  OpenExec open{.host = std::move(host), .exec = std::move(exec), .since = settings_.clock.now()};
  co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    open_execs_store::put(transaction, settings_.owner, open);
  });
}

async::task<void> OpenExecs::cross_out(std::string exec) {
  co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    open_execs_store::remove(transaction, exec);
  });
}

async::task<void> OpenExecs::forget(std::string exec) {
  std::erase_if(left_, [&](const OpenExec& one) { return one.exec.exec == exec; });
  co_await cross_out(std::move(exec));
}

bool OpenExecs::has_left(const HostId& host) const {
  return std::ranges::find(left_, host, &OpenExec::host) != left_.end();
}

async::task<OpenExecs::Fate> OpenExecs::end_one(std::shared_ptr<Host> host,
                                                engine::MarkedExec exec) {
  auto runs = co_await still_runs(host->engine(), exec.exec);
  if (!runs) co_return Fate::unknown;
  if (!*runs) co_return Fate::over;
  auto underway = co_await operations_.begin({.actor = {.name = "system", .id = {}, .by = "local"},
                                              .host = host->name(),
                                              .action = "terminal.end_left",
                                              .object = exec.container,
                                              .parameters = {{"exec", exec.exec}}});
  if (!underway) co_return Fate::unknown;
  if (!settings_.ender.archive.empty()) exec.ender = &settings_.ender;
  auto end = co_await engine::end_exec(host->engine(), exec, "HUP");
  bool ended = end.fate == engine::ProcessFate::ended;
  json::Object facts{{"process", ended ? "ended" : "may_live_on"}};
  if (!ended) facts["detail"] = end.detail;
  underway->succeeded(facts);
  log::info("a shell that a killed server had left on host '{}' {}", host->name(),
            ended ? "is ended" : "may live on: " + end.detail);
  co_return Fate::over;
}

/// Those that nobody can tell of now are left for the next look.
async::task<void> OpenExecs::end_those_of(std::shared_ptr<Host> host) {
  auto id = host->config().id;
  for (const auto& open : std::vector<OpenExec>{left_}) {
    if (open.host != id) continue;
    auto fate = co_await end_one(host, open.exec);
    if (fate == Fate::unknown) co_return;
    co_await forget(open.exec.exec);
  }
}

async::task<void> OpenExecs::end_on(HostId host, Find find) {
  async::Backoff away{settings_.look_first, settings_.look_last};
  while (has_left(host)) {
    auto found = find(host);
    if (!found) {
      // With the host went the way to them.
      for (const auto& open : std::vector<OpenExec>{left_}) {
        if (open.host == host) co_await forget(open.exec.exec);
      }
      co_return;
    }
    if (found->view().state == EngineState::connected) {
      auto done = co_await async::attempt(end_those_of(found));
      if (!done) log::warn("a shell is left on host '{}': {}", found->name(), done.error().message);
      if (!has_left(host)) co_return;
    }
    co_await away.pause();
  }
}

async::task<void> OpenExecs::end_left(Find find) {
  std::vector<HostId> hosts;
  for (const auto& open : left_) {
    if (std::ranges::find(hosts, open.host) == hosts.end()) hosts.push_back(open.host);
  }
  async::TaskScope scope{co_await boost::asio::this_coro::executor};
  for (const auto& host : hosts) scope.spawn("shells left on a host", end_on(host, find));
  co_await async::finally(scope.join(), scope.close());
}

}  // namespace gantry::fleet
