#pragma once

#include "async/event.hpp"
#include "async/process.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "net/ssh_log.hpp"
#include "net/ssh_questions.hpp"
#include "net/ssh_room.hpp"
#include "net/ssh_way.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gantry::net {

/// What one run of OpenSSH needs to be started.
struct SshStart {
  SshRoom& room;
  const SshSettings& settings;
  const SshPlaces& places;
  const SshWay& way;
  std::vector<std::string> arguments;
  int input_output = -1;  ///< As ProcessSpec has it.
};

/// One run of OpenSSH's client: started, listened to, ended. It has the key and the answers to its
/// questions only until it has logged in. Killed and reaped when destroyed while running.
class SshRun {
 public:
  SshRun(const async::Executor& executor, const SshWay& way);
  SshRun(const SshRun&) = delete;
  SshRun& operator=(const SshRun&) = delete;
  ~SshRun();

  /// Starts it. Throws Failure: `ssh_missing`, `ssh_room_unusable`.
  void start(const SshStart& how);
  /// Reads what it says until it has ended.
  async::task<void> follow();
  /// Returns once the host has come so far. Throws Failure with why it ended before.
  async::task<void> reached(SshLog::Stage stage);
  /// Returns at the next line or at the end.
  async::task<void> changed();
  /// Kills it and takes away what it was lent.
  void end();

  const SshLog& log() const { return log_; }
  bool ended() const { return status_.has_value(); }
  /// Whether it has ended without an error of its own or of its command's.
  bool clean() const { return status_ && status_->success(); }
  /// How, once it has.
  std::optional<async::ExitStatus> status() const { return status_; }
  /// Why, once it has ended.
  Error why_ended() const { return log_.why_ended(status_.value_or(async::ExitStatus{})); }
  /// How long was spent at each stage, all machines together.
  Milliseconds spent(SshLog::Stage stage) const;

 private:
  async::task<void> listen();
  void hear(std::string_view bytes);
  void spend(SshLog::Stage stage);
  void take_back();

  async::Executor executor_;
  SshLog log_;
  async::Event changed_;
  std::optional<async::Process> process_;
  std::optional<async::ExitStatus> status_;
  std::optional<SshRoom::KeyLoan> key_;
  std::unique_ptr<SshQuestions> questions_;
  std::string line_;
  SteadyTime since_;
  std::array<Milliseconds, 6> spent_{};
};

/// Runs OpenSSH until the host has come to `stage`, then ends it. Answers the log; throws Failure
/// with why it did not come so far.
async::task<SshLog> run_ssh_until(SshStart start, SshLog::Stage stage, Milliseconds patience);

/// OpenSSH's own words for a wait that took too long.
Error ssh_too_slow(const SshWay& way, Milliseconds patience);

}  // namespace gantry::net
