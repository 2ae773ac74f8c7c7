#pragma once

#include "async/task.hpp"
#include "async/workers.hpp"
#include "executions/record.hpp"

#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gantry::executions {

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
  /// A file's bytes; empty when it is not there.
  async::task<std::string> read(ExecutionId id, std::string name);
  async::task<void> remove(std::vector<ExecutionId> ids);
  /// Removes the folders of all others, which a crash left behind.
  async::task<void> keep_only(std::set<ExecutionId> ids);

 private:
  std::filesystem::path folder_;
  async::Workers& workers_;
};

}  // namespace gantry::executions
