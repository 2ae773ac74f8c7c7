#include "fleet/recordings.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/log.hpp"
#include "base/random.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::fleet {
namespace fs = std::filesystem;
namespace {

using async::Descriptor;

constexpr Milliseconds between_prunes{3'600'000};
/// A piece holds one reading of a terminal, which is far below.
constexpr std::uint32_t piece_max = 8U << 20U;

std::string context_of(const RecordingId& id, std::uint64_t piece) {
  return fmt::format("recording {} {}", id.text(), piece);
}

std::unexpected<Error> not_written(const fs::path& path) {
  auto cause = errno;
  bool full = cause == ENOSPC || cause == EDQUOT;
  return fail(full ? ErrorKind::exhausted : ErrorKind::unavailable,
              full ? "disk_full" : "data_dir_not_writable",
              fmt::format("cannot write '{}': {}", path.string(), std::strerror(cause)),
              full ? "free some space" : "check the folder's owner");
}

std::string framed(std::string_view sealed) {
  auto size = static_cast<std::uint32_t>(sealed.size());
  std::string out;
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out += static_cast<char>((size >> shift) & 0xFFU);
  }
  return out += sealed;
}

Result<> write_all(const Descriptor& file, const fs::path& path, std::string_view bytes) {
  while (!bytes.empty()) {
    auto count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return not_written(path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return ok;
}

/// So many bytes, or nothing when the file ends before.
std::optional<std::string> read_exactly(const Descriptor& file, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size;) {
    auto count = ::read(file.get(), bytes.data() + at, size - at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    at += static_cast<std::size_t>(count);
  }
  return bytes;
}

Error no_such_recording(const RecordingId& id) {
  return {ErrorKind::not_found, "no_such_recording",
          fmt::format("cannot find recording '{}'", id.text()),
          "list the recordings: it may have been removed"};
}

}  // namespace

Recorder::Recorder(Recordings& recordings, Recording recording, Descriptor file)
    : recordings_{&recordings}, recording_{std::move(recording)}, file_{std::move(file)} {}

Microseconds Recorder::since_start() const {
  return std::chrono::duration_cast<Microseconds>(steady_now() - started_);
}

async::task<Result<>> Recorder::write(std::string text) {
  if (text.empty()) co_return ok;
  const auto& settings = recordings_->settings_;
  if (recording_.bytes.count + text.size() > settings.one_max.count) {
    co_return fail(ErrorKind::too_large, "recording_full",
                   fmt::format("cannot record more of terminal '{}': it has written {} bytes",
                               recording_.terminal, recording_.bytes.count),
                   "open another terminal");
  }
  auto written = co_await recordings_->workers_.run([&]() -> Result<> {
    auto context = context_of(recording_.id, pieces_);
    return write_all(file_, recordings_->path(recording_.id),
                     framed(recordings_->sealer_.seal(text, context)));
  });
  if (!written) co_return written;
  ++pieces_;
  recording_.bytes = recording_.bytes + Bytes{text.size()};
  co_return ok;
}

async::task<Result<>> Recorder::output(std::string bytes) {
  auto text = std::exchange(size_line_, {});
  text += text_.output(since_start(), bytes);
  co_return co_await write(std::move(text));
}

void Recorder::resized(engine::TerminalSize size) {
  size_line_ = text_.resized(since_start(), size);
}

async::task<void> Recorder::finish(std::string state) {
  auto rest = co_await async::attempt(write(size_line_ + text_.end(since_start())));
  if (!rest) log::warn("{}", rest.error().sentence());
  file_.close();
  auto row = [&](storage::Transaction& transaction) {
    recordings_store::finish(transaction, recording_.id, recordings_->settings_.clock.now(),
                             recording_.bytes, state);
  };
  co_await storage::transact(recordings_->database_, row);
  co_await recordings_->prune();
}

std::string RecordingReader::read_piece() {
  auto head = read_exactly(file_, 4);
  if (!head) return {};
  std::uint32_t size = 0;
  for (std::size_t i = 4; i-- > 0;) size = size << 8U | static_cast<unsigned char>((*head)[i]);
  auto sealed = size <= piece_max ? read_exactly(file_, size) : std::string{};
  // The end of the disk, or of the server, may have cut the last one.
  if (!sealed) return {};
  auto text = recordings_->sealer_.open(*sealed, context_of(id_, pieces_));
  if (!text) {
    throw Failure{{ErrorKind::internal, "recording_broken",
                   fmt::format("cannot read piece {} of recording '{}': it is not what was written",
                               pieces_, id_.text()),
                   "bring back the file, and the key that it was written with"}};
  }
  ++pieces_;
  return std::string{text->reveal()};
}

async::task<std::string> RecordingReader::next() {
  co_return co_await recordings_->workers_.run([&] { return read_piece(); });
}

Recordings::Recordings(storage::Database& database, async::Workers& workers, Sealer sealer,
                       Settings settings)
    : database_{database},
      workers_{workers},
      sealer_{std::move(sealer)},
      settings_{std::move(settings)} {}

fs::path Recordings::path(const RecordingId& id) const {
  return settings_.folder / fmt::format("{}.sealed", id.text());
}

async::task<void> Recordings::start() {
  co_await recordings_store::migrate(database_);
  auto known = co_await storage::transact(database_, [](storage::Transaction& transaction) {
    recordings_store::interrupt(transaction);
    return recordings_store::ids(transaction);
  });
  co_await workers_.run([&] {
    std::set<fs::path> expected;
    for (const auto& id : known) expected.insert(path(id));
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator{settings_.folder, failed}) {
      std::error_code ignored;
      if (!expected.contains(entry.path())) fs::remove(entry.path(), ignored);
    }
  });
  co_await prune();
}

