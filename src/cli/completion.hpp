#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gantry::cli {

/// A flag, as it is completed.
struct FlagShape {
  /// What stands after it.
  enum class Value { none, host, other };

  std::string name;  ///< `--json`
  std::string description;
  Value value = Value::none;
};

/// What can be typed after a command: after `hosts`, and in the same form after `hosts test`.
struct CommandShape {
  /// What the server is asked for while somebody types (`gantry names hosts`).
  enum class Names { none, hosts, containers };

  std::string name;
  std::string description;
  std::vector<FlagShape> flags;
  std::vector<std::string> words;  ///< `bash`, `zsh`
  Names names = Names::none;
  std::vector<CommandShape> actions;  ///< Each with a name of one word.
};

/// A script that teaches `bash`, `zsh` or `fish` to complete our commands. Refuses other shells.
Result<std::string> completion_script(std::string_view shell,
                                      const std::vector<CommandShape>& commands);

}  // namespace gantry::cli
