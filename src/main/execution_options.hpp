#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"
#include "executions/admission.hpp"
#include "executions/upkeep_store.hpp"
#include "executions/workspaces.hpp"
#include "main/settings.hpp"
#include "net/outside.hpp"
#include "sandbox/outbound_addresses.hpp"
#include "sandbox/pool.hpp"

#include <array>
#include <string_view>

namespace gantry::main {

/// What `gantry serve` has been told about executions, besides how many there may be at all.
struct ExecutionOptions {
  executions::Admission::Bounds user;   ///< Of each user,
  executions::Admission::Bounds token;  ///< and of each API token.
  executions::store::Retention kept;
  sandbox::PoolSettings pool;
  executions::Workspaces::Settings workspaces;  ///< Without their folder.
  sandbox::OutboundWishes outbound;
  Secret webhook_secret;  ///< Empty: the server makes its own.
  net::Reach webhook_reach = net::Reach::public_only;
};

/// A whole number among these settings, with its flag.
struct ExecutionSetting {
  std::string_view key;
  std::string_view flag;
  std::string_view help;
};
inline constexpr std::array execution_settings{
    ExecutionSetting{"user_executions_max", "--user-executions-max",
                     "How many of one user run at once [all]"},
    ExecutionSetting{"user_queue_max", "--user-queue-max", "How many of one user may wait [all]"},
    ExecutionSetting{"token_executions_max", "--token-executions-max",
                     "How many of one API token run at once [all]"},
    ExecutionSetting{"token_queue_max", "--token-queue-max",
                     "How many of one API token may wait [all]"},
    ExecutionSetting{"keep_count", "--keep-count", "How many executions are kept [10000]"},
    ExecutionSetting{"keep_bytes", "--keep-bytes",
                     "How much they may hold together, in bytes [1073741824]"},
    ExecutionSetting{"pool_min", "--pool-min",
                     "How many containers wait of each kind that was used lately [1]"},
    ExecutionSetting{"pool_max", "--pool-max", "How many wait at most of each kind, 0: none [8]"},
    ExecutionSetting{"pool_memory", "--pool-memory",
                     "What all that wait may cost together, in bytes [536870912]"},
    ExecutionSetting{"workspace_bytes", "--workspace-bytes",
                     "What a workspace may hold, in bytes [67108864]"},
    ExecutionSetting{"workspace_files", "--workspace-files",
                     "How many files and folders it may have [1000]"},
    ExecutionSetting{"user_workspaces_max", "--user-workspaces-max",
                     "How many workspaces a user may have [10]"},
    ExecutionSetting{"keep_days", "--keep-days", "How long they are kept, in days [90]"},
};

/// Reads them from all settings.
Result<ExecutionOptions> execution_options(const Settings& settings);

}  // namespace gantry::main
