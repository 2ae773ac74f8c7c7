#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "doctor/facts.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gantry::doctor {

struct FixWish {
  /// What DOCKER_GID is to be instead of the socket's group; from 1 on.
  std::optional<Id> gid;
  /// Where DOCKER_GID goes; empty: nowhere.
  std::filesystem::path env_file;
  std::string path;  ///< PATH, for the tools that change accounts.
};

/// One thing that is changed: a command, by its argument list, or the file with DOCKER_GID.
struct Change {
  std::string what;
  std::vector<std::string> argv;
  std::filesystem::path env_file;
  Id gid = 0;

  /// As somebody would type it.
  std::string command() const;
};

/// What would mend access to the socket, in order; empty: nothing that could be changed here. It
/// never widens the socket's mode, never puts anybody into group root, and takes nothing away.
/// Refused: not_found, `no_socket` (there is no group whose id could be used, and none was named).
Result<std::vector<Change>> plan(const Facts& facts, const FixWish& wish);

/// Makes one change. Refused: denied, `not_root`, or `fix_failed` with what the tool said.
async::task<Result<>> make(Change change, std::string path);

/// For Compose and Dockerfiles on this machine: the texts to paste.
std::string fragments(Id gid);

}  // namespace gantry::doctor
