#pragma once

#include "async/descriptor.hpp"
#include "async/task.hpp"
#include "async/workers.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/sealer.hpp"
#include "fleet/recording_text.hpp"
#include "fleet/recordings_store.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// What was shown in terminals, kept: a row for each recording, and a file that holds its text in
/// sealed pieces. A file ends with the piece that was written last; what a crash tore off is not
/// shown.
namespace gantry::fleet {

class Recordings;

/// One recording that is being written. What is not on its way to the disk is not shown either.
class Recorder {
 public:
  Recorder(Recordings& recordings, Recording recording, async::Descriptor file);

  const Recording& recording() const { return recording_; }
  /// Written when it answers. Refused: `recording_full` (too_large), `disk_full` (exhausted),
  /// `data_dir_not_writable` (unavailable).
  /// One call at a time: pieces are numbered in the order in which they are written.
  async::task<Result<>> output(std::string bytes);
  /// Written with what is shown next, or at the end; of sizes in which nothing was shown only the
  /// last is.
  void resized(engine::TerminalSize size);
  /// The last; `state` says why the terminal ended.
  async::task<void> finish(std::string state);

 private:
  friend class Recordings;

  Microseconds since_start() const;
  async::task<Result<>> write(std::string text);

  Recordings* recordings_;
  Recording recording_;
  async::Descriptor file_;
  RecordingText text_;
  std::string size_line_;  ///< Not written yet.
  SteadyTime started_ = steady_now();
  std::uint64_t pieces_ = 0;
};

/// Reads one piece by piece.
class RecordingReader {
 public:
  RecordingReader(Recordings& recordings, RecordingId id, async::Descriptor file)
      : recordings_{&recordings}, id_{std::move(id)}, file_{std::move(file)} {}

  /// The next lines; empty at the end. Throws Failure: `recording_broken` (internal), which names
  /// the piece that is not what was written.
  async::task<std::string> next();

 private:
  std::string read_piece();

  Recordings* recordings_;
  RecordingId id_;
  async::Descriptor file_;
  std::uint64_t pieces_ = 0;
};

/// All recordings. Belongs to the event loop; files are read and written on workers.
class Recordings {
 public:
  struct Settings {
    std::filesystem::path folder;
    Bytes one_max{64U << 20U};   ///< A terminal that writes more is ended.
    Bytes all_max{2ULL << 30U};  ///< Above it the oldest go.
    std::chrono::days kept{90};
    Clock clock = {};
  };

  Recordings(storage::Database& database, async::Workers& workers, Sealer sealer,
             Settings settings);

  /// Brings the table up to date, and removes the files that no row knows.
  async::task<void> start();
  /// Removes what is too old or too much, once an hour. Never returns by itself.
  async::task<void> maintain();

  /// Begins one: `wanted` without id, times and state.
  async::task<Result<Recorder>> begin(Recording wanted);
  /// Up to `limit` (1 to 500), newest first, older than the one `before`; of one host, unless that
  /// is empty.
  async::task<std::vector<Recording>> list(int limit, std::string before, std::string host);
  async::task<std::optional<Recording>> find(RecordingId id);
  /// Refused: `no_such_recording`.
  async::task<Result<RecordingReader>> open(RecordingId id);
  /// Refused: `no_such_recording`; `recording_runs` (conflict) while its terminal does.
  async::task<Result<>> remove(RecordingId id);

 private:
  friend class Recorder;
  friend class RecordingReader;

  std::filesystem::path path(const RecordingId& id) const;
  async::task<void> prune();
  async::task<void> remove_files(std::vector<RecordingId> ids);

  storage::Database& database_;
  async::Workers& workers_;
  Sealer sealer_;
  Settings settings_;
};

}  // namespace gantry::fleet
