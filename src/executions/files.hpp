#pragma once

#include "async/descriptor.hpp"
#include "async/task.hpp"
#include "async/workers.hpp"
#include "base/bytes.hpp"
#include "executions/record.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gantry::executions {

/// A file that is read piece by piece, so that nobody has to hold all of it.
class FileReader {
 public:
  static constexpr Bytes piece_max{256U << 10U};

  FileReader(async::Workers& workers, async::Descriptor file, std::uint64_t size)
      : workers_{&workers}, file_{std::move(file)}, size_{size} {}

  std::uint64_t size() const { return size_; }
  /// The next bytes, at most `piece_max`; empty at the end. Throws Failure, unavailable: the disk
  /// can not be read.
  async::task<std::string> next();

 private:
  async::Workers* workers_;
  async::Descriptor file_;
  std::uint64_t size_;
};

/// What is too large for a row: a folder for each execution, with files whose names are ours.
/// Everything happens on the workers.
class Files {
 public:
  /// `folder` is made when something is written.
  Files(std::filesystem::path folder, async::Workers& workers)
      : folder_{std::move(folder)}, workers_{workers} {}

  /// Name and bytes; the bytes are borrowed.
  using Items = std::vector<std::pair<std::string, std::string_view>>;
  /// On disk when it answers; replaces what an earlier try left. Throws Failure: `disk_full`
  /// (exhausted), `data_dir_not_writable` (unavailable).
  async::task<void> write(ExecutionId id, Items items);
  /// Refused, not_found (`output_lost`): it is not there, or shorter than `size`, when that is
  /// known.
  async::task<Result<FileReader>> open(ExecutionId id, std::string name,
                                       std::optional<std::uint64_t> size = {});
  /// All of a file's bytes; refused as `open`.
  async::task<Result<std::string>> read(ExecutionId id, std::string name);
  async::task<void> remove(std::vector<ExecutionId> ids);
  /// Removes the folders of all others, which a crash left behind.
  async::task<void> keep_only(std::set<ExecutionId> ids);

 private:
  std::filesystem::path folder_;
  async::Workers& workers_;
};

}  // namespace gantry::executions
