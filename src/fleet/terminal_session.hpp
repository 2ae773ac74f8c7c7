#pragma once

#include "async/event.hpp"
#include "async/race.hpp"
#include "async/task.hpp"
#include "engine/streams.hpp"
#include "fleet/host.hpp"
#include "fleet/recordings.hpp"
#include "fleet/terminal.hpp"
#include "fleet/terminal_replay.hpp"

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace gantry::fleet {

class TerminalSession;

/// What a viewer is told next, in this order; parts may be absent.
struct TerminalNews {
  std::optional<engine::TerminalSize> size;
  std::optional<std::size_t> viewers;
  std::string bytes;
  std::optional<TerminalEnd> ended;  ///< The last news.
  std::optional<Error> cut;          ///< The last news: `too_slow`. The terminal goes on.
};

/// Somebody's screen at a terminal; leaves it when destroyed.
class TerminalViewer {
 public:
  enum class May : std::uint8_t { watch, type };

  TerminalViewer(std::shared_ptr<TerminalSession> session, May may);
  TerminalViewer(const TerminalViewer&) = delete;
  TerminalViewer& operator=(const TerminalViewer&) = delete;
  ~TerminalViewer();

  bool may_type() const { return may_ == May::type; }
  /// What was written before this viewer came.
  const std::string& replay() const { return replay_; }
  /// Waits for news. What was written comes in pieces of at most 64 KiB.
  async::task<TerminalNews> next();
  /// Whether `next` would have something to tell at once.
  bool has_news() const;
  bool has_ended() const;
  /// Whether it has taken too little for too long: nothing but that is told any more.
  bool is_cut() const { return cut_.has_value(); }
  async::task<void> until_cut();
  /// What somebody types; waits while too much waits already. Only for who may type.
  async::task<void> type(std::string bytes);
  /// Whether what was typed waits for the shell.
  bool typed_ahead() const;
  void resize(engine::TerminalSize size);
  /// Ends the terminal.
  void end();
  TerminalView view() const;

 private:
  friend class TerminalSession;

  std::shared_ptr<TerminalSession> session_;
  May may_;
  std::string replay_;
  std::string waiting_;
  std::optional<engine::TerminalSize> size_;
  std::optional<std::size_t> viewers_;
  std::optional<Error> cut_;
  /// Since when it has taken nothing of what waits.
  SteadyTime behind_since_{};
};

/// A shell in a container, everything that is shown of it, and everybody who watches. It is owned
/// by the coroutine that runs it, by Terminals for as long as it can be found, and by its viewers.
class TerminalSession {
 public:
  /// A shell that has been started.
  struct Started {
    TerminalView view;
    std::shared_ptr<Host> host;
    engine::AttachedStream stream;
    engine::MarkedExec exec;
    std::optional<Recorder> recorder;
    Operations::Underway underway;
  };

  TerminalSession(async::Executor executor, const TerminalSettings& settings, Started started);
  TerminalSession(const TerminalSession&) = delete;
  TerminalSession& operator=(const TerminalSession&) = delete;

  /// Everything from the start to the end, the end of the processes included; to be spawned once.
  static async::task<void> run(std::shared_ptr<TerminalSession> self,
                               std::function<void(const std::string& id)> gone);
  /// Asks for the end; the first reason counts.
  void stop(TerminalEnding reason);
  /// Waits for the end.
  async::task<TerminalEnd> ended();
  /// Nothing while it lives.
  const std::optional<TerminalEnd>& outcome() const { return end_; }
  TerminalView view() const;
  bool may_be_joined() const;

 private:
  friend class TerminalViewer;

  async::task<void> live();
  async::task<void> read_output();
  async::task<void> show(std::string bytes);
  async::task<void> write_input();
  async::task<void> keep_size();
  async::task<void> serve();
  async::task<void> watch_times();
  async::task<void> die();
  async::task<void> finish_recording();
  async::task<void> linger();
  async::task<void> wait_for_somebody();
  async::task<std::optional<std::int64_t>> exit_code();
  void tell_how_it_ended();
  bool all_are_behind() const;
  void cut(TerminalViewer& viewer);
  void cut_those_who_stand_still();
  void enter(TerminalViewer& viewer);
  void leave(TerminalViewer& viewer);
  void tell_count();
  void wake() { changed_.notify(); }

  const TerminalSettings& settings_;
  TerminalView view_;
  std::shared_ptr<Host> host_;
  engine::AttachedStream stream_;
  engine::MarkedExec exec_;
  std::optional<Recorder> recorder_;
  Operations::Underway underway_;
  TerminalReplay replay_;
  std::list<TerminalViewer*> viewers_;
  std::string typed_;
  std::optional<engine::TerminalSize> wanted_size_;
  std::optional<TerminalEnding> reason_;
  async::StopSignal stop_;
  std::optional<TerminalEnd> end_;
  bool was_watched_ = false;
  async::Event changed_;
  SteadyTime created_ = steady_now();
  SteadyTime active_ = created_;
  SteadyTime watched_ = created_;
  std::uint64_t shown_bytes_ = 0;
  std::uint64_t typed_bytes_ = 0;
};

}  // namespace gantry::fleet
