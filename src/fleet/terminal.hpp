#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/exec.hpp"
#include "engine/exec_end.hpp"
#include "engine/exec_ender.hpp"
#include "fleet/host_config.hpp"
#include "fleet/operations.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Shells in containers, as many people's screens see them.
namespace gantry::fleet {

/// Why a terminal ended.
enum class TerminalEnding : std::uint8_t {
  exited,            ///< The shell ended by itself.
  closed,            ///< Somebody asked for it.
  idle,              ///< Nobody typed and nothing was written for too long.
  too_old,           ///< It reached the longest life.
  abandoned,         ///< Nobody watched for too long.
  recording_failed,  ///< It could not be recorded any more, and must be.
  connection_lost,   ///< The connection to the engine broke.
  server_stopping,
};
/// `exited`, `closed` …: as in JSON.
std::string_view word(TerminalEnding ending);

/// How a terminal ended.
struct TerminalEnd {
  TerminalEnding reason = TerminalEnding::exited;
  std::optional<std::int64_t> exit_code;
  engine::ExecEnd process;
};

/// What somebody asks for.
struct TerminalWish {
  Actor owner;
  std::string container;                    ///< Its id.
  std::string name;                         ///< The container's name,
  std::string project;                      ///< and its Compose project; empty: none.
  std::string shell;                        ///< A program in the container; empty: bash, ash or sh.
  std::vector<std::string> arguments = {};  ///< What it is given.
  std::string user;                         ///< Empty: the container's own.
  std::string working_dir;                  ///< Empty: the container's own.
  std::vector<std::pair<std::string, std::string>> env;
  engine::TerminalSize size;
  enum class Sharing : std::uint8_t { watching, typing } sharing = Sharing::watching;
};

/// What is known of a terminal.
struct TerminalView {
  std::string id;
  HostId host_id;
  std::string host;       ///< What it is called now.
  TerminalWish wish;      ///< With the shell that was found, and the size of now.
  std::string recording;  ///< The recording's id; empty: it is not recorded.
  WallTime created_at;
  std::size_t viewers = 0;
  /// Why the processes inside may outlive it; empty: they end with it.
  std::string may_live_on;
};

class OpenExecs;

/// Bounds and times.
struct TerminalSettings {
  std::size_t of_user_max = 10;
  std::size_t of_host_max = 50;
  std::size_t all_max = 200;
  std::size_t viewers_max = 10;
  /// Commands without a terminal that run at once.
  std::size_t commands_of_host_max = 32;
  std::size_t replay_max = 1U << 20U;
  /// What waits for one viewer; from `viewer_full` on the shell waits, when it waits for all.
  std::size_t viewer_max = 1U << 20U;
  std::size_t viewer_full = 256U << 10U;
  /// What was typed and the shell has not taken.
  std::size_t typed_max = 1U << 20U;
  /// How long a viewer may take nothing while something waits for them.
  Milliseconds stall_max{10'000};
  Milliseconds abandoned_after{60'000};
  Milliseconds idle_after{1'800'000};
  Milliseconds age_max{86'400'000};
  /// How often the times above are looked at.
  Milliseconds look{500};
  Clock clock = {};
  /// Ends what runs in containers without a shell; without an archive nobody does.
  engine::Ender ender = {};
  /// Who remembers shells that a killed server leaves; nullptr: nobody.
  OpenExecs* open_execs = nullptr;
};

}  // namespace gantry::fleet
