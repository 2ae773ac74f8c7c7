#pragma once

#include "async/event.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/secret.hpp"
#include "engine/exec_run.hpp"
#include "fleet/host.hpp"
#include "fleet/operations.hpp"
#include "fleet/recordings.hpp"
#include "fleet/terminal.hpp"
#include "fleet/terminal_session.hpp"
#include "fleet/terminal_tickets.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gantry::fleet {

/// The label of a host by which its terminals are recorded: `gantry.recording=on`.
inline constexpr std::string_view recording_label = "gantry.recording";
bool is_recorded(const HostConfig& host);

/// A command to be run to its end, without a terminal.
struct CommandWish {
  Actor owner;
  std::string container;  ///< Its id,
  std::string name;       ///< and its name.
  std::vector<std::string> command;
  std::string user;         ///< Empty: the container's own.
  std::string working_dir;  ///< Empty: the container's own.
  std::vector<std::pair<std::string, std::string>> env;
  std::string input;
  engine::ExecBounds bounds;
};

/// All terminals of all hosts. Knows nothing of who may see which host: its callers do. Each is one
/// operation (`terminal.open`) in the audit log, from its start to its end. Belongs to the loop.
class Terminals {
 public:
  /// `recordings` may be nullptr: then nothing is recorded, and hosts that want it are refused.
  Terminals(async::Executor executor, Operations& operations, Recordings* recordings,
            TerminalSettings settings);
  Terminals(const Terminals&) = delete;
  Terminals& operator=(const Terminals&) = delete;

  /// Starts a shell. Refused: `too_many_terminals` (exhausted), `no_shell` (conflict),
  /// `exec_not_started`, `recording_impossible` (unavailable), or in the engine's words.
  async::task<Result<TerminalView>> open(std::shared_ptr<Host> host, TerminalWish wish);
  /// Runs a command (engine::run_exec) as one operation, `container.exec`. Refused besides:
  /// `host_busy` (exhausted) when too many run there.
  async::task<Result<engine::ExecResult>> run(std::shared_ptr<Host> host, CommandWish wish);
  std::vector<TerminalView> list() const;  ///< Oldest first.
  std::optional<TerminalView> find(const std::string& id) const;
  /// A one-time ticket for this terminal and this user; `no_such_terminal`.
  Result<Secret> ticket(const std::string& id, const std::string& user);
  /// Whether the ticket is right; it is used up.
  bool redeem(std::string_view ticket, const std::string& id, const std::string& user);
  /// A screen more at the terminal. Whoever may not type sees all the same. Refused:
  /// `no_such_terminal`, `too_many_viewers` (exhausted).
  Result<std::unique_ptr<TerminalViewer>> join(const std::string& id, TerminalViewer::May may);
  /// Ends a terminal and waits for its end; `no_such_terminal`.
  async::task<Result<TerminalEnd>> end(std::string id, TerminalEnding reason);
  /// Ends all of them. Call before the destructor.
  async::task<void> close();

 private:
  /// A place that somebody has while their shell is started.
  class Place;
  /// A shell on its way.
  struct Shell {
    std::shared_ptr<Host> host;
    engine::MarkedExec exec;
    std::optional<engine::AttachedStream> stream = {};
    /// Not started, ended, or somebody's: else it has to be ended.
    bool settled = false;
    engine::ExecEnd end = {};
  };

  /// Nullptr: there is none.
  const engine::Ender* ender() const {
    return settings_.ender.archive.empty() ? nullptr : &settings_.ender;
  }
  Result<> check_room(const std::string& host, const Actor& owner) const;
  async::task<Result<TerminalView>> open_now(std::shared_ptr<Host> host, TerminalWish wish);
  async::task<Result<TerminalView>> start(std::shared_ptr<Host> host, TerminalView view,
                                          Operations::Underway& underway);
  static async::task<void> end_unless_settled(Shell& shell);
  async::task<Result<TerminalView>> hand_over(Shell& shell, TerminalView view,
                                              Operations::Underway& underway);
  async::task<Result<>> begin_recording(TerminalView& view, std::optional<Recorder>& recorder);
  void adopt(TerminalSession::Started started);
  async::task<void> run_session(std::shared_ptr<TerminalSession> session, std::string exec);
  async::task<void> note(const Shell& shell);
  async::task<void> cross_out(std::string exec, engine::ProcessFate fate);
  std::shared_ptr<TerminalSession> session(const std::string& id) const;

  async::Executor executor_;
  Operations& operations_;
  Recordings* recordings_;
  TerminalSettings settings_;
  TerminalTickets tickets_;
  std::map<std::string, std::shared_ptr<TerminalSession>> sessions_;
  /// Host and user of those that are being started.
  std::vector<std::pair<std::string, std::string>> starting_;
  /// Hosts of the commands that run.
  std::multiset<std::string> commands_;
  async::Event started_;
  bool closing_ = false;
  async::TaskScope running_;
};

}  // namespace gantry::fleet
