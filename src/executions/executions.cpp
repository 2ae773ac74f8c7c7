#include "executions/executions.hpp"

#include "async/attempt.hpp"
#include "async/backoff.hpp"
#include "async/deadline.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "executions/live.hpp"
#include "executions/webhooks.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace gantry::executions {
namespace {

constexpr Milliseconds retain_pause{10 * 60'000};
// What a stream may hold in its row; a longer one is a file.
constexpr std::size_t row_max = 64U << 10U;

struct StreamFile {
  std::string Record::* bytes;
  unsigned bit;
  std::string_view name;
};
constexpr std::array stream_files{
    StreamFile{&Record::output, store::output_in_file, "stdout"},
    StreamFile{&Record::errors, store::errors_in_file, "stderr"},
    StreamFile{&Record::compile_output, store::compile_output_in_file, "compile-stdout"},
    StreamFile{&Record::compile_errors, store::compile_errors_in_file, "compile-stderr"}};

std::string artifact_file(std::size_t index) { return fmt::format("artifact-{}", index); }

std::vector<ArtifactItem> items_of(const std::vector<sandbox::Artifact>& artifacts) {
  std::vector<ArtifactItem> items;
  for (const auto& artifact : artifacts) {
    auto path = text::valid_utf8(artifact.path) ? artifact.path : text::one_line(artifact.path);
    items.push_back({.path = std::move(path), .size = artifact.content.size()});
  }
  return items;
}

}  // namespace

Executions::Executions(async::Executor executor, storage::Database& database,
                       sandbox::Executor& sandbox, async::Workers& workers, Settings settings)
    : executor_{executor},
      database_{database},
      sandbox_{sandbox},
      settings_{std::move(settings)},
      files_{settings_.folder, workers},
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
      live->stop.stop();
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
  live.changed.notify();
  live_.erase(live.record.id);
  changed_.notify();
}

