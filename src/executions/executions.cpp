#include "executions/executions.hpp"

#include "async/attempt.hpp"
#include "async/backoff.hpp"
#include "async/deadline.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "executions/execution_store.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace gantry::executions {
namespace {

// What is kept: the newest, by number and by what their programs wrote.
constexpr std::int64_t kept_max = 10'000;
constexpr Bytes kept_bytes_max{1U << 30U};
constexpr std::uint64_t retain_every = 64;
// Progress lines of one execution that are kept for followers who come later.
constexpr std::size_t progress_max = 256;
// Changes between the two outputs that are told in their order; after that many, one after the
// other. A program that writes a byte here and a byte there must not cost us an entry for each.
constexpr std::size_t entries_max = 4'096;
constexpr std::array both_streams{sandbox::OutputStream::standard_output,
                                  sandbox::OutputStream::standard_error};

/// What a waiting program holds in memory.
Bytes weight_of(const sandbox::Program& program) {
  Bytes sum{program.input.size()};
  for (const auto& file : program.files) sum.count += file.content.size();
  return sum;
}

}  // namespace

/// An execution that has no verdict yet, or whose followers have not read it.
struct Executions::Live {
  /// One thing that happened. Output is not held here: an entry says up to where the record's own
  /// bytes had come, and grows while nothing else happens.
  struct Entry {
    Happening::Kind kind;
    std::string text;
    State state = State::queued;
    sandbox::OutputStream stream{};
    Lengths lengths{};
  };

  Live(const async::Executor& executor, sandbox::Execution wanted, Record known)
      : execution{std::move(wanted)}, record{std::move(known)}, stop{executor}, changed{executor} {}

  sandbox::Execution execution;
  Record record;
  std::vector<Entry> entries;
  std::size_t progress_lines = 0;
  std::string served_image;
  Bytes weight;
  async::StopSignal stop;
  async::Event changed;

  std::string& kept(sandbox::OutputStream stream) {
    return stream == sandbox::OutputStream::standard_output ? record.output : record.errors;
  }
  void add(Entry entry) {
    entries.push_back(std::move(entry));
    changed.notify();
  }
  void add_output(sandbox::OutputStream stream, std::string_view bytes) {
    kept(stream).append(bytes);
    bool grows = !entries.empty() && entries.back().kind == Happening::Kind::output &&
                 (entries.back().stream == stream || entries.size() >= entries_max);
    if (grows) {
      changed.notify();
    } else {
      add({.kind = Happening::Kind::output, .stream = stream});
    }
    entries.back().lengths = {record.output.size(), record.errors.size()};
  }
};

Executions::Executions(async::Executor executor, storage::Database& database,
                       sandbox::Executor& sandbox, Settings settings)
    : executor_{executor},
      database_{database},
      sandbox_{sandbox},
      settings_{std::move(settings)},
      changed_{executor},
      tasks_{executor} {}

Executions::~Executions() = default;

async::task<void> Executions::start() {
  co_await store::migrate(database_);
  auto ended = co_await store::end_unfinished(database_, settings_.clock.now(),
                                              "the server stopped before the program had ended");
  if (ended > 0) log::warn("{} executions were cut off by the server's last stop", ended);
}

async::task<void> Executions::close(Milliseconds grace) {
  closing_ = true;
  // What is on its way to the disk has been promised a verdict, too.
  while (admitting_ > 0) co_await changed_.wait();
  for (const auto& [id, live] : live_) live->stop.stop();
  auto ended =
      co_await async::attempt(async::with_deadline(grace, "ending the executions", tasks_.join()));
  if (!ended) log::warn("{}", ended.error().sentence());
  co_await tasks_.close();
}

