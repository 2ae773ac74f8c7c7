#include "executions/executions.hpp"

#include "async/attempt.hpp"
#include "async/backoff.hpp"
#include "async/deadline.hpp"
#include "base/log.hpp"
#include "executions/live.hpp"
#include "executions/packing.hpp"
#include "executions/webhooks.hpp"

#include <utility>

#include <fmt/format.h>

namespace gantry::executions {
namespace {

constexpr std::string_view on_request = "cancelled on request";

}  // namespace

Executions::Executions(async::Executor executor, storage::Database& database,
                       sandbox::Executor& sandbox, async::Workers& workers, Settings settings)
    : executor_{executor},
      database_{database},
      sandbox_{sandbox},
      settings_{std::move(settings)},
      files_{settings_.folder, workers},
      workspaces_{settings_.workspaces, workers},
      admission_{{.all = {settings_.running_max, settings_.queued_max},
                  .user = settings_.user,
                  .token = settings_.token,
                  .queued_bytes_max = settings_.queued_bytes_max}},
      changed_{executor},
      tasks_{executor},
      housekeeping_{executor} {}

Executions::~Executions() = default;

async::task<void> Executions::close(Milliseconds grace) {
  closing_ = true;
  // What is on its way to the disk has been promised a verdict, too.
  while (entering_ > 0) co_await changed_.wait();
  auto known = live_;
  for (const auto& [id, live] : known) {
    if (live->place == Live::Place::queued && live->on_disk) {
      park(*live);
    } else {
      live->stop.stop();  // what has been chosen and has not begun, `serve` puts back
    }
  }
  auto ended =
      co_await async::attempt(async::with_deadline(grace, "ending the executions", tasks_.join()));
  if (!ended) log::warn("{}", ended.error().sentence());
  co_await tasks_.close();
  co_await housekeeping_.close();
}

void Executions::pump() {
  while (!closing_) {
    auto ticket = admission_.next();
    if (!ticket) return;
    auto live = live_.at(ticket->id);
    live->place = Live::Place::running;
    begin(std::move(live));
  }
}

void Executions::begin(LivePointer live) {
  auto name = "execution " + live->record.id.text();
  live->began = steady_now();
  tasks_.spawn(std::move(name), serve(std::move(live)));
}

/// It runs after the next start of the server; whoever waits for it here waits no longer.
void Executions::park(Live& live) {
  if (live.place == Live::Place::queued) admission_.leave(live.ticket);
  if (live.place == Live::Place::running) admission_.ended(live.ticket, Microseconds{0});
  live.place = Live::Place::outside;
  live.parked = true;
  live.workspace.reset();
  live.changed.notify();
  live_.erase(live.record.id);
  changed_.notify();
}

/// From here on a crash must not run it a second time. While the disk is full, it waits here.
async::task<void> Executions::claim(Live& live) {
  async::Backoff backoff{Milliseconds{100}, Milliseconds{5'000}};
  while (live.on_disk && !live.stop.stopped()) {
    auto claimed = co_await async::attempt(store::claim(database_, {live.record.id}));
    live.on_disk = !claimed;
    if (claimed) co_return;
    log::error("cannot begin execution '{}': {}", live.record.id.text(),
               claimed.error().sentence());
    co_await async::race(backoff.pause(), live.stop.wait());
  }
}

/// Whether it is on disk, to be run after the next start.
async::task<bool> Executions::put_back(Live& live) {
  if (!live.on_disk && live.row == Live::Row::written) {
    auto back = co_await async::attempt(
        store::put_back(database_, live.record.id, pack(live.submission, live.ticket.caller)));
    live.on_disk = back.has_value();
  }
  co_return live.on_disk;
}

async::task<void> Executions::serve(LivePointer live) {
  co_await claim(*live);
  if (closing_ && !live->cancelled && co_await put_back(*live)) {
    park(*live);
    co_return;
  }
  auto outcome = co_await async::attempt(run(live));
  if (!outcome) {
    outcome = sandbox::Outcome{{.verdict = sandbox::Verdict::infrastructure_error,
                                .message = outcome.error().sentence(),
                                .error_code = outcome.error().code}};
  }
  auto next = leave_place(*live);
  co_await finish(live, std::move(*outcome), next);
  pump();
}

/// Makes room, and answers who has it now: their claim is written together with this verdict.
Executions::LivePointer Executions::leave_place(Live& live) {
  if (live.place != Live::Place::running) return nullptr;
  live.place = Live::Place::outside;
  admission_.ended(live.ticket,
                   std::chrono::duration_cast<Microseconds>(steady_now() - live.began));
  if (closing_) return nullptr;
  auto ticket = admission_.next();
  if (!ticket) return nullptr;
  auto next = live_.at(ticket->id);
  next->place = Live::Place::running;
  return next;
}

sandbox::Execution Executions::execution_of(Live& live) {
  return {.id = live.record.id,
          .program = std::move(live.submission.program),
          .policy = std::move(live.submission.policy),
          .executor = live.submission.executor,
          .logins = live.ticket.caller.logins,
          .keyboard = live.keyboard,
          .terminal = live.submission.terminal};
}

async::task<sandbox::Outcome> Executions::run(LivePointer live) {
  sandbox::Outcome outcome;
  auto winner = async::Winner::second;
  if (!live->stop.stopped()) {
    set_state(*live, State::preparing);
    winner = co_await async::race(execute_into(live, outcome), live->stop.wait());
  }
  if (winner == async::Winner::first) co_await keep_workspace(*live, outcome);
  live->workspace.reset();
  if (winner == async::Winner::second) {
    outcome = {{.verdict = sandbox::Verdict::cancelled,
                .message = std::string{live->cancelled ? on_request : "the server was stopped"}}};
    outcome.served_image = live->served_image;
    if (auto started = live->record.started_at) {
      outcome.wall_time = settings_.clock.now() - *started;
    }
  }
  co_return outcome;
}

sandbox::Observer Executions::observer_of(LivePointer live) {
  return {
      .progress =
          [live](std::string text) {
            if (++live->progress_lines > Live::progress_max) return;
            live->add({.kind = Happening::Kind::progress, .text = std::move(text)});
          },
      .serving = [live](std::string image) { live->served_image = std::move(image); },
      .started =
          [this, live](sandbox::Stage stage) {
            live->stage = stage;
            if (!live->record.started_at) live->record.started_at = settings_.clock.now();
            set_state(*live, State::running);
          },
      .output = [live](sandbox::OutputStream stream,
                       std::string_view bytes) { live->add_output(stream, bytes); },
  };
}

void Executions::set_state(Live& live, State state) {
  live.record.state = state;
  live.add({.kind = Happening::Kind::state, .state = state, .channel = {.stage = live.stage}});
  ++version_;
  changed_.notify();
}

async::task<Page> Executions::list(Listing listing, Reach reach) {
  auto page = co_await store::list(database_, std::move(listing), std::move(reach));
  // What is on disk of a running one is how it began: the rest is known here.
  for (auto& record : page.items) {
    auto live = live_.find(record.id);
    if (live == live_.end()) continue;
    record.state = live->second->record.state;
    record.started_at = live->second->record.started_at;
  }
  co_return page;
}

async::task<Result<>> Executions::cancel(ExecutionId id, Reach reach) {
  if (auto found = live_.find(id); found != live_.end()) {
    auto live = found->second;
    if (!reach.covers(live->record)) co_return fail(no_such_execution(id));
    live->cancelled = true;
    live->stop.stop();
    // One that waits needs no free place to be told its verdict.
    if (live->place == Live::Place::queued && admission_.leave(live->ticket)) {
      live->place = Live::Place::outside;
      begin(std::move(live));
    }
    co_return ok;
  }
  auto stored = co_await store::find(database_, id);
  if (!stored || !reach.covers(stored->first)) co_return fail(no_such_execution(id));
  auto& record = stored->first;
  // What was parked for the next start is not to run then.
  bool parked =
      co_await store::cancel_waiting(database_, id, std::string{on_request}, settings_.clock.now());
  if (!parked) {
    co_return fail(ErrorKind::conflict, "already_finished",
                   fmt::format("cannot cancel execution '{}': it has ended", id.text()));
  }
  record.state = State::finished;
  record.outcome = {{.verdict = sandbox::Verdict::cancelled, .message = std::string{on_request}}};
  ++counters_.ended[sandbox::Verdict::cancelled];
  if (settings_.webhooks != nullptr && !record.webhook.empty()) {
    settings_.webhooks->tell(without_output(record));
  }
  co_return ok;
}

std::shared_ptr<sandbox::Keyboard> Executions::keyboard(const ExecutionId& id,
                                                        const Reach& reach) const {
  auto live = live_.find(id);
  bool theirs = live != live_.end() && reach.covers(live->second->record);
  return theirs ? live->second->keyboard : nullptr;
}

Result<> Executions::check_webhook(std::string_view url) const {
  if (settings_.webhooks != nullptr) return settings_.webhooks->check(url);
  return fail(ErrorKind::invalid, "invalid_webhook", "cannot use the webhook: there are none here");
}

Counters Executions::counters() const {
  auto counters = counters_;
  counters.running = admission_.running();
  counters.queued = admission_.queued();
  return counters;
}

std::vector<Record> Executions::unfinished(const Reach& reach) const {
  std::vector<Record> records;
  for (const auto& [id, live] : live_) {
    if (reach.covers(live->record)) records.push_back(without_output(live->record));
  }
  return records;
}

}  // namespace gantry::executions
