#include "cli/completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::cli {
namespace {

/// Inside single quotes of all three shells, once quotes are left out.
std::string quotable(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c != '\'' && c != '\\' && c != '\n') out += c;
  }
  return out;
}

std::string all_words(const CommandShape& command) {
  auto words = command.words;
  words.insert(words.end(), command.flags.begin(), command.flags.end());
  return fmt::format("{}", fmt::join(words, " "));
}

/// The command that prints them; its complaints are nobody's business while somebody types.
std::string_view names_command(CommandShape::Names names) {
  switch (names) {
    case CommandShape::Names::none:
      return "";
    case CommandShape::Names::hosts:
      return "gantry names hosts 2>/dev/null";
    case CommandShape::Names::containers:
      return "gantry names containers 2>/dev/null";
  }
  return "";
}

/// The same in the place of words: `$(gantry names hosts 2>/dev/null)`.
std::string names_words(const CommandShape& command) {
  auto names = names_command(command.names);
  return names.empty() ? "" : fmt::format("$({})", names);
}

std::string bash(const std::vector<CommandShape>& commands) {
  std::vector<std::string> names;
  std::string cases;
  for (const auto& command : commands) {
    names.push_back(command.name);
    auto asked = names_words(command);
    cases += fmt::format("    {}) words='{}'{} ;;\n", command.name, all_words(command),
                         asked.empty() ? "" : fmt::format("\" {}\"", asked));
  }
  return fmt::format(
      "# bash completion for gantry; load it with: source <(gantry completion bash)\n"
      "_gantry() {{\n"
      "  local words=''\n"
      "  if [[ ${{COMP_WORDS[COMP_CWORD - 1]}} == --host ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$({})\" -- \"${{COMP_WORDS[COMP_CWORD]}}\")\n"
      "    return\n"
      "  fi\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    words='{}'\n"
      "  else\n"
      "    case ${{COMP_WORDS[1]}} in\n{}    esac\n"
      "  fi\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${{COMP_WORDS[COMP_CWORD]}}\")\n"
      "}}\n"
      "complete -o default -F _gantry gantry\n",
      names_command(CommandShape::Names::hosts), fmt::join(names, " "), cases);
}

std::string zsh(const std::vector<CommandShape>& commands) {
  std::string names;
  std::string cases;
  for (const auto& command : commands) {
    names += fmt::format("    '{}:{}'\n", command.name, quotable(command.description));
    cases += fmt::format("    {}) compadd -- {} {} ;;\n", command.name, all_words(command),
                         names_words(command));
  }
  return fmt::format(
      "#compdef gantry\n"
      "# zsh completion for gantry; load it with: source <(gantry completion zsh)\n"
      "_gantry() {{\n"
      "  local -a commands=(\n{}  )\n"
      "  if ((CURRENT == 2)); then\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  if [[ $words[CURRENT-1] == --host ]]; then\n"
      "    compadd -- $({})\n"
      "    return\n"
      "  fi\n"
      "  case $words[2] in\n{}  esac\n"
      "  _files\n"
      "}}\n"
      "compdef _gantry gantry\n",
      names, names_command(CommandShape::Names::hosts), cases);
}

std::string fish(const std::vector<CommandShape>& commands) {
  std::string out = "# fish completion for gantry; load it with: gantry completion fish | source\n";
  for (const auto& command : commands) {
    out += fmt::format("complete -c gantry -n __fish_use_subcommand -f -a {} -d '{}'\n",
                       command.name, quotable(command.description));
    auto after =
        fmt::format("complete -c gantry -n '__fish_seen_subcommand_from {}'", command.name);
    for (const auto& flag : command.flags) {
      auto name = flag.substr(flag.find_first_not_of('-'));
      auto values = name == "host"
                        ? fmt::format(" -x -a '({})'", names_command(CommandShape::Names::hosts))
                        : "";
      out += fmt::format("{} -l {}{}\n", after, name, values);
    }
    if (auto asked = names_command(command.names); !asked.empty()) {
      out += fmt::format("{} -f -a '({})'\n", after, asked);
    }
    for (const auto& word : command.words) out += fmt::format("{} -f -a {}\n", after, word);
  }
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