async::task<Result<Record>> Executions::submit(std::string owner, sandbox::Program program,
                                               sandbox::Policy policy) {
  if (closing_) {
    co_return fail(ErrorKind::unavailable, "server_stopping",
                   "cannot take the program: the server is being stopped", "try again later");
  }
  auto waiting = queue_.size() + admitting_;
  if (waiting >= settings_.queued_max) {
    co_return fail(ErrorKind::exhausted, "queue_full",
                   fmt::format("cannot take the program: {} programs are waiting already", waiting),
                   "try again in a second");
  }
  auto weight = weight_of(program);
  if (waiting_bytes_ + weight > settings_.queued_bytes_max) {
    co_return fail(ErrorKind::exhausted, "queue_full",
                   fmt::format("cannot take the program: those that wait hold {} bytes already",
                               waiting_bytes_.count),
                   "try again in a second");
  }
  Admission admission{*this};
  Record record;
  record.created_at = settings_.clock.now();
  record.id = ExecutionId{random::sortable_id(record.created_at.time_since_epoch().count())};
  record.owner = std::move(owner);
  record.language = program.language;
  record.image = program.image;
  record.command = program.command;
  record.source = sandbox::entry_content(program);
  co_await store::insert(database_, record);

  sandbox::Execution execution{record.id, std::move(program), policy};
  auto live = std::make_shared<Live>(executor_, std::move(execution), record);
  live->weight = weight;
  waiting_bytes_ = waiting_bytes_ + weight;
  live_.emplace(record.id, live);
  queue_.push_back(live);
  if (++counters_.submitted % retain_every == 0) {
    tasks_.spawn("retention", store::retain(database_, kept_max, kept_bytes_max));
  }
  ++version_;
  changed_.notify();
  pump();
  co_return record;
}

void Executions::pump() {
  while (running_ < settings_.running_max && !queue_.empty()) {
    auto live = std::move(queue_.front());
    queue_.pop_front();
    begin(std::move(live));
  }
}

void Executions::begin(std::shared_ptr<Live> live) {
  auto name = "execution " + live->record.id.text();
  ++running_;
  waiting_bytes_.count -= live->weight.count;
  tasks_.spawn(std::move(name), serve(std::move(live)));
}

async::task<void> Executions::serve(std::shared_ptr<Live> live) {
  auto outcome = co_await async::attempt(run(live));
  if (!outcome) {
    outcome = sandbox::Outcome{
        {.verdict = sandbox::Verdict::infrastructure_error, .message = outcome.error().sentence()}};
  }
  co_await finish(live, std::move(*outcome));
  --running_;
  pump();
}

namespace {

async::task<void> execute_into(sandbox::Executor& sandbox, sandbox::Execution execution,
                               sandbox::Observer observer, sandbox::Outcome& outcome) {
  outcome = co_await sandbox.execute(std::move(execution), std::move(observer));
}

}  // namespace

