#include "main/remote_options.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace gantry::main {
namespace {

// How many containers one command takes.
constexpr int words_max = 1'000;

/// `NAME` of `[NAME]` and of `NAME...`.
std::string bare(std::string_view name) {
  if (name.starts_with('[')) name = name.substr(1, name.size() - 2);
  if (name.ends_with("...")) name.remove_suffix(3);
  return std::string{name};
}

/// What help calls a value.
const char* type_of(cli::Parameter::Kind kind) {
  using Kind = cli::Parameter::Kind;
  switch (kind) {
    case Kind::file:
    case Kind::line:
      return "FILE";
    case Kind::map:
      return "NAME=VALUE";
    case Kind::grants:
      return "GRANT";
    case Kind::size:
      return "SIZE";
    case Kind::duration:
    case Kind::seconds:
      return "TIME";
    case Kind::number:
    case Kind::decimal:
      return "N";
    case Kind::text:
    case Kind::list:
    case Kind::on:
    case Kind::off:
    case Kind::none:
      break;
  }
  return "TEXT";
}

void add_parameter(CLI::App& command, const cli::Parameter& parameter, Words& into) {
  using Kind = cli::Parameter::Kind;
  std::string help{parameter.help};
  if (parameter.kind == Kind::on || parameter.kind == Kind::off) {
    command.add_flag_callback(std::string{parameter.name}, [&into] { into = {""}; }, help);
    return;
  }
  if (parameter.name.ends_with("...")) {
    command.add_option(bare(parameter.name), into, help)->required()->expected(1, words_max);
    return;
  }
  auto take = [&into](const std::string& text) { into = {text}; };
  auto* option = parameter.is_list()
                     ? command.add_option(bare(parameter.name), into, help)->allow_extra_args(false)
                     : command.add_option_function<std::string>(bare(parameter.name), take, help);
  bool is_word = !parameter.is_flag();
  option->required(is_word && !parameter.name.starts_with('['));
  if (!is_word) option->type_name(type_of(parameter.kind));
}

bool is_help(std::string_view word) { return word == "-h" || word == "--help"; }

CLI::App* command_of(CLI::App& app, const cli::Verb& verb) {
  std::string name{verb.command};
  if (verb.action.empty()) return app.add_subcommand(name, std::string{verb.help});
  auto commands = app.get_subcommands({});
  auto found = std::ranges::find(commands, name, &CLI::App::get_name);
  auto* command = found == commands.end() ? nullptr : *found;
  if (command == nullptr) {
    command = app.add_subcommand(name, std::string{cli::command_help(verb.command)});
    command->require_subcommand(1);
  }
  return command->add_subcommand(std::string{verb.action}, std::string{verb.help});
}

}  // namespace

void add_verbs(CLI::App& app, Flags& flags, void (*add_server)(CLI::App&, Flags&)) {
  for (const auto& verb : cli::verbs()) {
    auto* command = command_of(app, verb);
    auto& given = flags.given[fmt::format("{} {}", verb.command, verb.action)];
    for (const auto& parameter : verb.parameters) {
      if (!parameter.is_implied()) {
        add_parameter(*command, parameter, given[std::string{parameter.key}]);
      }
    }
    add_server(*command, flags);
    // An empty one, too: the footer of 'gantry images' is not about 'gantry images ls'.
    command->footer(verb.examples.empty() ? "" : fmt::format("Examples:\n{}", verb.examples));
  }
}

void spell_out(Words& arguments) {
  if (arguments.empty()) return;
  const auto& command = arguments.front();
  bool is_bare = arguments.size() == 1 || arguments[1].starts_with('-');
  if (is_bare) {
    auto says_more = [&](const std::string& word) {
      return is_help(word) || find_verb(command, word) != nullptr;
    };
    bool lists = find_verb(command, "") == nullptr && std::ranges::none_of(arguments, says_more);
    // Of images both are there, and `list` is about those that programs run in.
    for (auto action : {"ls", "list"}) {
      if (!lists || find_verb(command, action) == nullptr) continue;
      arguments.insert(arguments.begin() + 1, action);
      return;
    }
    return;
  }
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> others{
      {{"ls", "list"}, {"list", "ls"}, {"rm", "remove"}, {"remove", "rm"}}};
  for (const auto& [written, known] : others) {
    // As above: `images list` is about something else than `images ls`.
    bool is_other = command == "images" && known == "ls";
    bool is_there = is_other || find_verb(command, written) != nullptr;
    if (arguments[1] != written || is_there || find_verb(command, known) == nullptr) continue;
    arguments[1] = known;
    return;
  }
}

const cli::Verb* find_verb(std::string_view command, std::string_view action) {
  auto verbs = cli::verbs();
  auto found = std::ranges::find_if(verbs, [&](const cli::Verb& verb) {
    return verb.command == command && verb.action == action;
  });
  return found == verbs.end() ? nullptr : &*found;
}

}  // namespace gantry::main
