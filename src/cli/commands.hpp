#pragma once

#include "async/event.hpp"
#include "async/race.hpp"
#include "async/task.hpp"
#include "async/workers.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "cli/terminal.hpp"
#include "doctor/fix.hpp"
#include "doctor/gather.hpp"
#include "net/tls_files.hpp"
#include "sandbox/images.hpp"
#include "sandbox/languages.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The subcommands that print: each is parsed into one of these structures, and run by one
/// function that answers the exit code.
namespace gantry::cli {

/// For people, or for programs.
enum class Format { text, json };

/// Where the server is and what it is shown.
struct ServerAccess {
  std::string url = "http://127.0.0.1:5920";
  Secret token;                      ///< Empty: the one in `token_file`.
  std::filesystem::path token_file;  ///< Unless named, for the server alone that wrote it.
  enum class TokenFile { local, named } token_file_kind = TokenFile::local;
  /// Tried when `token_file` is not named and not this server's: the packaged service's. Empty:
  /// none.
  std::filesystem::path service_token_file;
};

/// `gantry exec`
struct ExecCommand {
  struct File {
    std::string path;         ///< On this machine.
    std::string destination;  ///< Below /box.
  };
  enum class Input { none, forwarded };

  ServerAccess server;
  Format format = Format::text;
  std::string image;               ///< Empty: the first word says the language.
  std::vector<std::string> words;  ///< What to run and its arguments.
  std::vector<File> files;
  std::vector<std::pair<std::string, std::string>> env;
  Input input = Input::none;
  std::optional<std::int64_t> wall_time_ms;
  std::optional<std::int64_t> memory_bytes;
  std::optional<double> cpus;
  std::optional<std::int64_t> pids;
  sandbox::Languages languages;  ///< The words that name one.
};

/// `gantry exec -it`, `gantry exec --container`: in a container that is there.
struct ContainerExecCommand {
  enum class Input { none, forwarded };
  enum class Screen { none, terminal };

  ServerAccess server;
  Format format = Format::text;
  std::string host;  ///< Empty: the one that has such a container.
  std::string container;
  std::vector<std::string> words;  ///< The command; empty: a shell.
  std::vector<std::pair<std::string, std::string>> env;
  std::string user;
  std::string working_dir;
  Input input = Input::none;
  Screen screen = Screen::none;
  std::optional<std::int64_t> wall_time_ms;
  std::string term;  ///< What kind of terminal this is: TERM.
};

/// `gantry mcp`
struct McpCommand {
  ServerAccess server;
  Format format = Format::text;
};

/// `gantry version`
struct VersionCommand {
  ServerAccess server;
  Format format = Format::text;
};

/// `gantry doctor`: looks at this machine by itself, without a server.
struct DoctorCommand {
  enum class Screen { none, terminal };
  /// Whether something is to be changed, and who agrees to it.
  enum class Consent { none, asked, given, dry_run };

  Format format = Format::text;
  doctor::Question question;
  doctor::Environment environment;
  doctor::FixWish fix;
  Consent consent = Consent::none;
  Screen screen = Screen::none;
  std::size_t width = 0;  ///< Of the screen, in columns; 0: there is none.
};

/// `gantry images make|ensure|list`: talks to the engine itself, without a server.
struct ImagesCommand {
  enum class Action { make, ensure, list } action = Action::list;
  Format format = Format::text;
  std::string engine;
  net::TlsClientFiles engine_tls;  ///< Where the engine's endpoint is `tls://…`.
  sandbox::ImageAliases aliases;
  sandbox::Languages languages;
  std::vector<std::string> names;  ///< Of recipes; empty: the usual ones; `all`: all.
  std::vector<std::string> env;    ///< For the package tools.
  std::filesystem::path temporary;
};

/// What a terminal's screen and the process's signals have to do with each other.
struct ScreenWatch {
  explicit ScreenWatch(const async::Executor& executor) : resized{executor} {}

  async::Event resized;           ///< The screen has another size.
  std::function<void()> restore;  ///< What is to be undone before the process ends at once.
};

/// What every command runs in. Belongs to `main`.
struct Context {
  async::Executor executor;
  async::Workers& workers;
  Terminal& terminal;
  /// Ctrl-C was pressed.
  async::StopSignal& interrupted;
  ScreenWatch& screen;
  std::string version;
};

/// Exit codes of `gantry exec` that are not the program's own.
inline constexpr int exit_infrastructure = 125;
inline constexpr int exit_interrupted = 130;

/// Each answers the exit code, or what kept it from doing its work.
async::task<Result<int>> run(Context& context, ExecCommand command);
async::task<Result<int>> run(Context& context, ContainerExecCommand command);
async::task<Result<int>> run(Context& context, McpCommand command);
async::task<Result<int>> run(Context& context, VersionCommand command);
async::task<Result<int>> run(Context& context, ImagesCommand command);
async::task<Result<int>> run(Context& context, DoctorCommand command);

/// An error as one line for people (`gantry: cannot …`) or as one JSON object.
std::string error_line(const Error& error, Format format);

}  // namespace gantry::cli