async::task<sandbox::Outcome> Executions::run(std::shared_ptr<Live> live) {
  sandbox::Outcome outcome;
  auto winner = async::Winner::second;
  if (!live->stop.stopped()) {
    set_state(*live, State::preparing);
    winner = co_await async::race(
        execute_into(sandbox_, std::move(live->execution), observer_of(live), outcome),
        live->stop.wait());
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

sandbox::Observer Executions::observer_of(std::shared_ptr<Live> live) {
  return {
      .progress =
          [live](std::string text) {
            if (++live->progress_lines > progress_max) return;
            live->add({.kind = Happening::Kind::progress, .text = std::move(text)});
          },
      .serving = [live](std::string image) { live->served_image = std::move(image); },
      .started =
          [this, live](sandbox::Stage) {
            live->record.started_at = settings_.clock.now();
            set_state(*live, State::running);
          },
      .output = [live](sandbox::OutputStream stream,
                       std::string_view bytes) { live->add_output(stream, bytes); },
  };
}

async::task<void> Executions::finish(std::shared_ptr<Live> live, sandbox::Outcome outcome) {
  auto record = live->record;
  record.finished_at = settings_.clock.now();
  record.outcome = std::move(outcome);
  record.state = State::finished;
  // The verdict is told only once it is on disk: nobody may see it come and then go.
  if (!co_await stored(record)) {
    record.outcome = {{.verdict = sandbox::Verdict::infrastructure_error,
                       .message = "the server was stopped and could not store the verdict"}};
  }
  live->record = std::move(record);
  ++counters_.ended[live->record.outcome->verdict];
  counters_.wall_time += live->record.outcome->wall_time;
  live_.erase(live->record.id);
  live->add({.kind = Happening::Kind::verdict});
  ++version_;
  changed_.notify();
}

async::task<bool> Executions::stored(const Record& record) {
  async::Backoff backoff{Milliseconds{100}, Milliseconds{5'000}};
  for (;;) {
    auto written = co_await async::attempt(store::finish(database_, record));
    if (written) co_return true;
    log::error("cannot store the verdict of execution '{}': {}", record.id.text(),
               written.error().sentence());
    if (closing_) co_return false;
    co_await backoff.pause();
  }
}

void Executions::set_state(Live& live, State state) {
  live.record.state = state;
  live.add({.kind = Happening::Kind::state, .state = state});
  ++version_;
  changed_.notify();
}

async::task<Result<Record>> Executions::find(ExecutionId id) {
  if (auto live = live_.find(id); live != live_.end()) co_return live->second->record;
  auto stored = co_await store::find(database_, id);
  if (stored) co_return std::move(*stored);
  co_return fail(ErrorKind::not_found, "no_such_execution",
                 fmt::format("cannot find execution '{}'", id.text()),
                 "the oldest executions are deleted; GET /api/v1/executions lists the others");
}

async::task<Result<Record>> Executions::wait(ExecutionId id) {
  auto follower = co_await follow(std::move(id));
  if (!follower) co_return fail(follower.error());
  while (co_await follower->next()) {
  }
  co_return follower->record();
}

async::task<Result<Executions::Follower>> Executions::follow(ExecutionId id) {
  if (auto live = live_.find(id); live != live_.end()) co_return Follower{live->second};
  auto stored = co_await find(id);
  if (!stored) co_return fail(stored.error());
  // A finished execution is told again from its record.
  auto live = std::make_shared<Live>(executor_, sandbox::Execution{}, std::move(*stored));
  live->add({.kind = Happening::Kind::output,
             .lengths = {live->record.output.size(), live->record.errors.size()}});
  live->add({.kind = Happening::Kind::verdict});
  co_return Follower{std::move(live)};
}

async::task<std::optional<Happening>> Executions::Follower::next() {
  for (;;) {
    if (at_ < live_->entries.size()) {
      const auto& entry = live_->entries[at_];
      if (entry.kind != Happening::Kind::output) {
        ++at_;
        co_return Happening{.kind = entry.kind, .text = entry.text, .state = entry.state};
      }
      for (auto stream : both_streams) {
        auto index = static_cast<std::size_t>(stream);
        if (read_[index] >= entry.lengths[index]) continue;
        auto from = std::exchange(read_[index], entry.lengths[index]);
        co_return Happening{.kind = entry.kind,
                            .stream = stream,
                            .bytes = live_->kept(stream).substr(from, read_[index] - from)};
      }
      if (at_ + 1 < live_->entries.size()) {
        ++at_;
        continue;
      }
    } else if (at_ > 0 && live_->entries.back().kind == Happening::Kind::verdict) {
      co_return std::nullopt;
    }
    co_await live_->changed.wait();
  }
}

const Record& Executions::Follower::record() const { return live_->record; }

async::task<Result<Page>> Executions::list(int limit, std::string cursor) {
  auto page = co_await store::list(database_, limit, std::move(cursor));
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
  if (auto live = live_.find(id);
      live != live_.end() && live->second->record.state != State::finished) {
    live->second->stop.stop();
    // One that waits needs no free place to be told its verdict.
    if (auto waiting = std::ranges::find(queue_, live->second); waiting != queue_.end()) {
      auto stopped = *waiting;
      queue_.erase(waiting);
      begin(std::move(stopped));
    }
    co_return ok;
  }
  auto stored = co_await find(id);
  if (!stored) co_return fail(stored.error());
  co_return fail(ErrorKind::conflict, "already_finished",
                 fmt::format("cannot cancel execution '{}': it has ended", id.text()));
}

Counters Executions::counters() const {
  auto counters = counters_;
  counters.running = running_;
  counters.queued = queue_.size();
  return counters;
}

std::vector<Record> Executions::unfinished() const {
  std::vector<Record> records;
  for (const auto& [id, live] : live_) {
    records.push_back(without_output(live->record));
  }
  return records;
}

}  // namespace gantry::executions
