#include "cli/completion.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

// Three scripts from one table. In all of them a word that begins with '-' is a flag's, what
// follows
// `--host` is a host's name, and names of hosts and containers come from the server while somebody
// types; where none of that is known, the shell's own completion of files stands in.
namespace gantry::cli {
namespace {

using Names = CommandShape::Names;

/// Inside single quotes of all three shells, once quotes are left out; on one line.
std::string quotable(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c != '\'' && c != '\\' && c != '\n') out += c;
  }
  return out;
}

/// The command that prints them; its complaints are nobody's business while somebody types.
std::string_view names_command(Names names) {
  switch (names) {
    case Names::none:
      return "";
    case Names::hosts:
      return "gantry names hosts 2>/dev/null";
    case Names::containers:
      return "gantry names containers 2>/dev/null";
  }
  return "";
}

/// Those that take a value of which nothing is known.
std::string valued_of(const std::vector<FlagShape>& flags) {
  std::vector<std::string_view> names;
  for (const auto& flag : flags) {
    if (flag.value == FlagShape::Value::other) names.push_back(flag.name);
  }
  return fmt::format("{}", fmt::join(names, " "));
}

template <class Shapes>
std::string names_of(const Shapes& shapes) {
  std::vector<std::string_view> names;
  for (const auto& shape : shapes) names.push_back(shape.name);
  return fmt::format("{}", fmt::join(names, " "));
}

/// A command and its actions as the shells tell them apart: `ps`, `hosts`, `hosts test`.
struct Place {
  std::string path;
  const CommandShape* shape;
};

std::vector<Place> places_of(const std::vector<CommandShape>& commands) {
  std::vector<Place> places;
  for (const auto& command : commands) {
    places.push_back({command.name, &command});
    for (const auto& action : command.actions) {
      places.push_back({fmt::format("{} {}", command.name, action.name), &action});
    }
  }
  return places;
}

/// `hosts|images`: those whose second word says more.
std::string with_actions(const std::vector<CommandShape>& commands) {
  std::vector<std::string_view> names;
  for (const auto& command : commands) {
    if (!command.actions.empty()) names.push_back(command.name);
  }
  return names.empty() ? "''" : fmt::format("{}", fmt::join(names, "|"));
}

constexpr std::string_view bash_script = R"sh(# Load with: source <(gantry completion bash)
_gantry() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local place=${COMP_WORDS[1]} words='' flags='' valued=''
  COMPREPLY=()
  if [[ $previous == --host ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(@HOSTS@)" -- "$current")
    return
  fi
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W '@COMMANDS@' -- "$current")
    return
  fi
  case $place in
    @WITH_ACTIONS@) ((COMP_CWORD == 2)) || place+=" ${COMP_WORDS[2]}" ;;
  esac
  case $place in
@CASES@  esac
  if [[ " $valued " == *" $previous "* ]]; then return; fi
  if [[ $current == -* ]]; then words=$flags; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _gantry gantry
)sh";

constexpr std::string_view zsh_script = R"sh(#compdef gantry
# Load with: source <(gantry completion zsh)
_gantry() {
  local place=$words[2] valued=''
  local -a known flags
  if [[ $words[CURRENT-1] == --host ]]; then
    compadd -- $(@HOSTS@)
    return
  fi
  if ((CURRENT == 2)); then
    known=(
@COMMANDS@    )
    _describe command known
    return
  fi
  case $place in
    @WITH_ACTIONS@) ((CURRENT == 3)) || place+=" $words[3]" ;;
  esac
  case $place in
@CASES@  esac
  if [[ " $valued " == *" $words[CURRENT-1] "* ]]; then
    _files
  elif [[ $PREFIX == -* ]]; then
    _describe -o flag flags
  elif (($#known)); then
    _describe word known
  else
    _files
  fi
}
# As a file of $fpath this is the body of the function; sourced, it only makes it known.
if [[ $funcstack[1] == _gantry ]]; then
  _gantry
else
  compdef _gantry gantry
fi
)sh";

constexpr std::string_view fish_functions = R"sh(# Load with: gantry completion fish | source
# Whether these are the words between gantry and the one that is typed.
function __gantry_at
  set -l words (commandline -opc)
  test "$words[2..]" = "$argv"
end
# Whether the words after gantry begin with these.
function __gantry_in
  set -l words (commandline -opc)
  set -l last (math (count $argv) + 1)
  test (count $words) -ge $last; and test "$words[2..$last]" = "$argv"
end
complete -c gantry -e
)sh";

std::string replaced(std::string text, std::string_view mark, std::string_view by) {
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size())) {
    text.replace(at, mark.size(), by);
  }
  return text;
}

