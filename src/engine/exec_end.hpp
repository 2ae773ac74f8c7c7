#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Ending what runs in an exec. The Engine API has no call for it and a closed connection ends
/// nothing (https://github.com/moby/moby/issues/9098), so it is killed from within: a second exec,
/// with the container's own shell, finds the process by a mark in its environment and kills its
/// session. A daemon that has made a session of its own goes on, as it does after ssh. Where the
/// container has no such shell, a program beside it does the same (exec_ender.hpp).
namespace gantry::engine {

/// What became of a process that was to be ended.
enum class ProcessFate { ended, may_live_on };
struct ExecEnd {
  ProcessFate fate = ProcessFate::ended;
  std::string detail;  ///< Why it may live on; empty when it has ended.
};

/// A fresh `GANTRY_EXEC=…` for the environment of an exec, by which its process is found.
std::string fresh_exec_mark();

struct Ender;

/// An exec as its killer must know it.
struct MarkedExec {
  std::string container;
  std::string exec;  ///< Its id.
  std::string user;  ///< As whom it runs; empty: the container's own.
  std::string mark;  ///< What fresh_exec_mark gave.
  /// Which shells may be there, tried in turn.
  std::vector<std::string> shells{"sh", "bash", "ash"};
  /// Its process in the container's own count, once find_session has told.
  std::optional<std::int64_t> session = {};
  /// Who does it where no shell can; nullptr: nobody.
  const Ender* ender = nullptr;
};

/// The process of a running exec, which leads a session of its own; nothing when it can not be
/// found. To be asked early: a shell that replaces itself (`exec su`) loses its mark.
async::task<std::optional<std::int64_t>> find_session(Client& client, MarkedExec exec);

/// Ends the process and its session: `first` (`HUP`, `TERM`), then KILL, as the exec's own user
/// and at last as root; where no shell can, from beside. Takes at most 70 s; never throws but when
/// cancelled.
async::task<ExecEnd> end_exec(Client& client, MarkedExec exec, std::string first);

}  // namespace gantry::engine
