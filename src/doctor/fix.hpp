#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "doctor/facts.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::doctor {

struct FixWish {
  /// What DOCKER_GID is to be instead of the socket's group; from 1 on.
  std::optional<Id> gid;
  /// Where DOCKER_GID goes; empty: nowhere.
  std::filesystem::path env_file;
  std::string service;  ///< To restart once its account has the group; only where it was named.
  std::string path;     ///< PATH, for the tools that change accounts.
};

/// One thing that is changed: a command, by its argument list, or the file with DOCKER_GID.
struct Change {
  std::string what;
  std::vector<std::string> argv;
  std::filesystem::path env_file;
  Id gid = 0;

  /// As somebody would type it.
  std::string command() const;
  bool takes_root() const;
};

/// What containers are to be given by `group_add`; nothing where no number helps.
std::optional<Id> container_gid(const Facts& facts, const FixWish& wish);

/// What would mend access to the socket, in order; empty: nothing that could be changed here. It
/// never widens the socket's mode, never puts anybody into group root, takes nothing away, and is
/// empty once it has been done. Reads the file that DOCKER_GID is to go to.
/// Refused: not_found, `no_socket` (there is no group whose id could be used, and none was named).
Result<std::vector<Change>> plan(const Facts& facts, const FixWish& wish);

/// Makes one change. Refused: denied, `not_root`, or `fix_failed` with what the tool said.
async::task<Result<>> make(Change change, std::string path);

/// For Compose and Dockerfiles on this machine, with the socket's path on it: the texts to paste.
std::string fragments(Id gid, std::string_view socket);

}  // namespace gantry::doctor