std::string bash(const std::vector<CommandShape>& commands) {
  std::string cases;
  for (const auto& [path, shape] : places_of(commands)) {
    std::vector<std::string> words{shape->words};
    if (!shape->actions.empty()) words.push_back(names_of(shape->actions));
    if (shape->names != Names::none) {
      words.push_back(fmt::format("$({})", names_command(shape->names)));
    }
    cases += fmt::format(
        "    '{}')\n      words=\"{}\"\n      flags='{}'\n      valued='{}'\n"
        "      ;;\n",
        path, fmt::join(words, " "), names_of(shape->flags), valued_of(shape->flags));
  }
  auto script = replaced(std::string{bash_script}, "@HOSTS@", names_command(Names::hosts));
  script = replaced(std::move(script), "@COMMANDS@", names_of(commands));
  script = replaced(std::move(script), "@WITH_ACTIONS@", with_actions(commands));
  return replaced(std::move(script), "@CASES@", cases);
}

/// `'hosts:The machines …'`, as _describe takes it.
template <class Shape>
std::string zsh_item(const Shape& shape) {
  return fmt::format("'{}:{}'", shape.name, quotable(shape.description));
}

template <class Shapes>
std::string zsh_lines(const Shapes& shapes) {
  std::string lines;
  for (const auto& shape : shapes) lines += fmt::format("      {}\n", zsh_item(shape));
  return lines;
}

std::string zsh(const std::vector<CommandShape>& commands) {
  std::string cases;
  for (const auto& [path, shape] : places_of(commands)) {
    auto known = zsh_lines(shape->actions);
    for (const auto& word : shape->words) known += fmt::format("      {}\n", word);
    if (shape->names != Names::none) {
      known += fmt::format("      $({})\n", names_command(shape->names));
    }
    cases += fmt::format("    '{}')\n", path);
    if (!known.empty()) cases += fmt::format("      known=(\n{}      )\n", known);
    cases += fmt::format("      flags=(\n{}      )\n      valued='{}'\n      ;;\n",
                         zsh_lines(shape->flags), valued_of(shape->flags));
  }
  auto script = replaced(std::string{zsh_script}, "@HOSTS@", names_command(Names::hosts));
  script = replaced(std::move(script), "@COMMANDS@", zsh_lines(commands));
  script = replaced(std::move(script), "@WITH_ACTIONS@", with_actions(commands));
  return replaced(std::move(script), "@CASES@", cases);
}

/// What a flag of fish's `complete` is followed by.
std::string fish_value(FlagShape::Value value) {
  switch (value) {
    case FlagShape::Value::none:
      return "";
    case FlagShape::Value::host:
      return fmt::format(" -x -a '({})'", names_command(Names::hosts));
    case FlagShape::Value::other:
      return " -r";
  }
  return "";
}

std::string fish_of(const Place& place) {
  const auto& shape = *place.shape;
  std::string out;
  for (const auto& flag : shape.flags) {
    out += fmt::format("complete -c gantry -n '__gantry_in {}' -l {}{} -d '{}'\n", place.path,
                       flag.name.substr(flag.name.find_first_not_of('-')), fish_value(flag.value),
                       quotable(flag.description));
  }
  for (const auto& action : shape.actions) {
    out += fmt::format("complete -c gantry -n '__gantry_at {}' -f -a {} -d '{}'\n", place.path,
                       action.name, quotable(action.description));
  }
  if (!shape.words.empty()) {
    out += fmt::format("complete -c gantry -n '__gantry_in {}' -f -a '{}'\n", place.path,
                       fmt::join(shape.words, " "));
  }
  if (shape.names != Names::none) {
    out += fmt::format("complete -c gantry -n '__gantry_in {}' -f -a '({})'\n", place.path,
                       names_command(shape.names));
  }
  return out;
}

std::string fish(const std::vector<CommandShape>& commands) {
  std::string out{fish_functions};
  for (const auto& command : commands) {
    out += fmt::format("complete -c gantry -n __gantry_at -f -a {} -d '{}'\n", command.name,
                       quotable(command.description));
  }
  for (const auto& place : places_of(commands)) out += fish_of(place);
  return out;
}

}  // namespace

Result<std::string> completion_script(std::string_view shell,
                                      const std::vector<CommandShape>& commands) {
  if (shell == "bash") return bash(commands);
  if (shell == "zsh") return zsh(commands);
  if (shell == "fish") return fish(commands);
  return fail(ErrorKind::invalid, "unknown_shell",
              fmt::format("cannot complete in shell '{}': it is not known", shell),
              "give bash, zsh or fish");
}

}  // namespace gantry::cli
