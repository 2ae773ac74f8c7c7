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

// What is kept of executions: how their verdicts come to the disk, are read, and go.
namespace gantry::executions {
namespace {

constexpr Milliseconds retain_pause{10 * 60'000};
// What a stream may hold in its row; a longer one is a file.
constexpr std::size_t row_max = 64U << 10U;
// What may be kept above the bound until old records go: a share of it.
constexpr std::uint64_t retention_share = 64;

using Truncated = bool sandbox::StageOutcome::*;

struct StreamFile {
  std::string Record::* bytes;
  unsigned bit;
  std::string_view name;
  sandbox::Stage stage;
  Truncated truncated;
};
constexpr std::array stream_files{
    StreamFile{&Record::output, store::output_in_file, "stdout", sandbox::Stage::run,
               &sandbox::StageOutcome::output_truncated},
    StreamFile{&Record::errors, store::errors_in_file, "stderr", sandbox::Stage::run,
               &sandbox::StageOutcome::errors_truncated},
    StreamFile{&Record::compile_output, store::compile_output_in_file, "compile-stdout",
               sandbox::Stage::compile, &sandbox::StageOutcome::output_truncated},
    StreamFile{&Record::compile_errors, store::compile_errors_in_file, "compile-stderr",
               sandbox::Stage::compile, &sandbox::StageOutcome::errors_truncated}};

std::string artifact_file(std::size_t index) { return fmt::format("artifact-{}", index); }

std::vector<ArtifactItem> items_of(const std::vector<sandbox::Artifact>& artifacts) {
  std::vector<ArtifactItem> items;
  for (const auto& artifact : artifacts) {
    auto path = text::valid_utf8(artifact.path) ? artifact.path : text::one_line(artifact.path);
    items.push_back({.path = std::move(path), .size = artifact.content.size()});
  }
  return items;
}

/// Cuts it to what its row holds, for when there is no room for files, and says so.
void cut_to_row(Record& record, const Error& cause) {
  auto& outcome = record.outcome.value();
  for (const auto& stream : stream_files) {
    auto& bytes = record.*stream.bytes;
    if (bytes.size() <= row_max) continue;
    bytes.resize(row_max);
    bool compiled = stream.stage == sandbox::Stage::compile && outcome.compile;
    (compiled ? *outcome.compile : outcome).*stream.truncated = true;
  }
  record.artifacts.clear();
  outcome.message += fmt::format("{}not all that it wrote could be kept: {}",
                                 outcome.message.empty() ? "" : "; ", cause.message);
}

}  // namespace

struct Executions::Ending {
  Record record;
  std::vector<sandbox::Artifact> artifacts;
  std::vector<ExecutionId> claimed;  ///< What waits no longer from the same moment on.
  store::Row row = store::Row::present;
};

async::task<void> Executions::finish(LivePointer live, sandbox::Outcome outcome, LivePointer next) {
  auto record = live->record;
  record.finished_at = settings_.clock.now();
  auto artifacts = std::exchange(outcome.artifacts, {});
  record.artifacts = items_of(artifacts);
  record.outcome = std::move(outcome);
  record.state = State::finished;
  if (live->keyboard) live->keyboard->close();
  while (live->row == Live::Row::being_written) co_await live->changed.wait();
  Ending ending{.record = std::move(record), .artifacts = std::move(artifacts)};
  ending.row = live->row == Live::Row::none ? store::Row::absent : store::Row::present;
  live->row = Live::Row::written;
  if (live->on_disk) ending.claimed.push_back(live->record.id);
  if (next && next->on_disk) ending.claimed.push_back(next->record.id);
  // The verdict is told only once it is on disk: nobody may see it come and then go.
  bool stored = co_await store_now(ending);
  if (next) {
    if (stored) next->on_disk = false;
    // Its place is its own, however long this verdict takes to be stored.
    begin(next);
    if (!stored) std::erase(ending.claimed, next->record.id);
  }
  if (!stored) {
    ++unstored_;
    stored = co_await store_later(ending);
    --unstored_;
  }
  if (!stored && live->on_disk) co_return park(*live);
  if (stored) {
    count_kept(ending.record);
    if (settings_.webhooks != nullptr && !ending.record.webhook.empty()) {
      settings_.webhooks->tell(without_output(ending.record));
    }
  } else {
    ending.record.outcome = {{.verdict = sandbox::Verdict::infrastructure_error,
                              .message = "the server was stopped and could not store the verdict",
                              .error_code = "server_stopped"}};
  }
  tell_end(*live, std::move(ending.record));
}

void Executions::tell_end(Live& live, Record record) {
  live.record = std::move(record);
  ++counters_.ended[live.record.outcome->verdict];
  counters_.wall_time += live.record.outcome->wall_time;
  live_.erase(live.record.id);
  live.add({.kind = Happening::Kind::verdict});
  ++version_;
  changed_.notify();
}

async::task<bool> Executions::store_now(Ending& ending) {
  auto written = co_await async::attempt(write(ending));
  if (written) co_return true;
  log::error("cannot store the verdict of execution '{}': {}", ending.record.id.text(),
             written.error().sentence());
  co_return false;
}

async::task<bool> Executions::store_later(Ending& ending) {
  async::Backoff backoff{Milliseconds{100}, Milliseconds{5'000}};
  while (!closing_) {
    co_await backoff.pause();
    if (co_await store_now(ending)) co_return true;
  }
  co_return false;
}

async::task<void> Executions::write(Ending& ending) {
  const auto& record = ending.record;
  Files::Items items;
  unsigned in_files = 0;
  for (const auto& stream : stream_files) {
    if ((record.*stream.bytes).size() <= row_max) continue;
    in_files |= stream.bit;
    items.emplace_back(stream.name, record.*stream.bytes);
  }
  for (std::size_t i = 0; i < ending.artifacts.size(); ++i) {
    in_files |= store::artifacts_in_files;
    items.emplace_back(artifact_file(i), ending.artifacts[i].content);
  }
  Result<> kept;
  if (!items.empty()) kept = co_await async::attempt(files_.write(record.id, std::move(items)));
  if (kept) {
    co_return co_await store::finish(database_, record, in_files, ending.claimed, ending.row);
  }
  // A verdict does not wait for room that its output needs.
  log::error("{}", kept.error().sentence());
  co_await files_.remove({record.id});
  auto cut = record;
  cut_to_row(cut, kept.error());
  co_await store::finish(database_, cut, 0, ending.claimed, ending.row);
  ending.record = std::move(cut);
}

async::task<Result<Record>> Executions::find(ExecutionId id, Reach reach) {
  if (auto live = live_.find(id); live != live_.end()) {
    if (!reach.covers(live->second->record)) co_return fail(no_such_execution(id));
    co_return live->second->record;
  }
  auto stored = co_await store::find(database_, id);
  if (!stored || !reach.covers(stored->first)) co_return fail(no_such_execution(id));
  auto& [record, in_files] = *stored;
  for (const auto& stream : stream_files) {
    if ((in_files & stream.bit) == 0) continue;
    auto bytes = co_await files_.read(id, std::string{stream.name});
    if (!bytes) co_return fail(std::move(bytes.error()));
    record.*stream.bytes = std::move(*bytes);
  }
  co_return std::move(record);
}

async::task<Result<Record>> Executions::look_up(ExecutionId id, Reach reach) {
  if (auto live = live_.find(id); live != live_.end() && reach.covers(live->second->record)) {
    co_return without_output(live->second->record);
  }
  auto stored = co_await store::find(database_, id);
  if (!stored || !reach.covers(stored->first)) co_return fail(no_such_execution(id));
  co_return without_output(stored->first);
}

async::task<Result<Executions::OpenArtifact>> Executions::artifact(ExecutionId id,
                                                                   std::size_t index, Reach reach) {
  auto stored = co_await store::find(database_, id);
  if (!stored || !reach.covers(stored->first)) co_return fail(no_such_execution(id));
  auto& artifacts = stored->first.artifacts;
  if (index >= artifacts.size()) {
    co_return fail(ErrorKind::not_found, "no_such_artifact",
                   fmt::format("cannot find artifact {} of execution '{}'", index, id.text()),
                   "GET /api/v1/executions/{id}/artifacts lists them");
  }
  auto reader = co_await files_.open(id, artifact_file(index), artifacts[index].size);
  if (!reader) co_return fail(std::move(reader.error()));
  co_return OpenArtifact{std::move(artifacts[index]), std::move(*reader)};
}

bool Executions::much_is_fresh() const {
  return fresh_bytes_ > settings_.kept.bytes_max.count / retention_share;
}

void Executions::count_kept(const Record& record) {
  fresh_bytes_ += store::size_of(record);
  if (much_is_fresh()) start_retention();
}

void Executions::start_retention() {
  if (retaining_ || closing_) return;
  retaining_ = true;
  housekeeping_.spawn("retention", retain());
}

async::task<void> Executions::remove_old() {
  auto gone = co_await store::retain(database_, settings_.kept, settings_.clock.now());
  co_await files_.remove(std::move(gone));
}

async::task<void> Executions::retain() {
  retaining_ = true;
  Result<> removed;
  do {
    fresh_bytes_ = 0;  // what comes meanwhile asks for another round
    removed = co_await async::attempt(remove_old());
  } while (removed && much_is_fresh());
  if (!removed) log::warn("cannot delete old executions: {}", removed.error().sentence());
  retaining_ = false;
}

async::task<void> Executions::keep_house() {
  for (;;) {
    if (!retaining_) co_await retain();
    co_await async::pause(retain_pause);
  }
}

}  // namespace gantry::executions