async::task<void> Recordings::maintain() {
  for (;;) {
    co_await async::pause(between_prunes);
    auto pruned = co_await async::attempt(prune());
    if (!pruned) log::warn("cannot remove old recordings: {}", pruned.error().sentence());
  }
}

async::task<void> Recordings::prune() {
  auto oldest = settings_.clock.now() - settings_.kept;
  auto gone = co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    auto ids = recordings_store::superfluous(transaction, oldest, settings_.all_max);
    for (const auto& id : ids) recordings_store::remove(transaction, id);
    return ids;
  });
  co_await remove_files(std::move(gone));
}

async::task<void> Recordings::remove_files(std::vector<RecordingId> ids) {
  if (ids.empty()) co_return;
  co_await workers_.run([&] {
    for (const auto& id : ids) {
      std::error_code failed;
      fs::remove(path(id), failed);
      if (failed) log::warn("cannot remove the file of recording '{}'", id.text());
    }
  });
}

async::task<Result<Recorder>> Recordings::begin(Recording wanted) {
  wanted.started_at = settings_.clock.now();
  wanted.id = RecordingId{random::sortable_id(wanted.started_at.time_since_epoch().count())};
  wanted.state = "running";
  auto file = co_await workers_.run([&]() -> Result<Descriptor> {
    auto& folder = settings_.folder;
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return not_written(folder);
    auto name = path(wanted.id);
    Descriptor made{::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!made) return not_written(name);
    return made;
  });
  if (!file) co_return fail(std::move(file.error()));
  co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    recordings_store::add(transaction, wanted);
  });
  RecordingHeader header{.size = wanted.size,
                         .started_at = wanted.started_at,
                         .title = fmt::format("{} on {}", wanted.container, wanted.host),
                         .shell = wanted.shell};
  Recorder recorder{*this, std::move(wanted), std::move(*file)};
  auto written = co_await recorder.write(RecordingText::header(header));
  if (!written) {
    co_await recorder.finish("recording_failed");
    co_return fail(std::move(written.error()));
  }
  co_return recorder;
}

async::task<std::vector<Recording>> Recordings::list(int limit, std::string before,
                                                     std::string host) {
  co_return co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    return recordings_store::list(transaction, limit, before, host);
  });
}

async::task<std::optional<Recording>> Recordings::find(RecordingId id) {
  co_return co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    return recordings_store::find(transaction, id);
  });
}

async::task<Result<RecordingReader>> Recordings::open(RecordingId id) {
  if (!co_await find(id)) co_return fail(no_such_recording(id));
  auto file = co_await workers_.run(
      [&] { return Descriptor{::open(path(id).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)}; });
  if (!file) co_return fail(no_such_recording(id));
  co_return RecordingReader{*this, std::move(id), std::move(file)};
}

async::task<Result<>> Recordings::remove(RecordingId id) {
  auto removed =
      co_await storage::transact(database_, [&](storage::Transaction& transaction) -> Result<> {
        auto known = recordings_store::find(transaction, id);
        if (!known) return fail(no_such_recording(id));
        if (known->state == "running") {
          return fail(
              ErrorKind::conflict, "recording_runs",
              fmt::format("cannot remove recording '{}': its terminal still runs", id.text()),
              "end the terminal first");
        }
        recordings_store::remove(transaction, id);
        return ok;
      });
  if (!removed) co_return removed;
  co_await remove_files({id});
  co_return ok;
}

}  // namespace gantry::fleet