async::task<void> Executions::serve(LivePointer live) {
  if (closing_ && live->on_disk && !live->stop.stopped()) {
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
  if (next) begin(next);
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

namespace {

async::task<void> execute_into(sandbox::Executor& sandbox, sandbox::Execution execution,
                               sandbox::Observer observer, sandbox::Outcome& outcome) {
  outcome = co_await sandbox.execute(std::move(execution), std::move(observer));
}

}  // namespace

sandbox::Execution Executions::execution_of(Live& live) {
  return {.id = live.record.id,
          .program = std::move(live.submission.program),
          .policy = std::move(live.submission.policy),
          .executor = live.submission.executor,
          .keyboard = live.keyboard,
          .terminal = live.submission.terminal};
}

async::task<sandbox::Outcome> Executions::run(LivePointer live) {
  sandbox::Outcome outcome;
  auto winner = async::Winner::second;
  if (!live->stop.stopped()) {
    // A crash from here on must not run it a second time.
    if (live->on_disk) co_await store::claim(database_, {live->record.id});
    live->on_disk = false;
    set_state(*live, State::preparing);
    winner = co_await async::race(
        execute_into(sandbox_, execution_of(*live), observer_of(live), outcome), live->stop.wait());
  }
  if (winner == async::Winner::second) {
    outcome = {{.verdict = sandbox::Verdict::cancelled,
                .message = closing_ ? "the server was stopped" : "cancelled on request"}};
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

async::task<void> Executions::finish(LivePointer live, sandbox::Outcome outcome, LivePointer next) {
  auto record = live->record;
  record.finished_at = settings_.clock.now();
  auto artifacts = std::exchange(outcome.artifacts, {});
  record.artifacts = items_of(artifacts);
  record.outcome = std::move(outcome);
  record.state = State::finished;
  if (live->keyboard) live->keyboard->close();
  std::vector<ExecutionId> claimed;
  if (live->on_disk) claimed.push_back(record.id);
  if (next && next->on_disk) claimed.push_back(next->record.id);
  // The verdict is told only once it is on disk: nobody may see it come and then go.
  if (co_await stored(record, std::move(artifacts), std::move(claimed))) {
    if (next) next->on_disk = false;
    if (settings_.webhooks != nullptr && !record.webhook.empty()) {
      settings_.webhooks->tell(without_output(record));
    }
  } else {
    record.outcome = {{.verdict = sandbox::Verdict::infrastructure_error,
                       .message = "the server was stopped and could not store the verdict",
                       .error_code = "server_stopped"}};
  }
  live->record = std::move(record);
  ++counters_.ended[live->record.outcome->verdict];
  counters_.wall_time += live->record.outcome->wall_time;
  live_.erase(live->record.id);
  live->add({.kind = Happening::Kind::verdict});
  ++version_;
  changed_.notify();
}

async::task<bool> Executions::stored(Record& record, std::vector<sandbox::Artifact> artifacts,
                                     std::vector<ExecutionId> claimed) {
  async::Backoff backoff{Milliseconds{100}, Milliseconds{5'000}};
  for (;;) {
    auto written = co_await async::attempt(write(record, artifacts, claimed));
    if (written) co_return true;
    log::error("cannot store the verdict of execution '{}': {}", record.id.text(),
               written.error().sentence());
    if (closing_) co_return false;
    co_await backoff.pause();
  }
}

async::task<void> Executions::write(const Record& record,
                                    const std::vector<sandbox::Artifact>& artifacts,
                                    std::vector<ExecutionId> claimed) {
  Files::Items items;
  unsigned in_files = 0;
  for (const auto& [bytes, bit, name] : stream_files) {
    if ((record.*bytes).size() <= row_max) continue;
    in_files |= bit;
    items.emplace_back(name, record.*bytes);
  }
  for (std::size_t i = 0; i < artifacts.size(); ++i) {
    in_files |= store::artifacts_in_files;
    items.emplace_back(artifact_file(i), artifacts[i].content);
  }
  if (!items.empty()) co_await files_.write(record.id, std::move(items));
  co_await store::finish(database_, record, in_files, std::move(claimed));
}

void Executions::set_state(Live& live, State state) {
  live.record.state = state;
  live.add({.kind = Happening::Kind::state, .state = state, .channel = {.stage = live.stage}});
  ++version_;
  changed_.notify();
}

async::task<Result<Record>> Executions::find(ExecutionId id) {
  if (auto live = live_.find(id); live != live_.end()) co_return live->second->record;
  auto stored = co_await store::find(database_, id);
  if (!stored) {
    co_return fail(ErrorKind::not_found, "no_such_execution",
                   fmt::format("cannot find execution '{}'", id.text()),
                   "the oldest executions are deleted; GET /api/v1/executions lists the others");
  }
  auto& [record, in_files] = *stored;
  for (const auto& [bytes, bit, name] : stream_files) {
    if ((in_files & bit) != 0) record.*bytes = co_await files_.read(id, std::string{name});
  }
  co_return std::move(record);
}

async::task<Result<std::string>> Executions::artifact(ExecutionId id, std::size_t index) {
  auto stored = co_await store::find(database_, id);
  if (!stored || index >= stored->first.artifacts.size()) {
    co_return fail(ErrorKind::not_found, "no_such_artifact",
                   fmt::format("cannot find artifact {} of execution '{}'", index, id.text()),
                   "GET /api/v1/executions/{id}/artifacts lists them");
  }
  co_return co_await files_.read(id, artifact_file(index));
}

async::task<Result<Page>> Executions::list(int limit, std::string cursor, std::string batch) {
  auto page = co_await store::list(database_, limit, std::move(cursor), std::move(batch));
  // What is on disk of a running one is how it began: the rest is known here.
  for (auto& record : page.items) {
    auto live = live_.find(record.id);
    if (live == live_.end()) continue;
    record.state = live->second->record.state;
    record.started_at = live->second->record.started_at;
  }
  co_return page;
}

async::task<Result<>> Executions::cancel(ExecutionId id) {
  if (auto found = live_.find(id); found != live_.end()) {
    auto live = found->second;
    live->stop.stop();
    // One that waits needs no free place to be told its verdict.
    if (live->place == Live::Place::queued && admission_.leave(live->ticket)) {
      live->place = Live::Place::outside;
      begin(std::move(live));
    }
    co_return ok;
  }
  auto stored = co_await find(id);
  if (!stored) co_return fail(stored.error());
  co_return fail(ErrorKind::conflict, "already_finished",
                 fmt::format("cannot cancel execution '{}': it has ended", id.text()));
}

std::shared_ptr<sandbox::Keyboard> Executions::keyboard(const ExecutionId& id) const {
  auto live = live_.find(id);
  return live == live_.end() ? nullptr : live->second->keyboard;
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

std::vector<Record> Executions::unfinished() const {
  std::vector<Record> records;
  for (const auto& [id, live] : live_) {
    records.push_back(without_output(live->record));
  }
  return records;
}

async::task<void> Executions::retain() {
  auto gone = co_await store::retain(database_, settings_.kept, settings_.clock.now());
  co_await files_.remove(std::move(gone));
}

async::task<void> Executions::keep_house() {
  for (;;) {
    auto kept = co_await async::attempt(retain());
    if (!kept) log::warn("cannot delete old executions: {}", kept.error().sentence());
    co_await async::pause(retain_pause);
  }
}

}  // namespace gantry::executions
