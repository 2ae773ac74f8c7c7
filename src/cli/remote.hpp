#pragma once

#include "cli/commands.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Subcommands that are requests to the server. A table says of each what it takes, what it asks
/// for and what it prints; `main` makes the command line's grammar of the same table.
namespace gantry::cli {

/// A word or a flag of a command, and what becomes of it.
struct Parameter {
  enum class Kind {
    text,
    number,  ///< An integer.
    decimal,
    size,      ///< `512m`, in bytes
    duration,  ///< `5s`, in milliseconds
    seconds,   ///< `5s`, `2m`: in whole seconds
    on,        ///< A flag without a value: true.
    off,       ///< A flag without a value: false.
    list,      ///< May come several times.
    map,       ///< `NAME=VALUE`, may come several times.
    grants,    ///< `host=web1,project=shop,role=operator`, may come several times.
    none,      ///< Nothing is read: an empty list.
    line,      ///< As `file`, but its first line alone, without the line's end: a password.
    file,      ///< Names a file: its text is sent. `-`: standard input.
  };
  enum class To {
    path,   ///< Stands in the path's `{key}`.
    query,  ///< `?key=`
    body,   ///< A member of the body; `tls.key` is one of an object in it.
    runner  ///< Only the verb's own runner reads it.
  };

  /// `NAME`: a word that has to be there; `[NAME]`: may be; `NAME...`: at least one;
  /// `-f,--follow`: a flag. Empty: always given.
  std::string_view name;
  std::string_view key;
  std::string_view help;
  To to = To::body;
  Kind kind = Kind::text;
  /// What counts when it is not given; empty: nothing does.
  std::string_view otherwise = {};

  bool is_flag() const { return name.starts_with('-'); }
  bool is_implied() const { return name.empty(); }
  bool is_list() const { return kind == Kind::list || kind == Kind::map || kind == Kind::grants; }
};

/// What was given, by the parameters' keys.
using Given = std::map<std::string, std::vector<std::string>, std::less<>>;

/// A column of a list: its head, and where its text comes from.
struct Column {
  enum class Show {
    text,
    id,    ///< The first 12 characters.
    list,  ///< With commas.
    yes,   ///< `yes` or nothing.
    age,   ///< A time as `3 hours ago`.
    size,  ///< Bytes as `12.5 MiB`.
    count  ///< How many it has.
  };
  std::string_view head;
  std::string_view path;  ///< `containers.running`
  Show show = Show::text;
};

struct RemoteCommand;

/// One subcommand.
struct Verb {
  std::string_view command;  ///< `hosts`
  std::string_view action;   ///< `add`; empty: the command is all there is.
  std::string_view help;
  std::string_view method = "GET";
  std::string_view path = {};  ///< `/api/v1/hosts/{name}/test`
  std::span<const Parameter> parameters = {};
  /// Of the answer's `items`; none: the answer is an object and printed as it is.
  std::span<const Column> columns = {};
  /// Of which member of the answer the columns are.
  std::string_view items = "items";
  /// Whether a list is asked for to its end, or only its first page.
  enum class Pages { all, first } pages = Pages::all;
  /// What is said when it is done, where there is nothing to show: `host '{name}' is removed`.
  std::string_view done = {};
  /// Instead of the one request.
  async::task<Result<int>> (*runner)(Context&, RemoteCommand) = nullptr;
  std::string_view examples = {};
};

/// All of them; those of one command stand together.
std::span<const Verb> verbs();
/// What the commands of `verbs()` are about, for `gantry --help`.
std::string_view command_help(std::string_view command);

/// A verb as it was called.
struct RemoteCommand {
  enum class Screen { none, terminal };

  ServerAccess server;
  Format format = Format::text;
  const Verb* verb = nullptr;
  Given given;
  Screen screen = Screen::none;  ///< Whether colours are shown.
  std::size_t width = 0;         ///< Of the screen, in columns; 0: there is none.
  /// Where this user's settings are: `~/.config/gantry`; and Docker's: `~/.docker`.
  std::filesystem::path config_folder = {};
  std::filesystem::path docker_folder = {};

  /// The one value of a key; empty when it was not given.
  std::string text(std::string_view key) const;
  /// All values of a key.
  std::vector<std::string> texts(std::string_view key) const;
  bool has(std::string_view key) const { return given.contains(key); }
};

/// By the verb's own runner, else as the one request it is. Answers the exit code.
async::task<Result<int>> run(Context& context, RemoteCommand command);

}  // namespace gantry::cli
