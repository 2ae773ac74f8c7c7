#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gantry::cli {

/// What can be typed after one subcommand.
struct CommandShape {
  /// What the server is asked for while somebody types (`gantry names hosts`).
  enum class Names { none, hosts, containers };

  std::string name;
  std::string description;
  std::vector<std::string> flags;  ///< `--json`
  std::vector<std::string> words;  ///< `make`, `list`
  Names names = Names::none;
};

/// A script that teaches `bash`, `zsh` or `fish` to complete our commands. Refuses other shells.
Result<std::string> completion_script(std::string_view shell,
                                      const std::vector<CommandShape>& commands);

}  // namespace gantry::cli
