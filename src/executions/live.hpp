#pragma once

#include "async/event.hpp"
#include "async/race.hpp"
#include "executions/admission.hpp"
#include "executions/executions.hpp"
#include "executions/packing.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

// For the files of Executions only: what it holds of an execution while somebody cares.
namespace gantry::executions {

inline constexpr std::array all_channels{
    Channel{sandbox::Stage::compile, sandbox::OutputStream::standard_output},
    Channel{sandbox::Stage::compile, sandbox::OutputStream::standard_error},
    Channel{sandbox::Stage::run, sandbox::OutputStream::standard_output},
    Channel{sandbox::Stage::run, sandbox::OutputStream::standard_error}};

inline std::size_t index_of(Channel channel) {
  return (channel.stage == sandbox::Stage::run ? 2U : 0U) +
         (channel.stream == sandbox::OutputStream::standard_error ? 1U : 0U);
}

/// Where a record keeps what came on a channel.
inline std::string& kept_in(Record& record, Channel channel) {
  const std::array<std::string*, 4> streams{&record.compile_output, &record.compile_errors,
                                            &record.output, &record.errors};
  return *streams[index_of(channel)];
}

inline Error no_such_execution(const ExecutionId& id) {
  return {ErrorKind::not_found, "no_such_execution",
          fmt::format("cannot find execution '{}'", id.text()),
          "the oldest executions are deleted; GET /api/v1/executions lists the others"};
}

/// An execution that has no verdict yet, or whose followers have not read it.
struct Executions::Live {
  /// Lines of progress that are kept for followers who come later.
  static constexpr std::size_t progress_max = 256;
  /// Changes between the outputs that are told in their order; after that many, one after the
  /// other. A program that writes a byte here and a byte there must not cost us an entry for each.
  static constexpr std::size_t entries_max = 4'096;

  /// One thing that happened. Output is not held here: an entry says up to where the record's own
  /// bytes had come, and grows while nothing else happens.
  struct Entry {
    Happening::Kind kind;
    std::string text;
    State state = State::queued;
    Channel channel{};
    Lengths lengths{};
  };

  Live(const async::Executor& executor, Submission wanted, Record known)
      : submission{std::move(wanted)},
        record{std::move(known)},
        output_max{submission.policy.output},
        stop{executor},
        changed{executor} {
    if (submission.input == Input::interactive) {
      keyboard = std::make_shared<sandbox::Keyboard>(executor, keystrokes_max);
    }
  }

  Submission submission;
  Record record;
  Bytes output_max;  ///< Of each channel: whatever an executor says, no more is held.
  std::shared_ptr<sandbox::Keyboard> keyboard;  ///< Shared with the executor that reads it.
  std::vector<Entry> entries;
  std::size_t progress_lines = 0;
  std::string served_image;
  sandbox::Stage stage = sandbox::Stage::run;
  Ticket ticket;
  std::optional<Workspaces::Lease> workspace;  ///< Until its program has ended.
  /// Where it stands. `outside`: cancelled in the queue, or not to be run by this process.
  enum class Place { queued, running, outside } place = Place::outside;
  bool on_disk = false;  ///< Its program waits there, and is run after a crash.
  /// Its row in the table, which short executions get only together with their verdict.
  enum class Row { none, being_written, written } row = Row::written;
  bool parked = false;     ///< Not before the next start of the server.
  bool cancelled = false;  ///< Somebody asked for that, and not only the server's stop.
  SteadyTime began{};
  async::StopSignal stop;
  async::Event changed;

  void add(Entry entry) {
    entries.push_back(std::move(entry));
    changed.notify();
  }
  Lengths lengths() {
    Lengths lengths{};
    for (auto channel : all_channels) {
      lengths[index_of(channel)] = kept_in(record, channel).size();
    }
    return lengths;
  }
  void add_output(sandbox::OutputStream stream, std::string_view bytes) {
    Channel channel{stage, stream};
    auto& kept = kept_in(record, channel);
    kept.append(bytes.substr(0, output_max.count - std::min(output_max.count, kept.size())));
    bool grows = !entries.empty() && entries.back().kind == Happening::Kind::output &&
                 (entries.back().channel == channel || entries.size() >= entries_max);
    if (grows) {
      changed.notify();
    } else {
      add({.kind = Happening::Kind::output, .channel = channel});
    }
    entries.back().lengths = lengths();
  }

 private:
  static constexpr std::size_t keystrokes_max = 64;
};

}  // namespace gantry::executions
