#pragma once

#include "base/clock.hpp"
#include "sandbox/executor.hpp"
#include "sandbox/verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gantry::executions {

using sandbox::ExecutionId;

enum class State { queued, preparing, running, finished };
/// The word of the API: `preparing`.
std::string_view word(State state);
std::optional<State> state_from(std::string_view word);

/// A file that the program left; its bytes are read by Executions::artifact.
struct ArtifactItem {
  std::string path;
  std::uint64_t size = 0;
  bool operator==(const ArtifactItem&) const = default;
};

/// All that is kept of an execution.
struct Record {
  ExecutionId id;
  std::string owner;     ///< The name of who asked for it,
  std::string owner_id;  ///< and their account (Caller::account).
  std::string language;  ///< Empty for an image with a command.
  std::string image;     ///< As asked for.
  std::vector<std::string> command;
  std::string source;   ///< The entry file; empty for an image with a command.
  std::string batch;    ///< The batch it came with; empty without one.
  std::string webhook;  ///< Whom to tell of its end; empty for nobody.
  State state = State::queued;
  std::optional<sandbox::Outcome> outcome;  ///< Once finished; without artifacts.
  std::string output;                       ///< Standard output, as bytes.
  std::string errors;                       ///< Standard error, as bytes.
  std::string compile_output;               ///< The same of the compilation.
  std::string compile_errors;
  std::vector<ArtifactItem> artifacts;  ///< Once finished.
  WallTime created_at;
  std::optional<WallTime> started_at;
  std::optional<WallTime> finished_at;
};

/// Whose executions somebody may see and cancel.
class Reach {
 public:
  static Reach everybodys() { return Reach{std::nullopt}; }
  static Reach own(std::string account) { return Reach{std::move(account)}; }

  bool covers(const Record& record) const { return !account_ || *account_ == record.owner_id; }
  /// Nothing: everybody's.
  const std::optional<std::string>& account() const { return account_; }

 private:
  explicit Reach(std::optional<std::string> account) : account_{std::move(account)} {}
  std::optional<std::string> account_;
};

/// What of the records is to be listed.
struct Listing {
  int limit = 50;           ///< 1..200
  std::string cursor = {};  ///< From the page before, or empty.
  std::string batch = {};   ///< Only those of this batch; empty: of all.
};

/// A copy of all but what the program wrote, which may be large.
Record without_output(const Record& record);

/// Newest first; without what the programs wrote.
struct Page {
  std::vector<Record> items;
  std::optional<std::string> next;  ///< Where the next page begins.
};

}  // namespace gantry::executions
