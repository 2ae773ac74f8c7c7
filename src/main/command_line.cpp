#include "main/command_line.hpp"

#include "base/nearest.hpp"
#include "base/text.hpp"
#include "main/backup_options.hpp"
#include "main/doctor_options.hpp"
#include "main/execution_options.hpp"
#include "main/oidc_options.hpp"
#include "main/remote_options.hpp"
#include "main/version.hpp"
#include "sandbox/image_maker.hpp"

#include <algorithm>
#include <cctype>
#include <span>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::main {
namespace {

constexpr const char* top_footer =
    "Examples:\n"
    "  gantry serve                          start the server on http://127.0.0.1:5920\n"
    "  gantry exec python -c 'print(6 * 7)'  run a program in a fresh sandbox\n"
    "  gantry ps                             the containers of all hosts\n"
    "  gantry logs -f web                    what a container prints\n"
    "  gantry hosts add web1 ssh://web1      another machine\n"
    "\n'gantry COMMAND --help' tells more about one command.";
constexpr const char* serve_footer =
    "Every flag can also be given as GANTRY_LISTEN, GANTRY_DATA_DIR and so on, and in "
    "gantry.toml:\n"
    "the file of --config or GANTRY_CONFIG, else the first that is there of\n"
    "$XDG_CONFIG_HOME/gantry/gantry.toml (~/.config/gantry/gantry.toml where that is not set) and\n"
    "/etc/gantry/gantry.toml.\n\n"
    "Examples:\n"
    "  gantry serve\n"
    "  gantry serve --listen 127.0.0.1:8080 --anonymous-execute\n"
    "  gantry serve --engine tcp://127.0.0.1:2375 --data-dir /srv/gantry";
constexpr const char* exec_footer =
    "The first word is a language (python, javascript, bash, sh), a file of one, or, with "
    "--image,\n"
    "a command. The output streams; the exit code is the program's own, 128+N for signal N, 124 "
    "out\n"
    "of time, 137 out of memory, 125 when it could not be run. Ctrl-C cancels.\n"
    "bash and sh both are the image's own sh (busybox's ash, unless you have another), not GNU "
    "bash.\n\n"
    "Examples:\n"
    "  gantry exec python -c 'print(6 * 7)'\n"
    "  gantry exec script.py first second\n"
    "  echo hello | gantry exec -i python -c 'print(input().upper())'\n"
    "  gantry exec python - < script.py\n"
    "  gantry exec --timeout 2m --memory 512m --file data.csv script.py\n"
    "  gantry exec --image debian:12 -- cat /etc/debian_version\n\n"
    "In a container that runs already, on any host:\n"
    "  gantry exec -it web-1                  its shell, on this terminal\n"
    "  gantry exec -it --host far web-1 top   a program of it\n"
    "  gantry exec --container web-1 ls -l /  a command, to its end";
constexpr const char* images_footer =
    "'make', 'ensure' and 'list' are about the images that programs run in, and talk to the\n"
    "engine itself, without a server; the others ask the server about the images of a host.\n\n"
    "Examples:\n"
    "  gantry images list            what each language runs on\n"
    "  gantry images ensure          pull what is missing, or make it where that fails\n"
    "  gantry images make python sh  make images from this machine's packages";
constexpr const char* make_footer =
    "Fetches packages with mmdebstrap from where this machine gets its own, and imports the result "
    "as\ngantry/python, gantry/node or gantry/sh.\n\n"
    "Examples:\n"
    "  gantry images make            all of them\n"
    "  gantry images make python sh";
constexpr const char* ensure_footer =
    "Examples:\n"
    "  gantry images ensure          the default images, or what serves for them";
constexpr const char* list_footer =
    "Examples:\n"
    "  gantry images list\n"
    "  gantry images list --json";
constexpr const char* token_note =
    "The token is GANTRY_TOKEN, the file of --token-file, or local.token in the server's data "
    "folder.\n\n";
constexpr const char* mcp_examples =
    "Speaks the Model Context Protocol on standard input and output, for clients that start their\n"
    "servers themselves. The server also speaks it over HTTP, at /mcp.\n\n"
    "Examples:\n"
    "  claude mcp add gantry -- gantry mcp\n"
    "  gantry mcp --server http://127.0.0.1:8080";
constexpr const char* version_examples =
    "Examples:\n"
    "  gantry version                also says why the server or its engine can not be reached\n"
    "  gantry version --json";
constexpr const char* completion_footer =
    "Examples:\n"
    "  source <(gantry completion bash)\n"
    "  gantry completion fish > ~/.config/fish/completions/gantry.fish";

void add_config(CLI::App& app, Flags& flags) {
  app.add_option("--config", flags.config, "Configuration file (GANTRY_CONFIG)")->type_name("FILE");
}

void add_data_dir(CLI::App& app, Flags& flags) {
  app.add_option("--data-dir", flags.data_dir, "Where the database and the local token are")
      ->type_name("FOLDER");
}

void add_engine(CLI::App& app, Flags& flags) {
  app.add_option("--engine", flags.engine, "Container engine, unix://…, tcp://… or tls://…")
      ->type_name("ENDPOINT");
}

void add_json(CLI::App& app, Flags& flags) {
  app.add_flag("--json", flags.json, "Output and errors for programs");
}

void add_server(CLI::App& app, Flags& flags) {
  app.add_option("--server", flags.server, "The server (GANTRY_SERVER) [http://127.0.0.1:5920]")
      ->type_name("URL");
  app.add_option("--token-file", flags.token_file,
                 "File with an API token; or GANTRY_TOKEN holds the token itself")
      ->type_name("FILE");
  app.add_option("--context", flags.context, "A server of 'gantry context list' (GANTRY_CONTEXT)")
      ->type_name("NAME");
  add_data_dir(app, flags);
  add_config(app, flags);
  add_json(app, flags);
}

void add_serve(CLI::App& app, Flags& flags) {
  auto* serve = app.add_subcommand("serve", "Start the server: API, console, sandboxes");
  serve->add_option("--listen", flags.listen, "Where to listen; repeatable [127.0.0.1:5920]")
      ->type_name("ADDR:PORT")
      ->allow_extra_args(false);
  add_data_dir(*serve, flags);
  serve
      ->add_option("--database", flags.database,
                   "SQLite file, or postgresql://… [gantry.db in the data folder]")
      ->type_name("PATH");
  add_engine(*serve, flags);
  serve->add_flag("--anonymous-execute", flags.anonymous_execute,
                  "Open /execute, /metrics and Piston's routes without a token, on loopback only");
  serve->add_flag("--new-secret-key", flags.new_secret_key,
                  "The key of the stored secrets is lost: seal with a new one from now on");
  serve
      ->add_option("--tls-certificate", flags.tls_certificate,
                   "Speak TLS where --listen is not loopback: the certificate and its chain, PEM")
      ->type_name("FILE");
  serve->add_option("--tls-key", flags.tls_key, "The certificate's key, PEM")->type_name("FILE");
  serve
      ->add_option("--trusted-proxy", flags.trusted_proxies,
                   "A proxy whose X-Forwarded-For and -Proto are believed; repeatable")
      ->type_name("ADDR[/BITS]")
      ->allow_extra_args(false);
  serve
      ->add_option("--allowed-host", flags.allowed_hosts,
                   "A name it may be called by where --listen is not loopback; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false);
  serve
      ->add_option("--allowed-origin", flags.allowed_origins,
                   "Whose web pages may call Piston's routes; repeatable")
      ->type_name("SCHEME://HOST")
      ->allow_extra_args(false);
  serve->add_option("--executions-max", flags.executions_max, "How many run at once [4]")
      ->type_name("N");
  serve->add_option("--queue-max", flags.queue_max, "How many may wait [256]")->type_name("N");
  for (const auto& setting : execution_settings) {
    if (setting.flag.empty()) continue;
    serve
        ->add_option(std::string{setting.flag}, flags.executions[std::string{setting.key}],
                     std::string{setting.help})
        ->type_name("N");
  }
  for (const auto& setting : oidc_settings) {
    serve
        ->add_option(std::string{setting.flag}, flags.oidc[std::string{setting.key}],
                     std::string{setting.help})
        ->type_name(std::string{setting.type});
  }
  serve->add_option("--log-level", flags.log_level, "debug, info, warn or error [info]")
      ->type_name("LEVEL");
  serve->add_option("--log-format", flags.log_format, "text or json [text]")->type_name("FORMAT");
  add_config(*serve, flags);
  serve->footer(serve_footer);
}

void add_exec(CLI::App& app, Flags& flags) {
  auto* exec = app.add_subcommand("exec", "Run a program in a fresh sandbox");
  // Only for the help text: take_program has taken these words away before CLI11 sees them.
  exec->add_option("PROGRAM", flags.program, "Language, file or command, and its arguments");
  exec->add_option("--image", flags.image, "Run the words as a command in this image")
      ->type_name("IMAGE");
  exec->add_flag("-i,--stdin", flags.input, "Send standard input to the program");
  exec->add_option("-f,--file", flags.files, "Put a file into /box; repeatable")
      ->type_name("PATH[:DEST]")
      ->allow_extra_args(false);
  exec->add_option("-e,--env", flags.env, "Set a variable; repeatable")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  exec->add_option("-t,--timeout", flags.timeout, "Wall time: 500ms, 5s, 2m [10s]")
      ->type_name("TIME");
  exec->add_option("-m,--memory", flags.memory, "Memory: 64m, 1g [256m]")->type_name("SIZE");
  exec->add_option("--cpus", flags.cpus, "Processors: 0.5, 2 [1]")->type_name("N");
  exec->add_option("--pids", flags.pids, "Processes and threads [64]")->type_name("N");
  exec->add_flag("--tty", flags.tty,
                 "With -i, or as -it: the first word is a container, a terminal in it is opened");
  exec->add_flag("--container", flags.in_container,
                 "The first word is a container, the others a command to run in it");
  exec->add_option("--host", flags.container_host, "The host of that container")->type_name("HOST");
  exec->add_option("-u,--user", flags.user, "The user in that container")->type_name("USER");
  exec->add_option("-w,--workdir", flags.working_dir, "The folder in that container")
      ->type_name("FOLDER");
  add_server(*exec, flags);
  exec->footer(exec_footer);
}

void add_images(CLI::App& app, Flags& flags) {
  auto* images =
      app.add_subcommand("images", "The images of a host, and those that programs run in");
  images->require_subcommand(1);
  images->footer(images_footer);
  auto* make = images->add_subcommand("make", "Make images from the distribution's packages");
  make->add_option("NAMES", flags.recipes,
                   fmt::format("{}, a language, or all [the small ones]", sandbox::recipe_names()));
  auto* ensure = images->add_subcommand("ensure", "Pull what is missing, or make it");
  auto* list = images->add_subcommand("list", "Which image serves which language");
  make->footer(make_footer);
  ensure->footer(ensure_footer);
  list->footer(list_footer);
  for (auto* one : {make, ensure, list}) {
    add_engine(*one, flags);
    add_config(*one, flags);
    add_json(*one, flags);
  }
}

void add_database(CLI::App& app, Flags& flags) {
  add_data_dir(app, flags);
  app.add_option("--database", flags.database,
                 "SQLite file, or postgresql://… [gantry.db in the data folder]")
      ->type_name("PATH");
  add_config(app, flags);
}

void add_audit_verify(CLI::App& audit, Flags& flags) {
  auto* verify = audit.add_subcommand(
      "verify", "Check the chain of the whole audit log; opens the database, without a server");
  add_database(*verify, flags);
  add_json(*verify, flags);
}

void add_all(CLI::App& app, Flags& flags) {
  app.name("gantry");
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("gantry {}", version));
  add_serve(app, flags);
  add_exec(app, flags);
  auto* mcp = app.add_subcommand("mcp", "Tools for language models, on standard input and output");
  mcp->footer(fmt::format("{}{}", token_note, mcp_examples));
  add_server(*mcp, flags);
  add_images(app, flags);
  add_verbs(app, flags, add_server);
  add_audit_verify(*app.get_subcommand("audit"), flags);
  add_backups(app, flags, add_database);
  add_doctor(app, flags);
  auto* version_of_all =
      app.add_subcommand("version", "Versions of this program, the server and its engine");
  version_of_all->footer(fmt::format("{}{}", token_note, version_examples));
  add_server(*version_of_all, flags);
  auto* completion = app.add_subcommand("completion", "Print a completion script for a shell");
  completion->add_option("SHELL", flags.shell, "bash, zsh or fish")->required();
  completion->footer(completion_footer);
  // Only for the help text: help_as_flag has taken this word away before CLI11 sees it.
  app.add_subcommand("help", "Tell about a command: gantry help exec");
  app.footer(top_footer);  // last: commands that have none of their own would inherit it
}

/// What the words of a verb name. A host that is added or renamed gets a name that none has.
cli::CommandShape::Names names_of(std::string_view command, std::string_view action) {
  using Names = cli::CommandShape::Names;
  if (command == "exec") return Names::containers;
  for (const auto& verb : cli::verbs()) {
    if (verb.command != command || verb.action != action) continue;
    for (const auto& parameter : verb.parameters) {
      if (parameter.key == "container" || parameter.key == "containers") return Names::containers;
      if (command == "hosts" && parameter.to == cli::Parameter::To::path) return Names::hosts;
    }
  }
  return Names::none;
}

cli::FlagShape flag_of(const CLI::Option& option, const std::string& name) {
  using Value = cli::FlagShape::Value;
  bool takes_value = option.get_items_expected_max() > 0;
  auto value = name == "host" ? Value::host : Value::other;
  return {"--" + name, option.get_description(), takes_value ? value : Value::none};
}

cli::CommandShape shape_of(const CLI::App& command, std::string_view of) {
  cli::CommandShape shape{.name = command.get_name(), .description = command.get_description()};
  for (const auto* option : command.get_options()) {
    for (const auto& name : option->get_lnames()) shape.flags.push_back(flag_of(*option, name));
  }
  std::ranges::sort(shape.flags, {}, &cli::FlagShape::name);
  shape.names = of.empty() ? names_of(shape.name, {}) : names_of(of, shape.name);
  for (const auto* action : command.get_subcommands({})) {
    shape.actions.push_back(shape_of(*action, shape.name));
  }
  return shape;
}

std::vector<cli::CommandShape> shapes_of(const CLI::App& app) {
  std::vector<cli::CommandShape> shapes;
  for (const auto* command : app.get_subcommands({})) shapes.push_back(shape_of(*command, {}));
  for (auto& shape : shapes) {
    if (shape.name == "completion") shape.words = {"bash", "zsh", "fish"};
    if (shape.name == "names") shape.words = {"hosts", "containers"};
    if (shape.name != "help") continue;
    for (const auto& other : shapes) shape.words.push_back(other.name);
  }
  return shapes;
}

/// Where the program's own words begin: what follows `gantry exec`'s flags is not ours to read.
/// A `--` before them is taken away.
Words take_program(CLI::App& app, Words& arguments) {
  if (arguments.empty() || arguments.front() != "exec") return {};
  const auto* exec = app.get_subcommand("exec");
  auto at = arguments.begin() + 1;
  while (at != arguments.end() && at->size() > 1 && at->front() == '-' && *at != "--") {
    // As Docker's users write it; -t alone is the time limit of a program.
    if (*at == "-it" || *at == "-ti") *at = "--tty";
    const auto* option = exec->get_option_no_throw(*at);
    bool takes_value = option != nullptr && option->get_items_expected_max() > 0;
    at += takes_value && at + 1 != arguments.end() ? 2 : 1;
  }
  bool marked = at != arguments.end() && *at == "--";
  Words program(at + (marked ? 1 : 0), arguments.end());
  arguments.erase(at, arguments.end());
  return program;
}

std::string help_command(const CLI::App& app) {
  std::string command{"gantry"};
  const auto* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    command += " " + at->get_name();
  }
  return fmt::format("see '{} --help'", command);
}

const CLI::App* find_command(const CLI::App& app, std::string_view name) {
  auto commands = app.get_subcommands({});
  auto found = std::ranges::find(commands, name, &CLI::App::get_name);
  return found == commands.end() ? nullptr : *found;
}

/// `gantry help images make` is `gantry images make --help`.
void help_as_flag(const CLI::App& app, Words& arguments) {
  if (arguments.empty() || arguments.front() != "help") return;
  arguments.erase(arguments.begin());
  if (!arguments.empty()) {
    const auto* command = find_command(app, arguments.front());
    bool nested = command != nullptr && !command->get_subcommands({}).empty();
    arguments.resize(std::min<std::size_t>(arguments.size(), nested ? 2 : 1));
  }
  if (arguments.empty() || arguments.back() != "--help") arguments.emplace_back("--help");
}

/// CLI11 says no more of what is unknown where a command should be than that one is required.
/// `path` are the words before: `gantry images`.
Result<> check_command(const CLI::App& app, std::span<const std::string> words,
                       const std::string& path) {
  if (words.empty()) return ok;
  const auto& word = words.front();
  auto help = fmt::format("see '{} --help'", path);
  if (word.starts_with('-')) {
    if (app.get_option_no_throw(word) != nullptr) return ok;
    return fail(bad_usage(
        fmt::format("there is no flag '{}' before a command", word.substr(0, word.find('='))),
        fmt::format("flags stand behind the command; {}", help)));
  }
  if (const auto* command = find_command(app, word)) {
    if (command->get_subcommands({}).empty()) return ok;
    return check_command(*command, words.subspan(1), fmt::format("{} {}", path, word));
  }
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands({})) names.push_back(command->get_name());
  auto meant = text::nearest(word, names);
  return fail(bad_usage(fmt::format("there is no command '{} {}'", path, word),
                        meant ? fmt::format("did you mean '{} {}'?", path, *meant)
                              : fmt::format("there are {}", fmt::join(names, ", "))));
}

/// CLI11's sentence as the middle of ours: `A subcommand …` becomes `a subcommand …`, SHELL stays.
std::string cause_of(const CLI::ParseError& error) {
  std::string cause = error.what();
  bool is_name = cause.size() > 1 && std::isupper(static_cast<unsigned char>(cause[1])) != 0;
  if (!cause.empty() && !is_name) {
    cause.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(cause.front())));
  }
  return cause;
}

/// What helps who has mistyped a flag of the command that was chosen, or given one it has not.
std::string flag_remedy(const CLI::App& app, const Words& arguments) {
  const auto* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  std::vector<std::string> names;
  for (const auto* option : at->get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const auto& word : arguments) {
    auto flag = word.substr(0, word.find('='));
    if (!flag.starts_with("--") || std::ranges::find(names, flag) != names.end()) continue;
    if (auto meant = text::nearest(flag, names)) return fmt::format("did you mean '{}'?", *meant);
  }
  return help_command(app);
}

/// Lets CLI11 read; its exceptions end here. Text: help or version that was asked for.
Result<OptionalText> parse(CLI::App& app, const Words& arguments) {
  if (arguments.empty()) return app.help();
  if (auto known = check_command(app, arguments, "gantry"); !known) return fail(known.error());
  Words words{arguments.rbegin(), arguments.rend()};  // CLI11 takes them from the back
  try {
    app.parse(std::move(words));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    return app.help();
  } catch (const CLI::CallForVersion&) {
    return fmt::format("gantry {}\n", version);
  } catch (const CLI::ExtrasError& error) {
    return fail(bad_usage(cause_of(error), flag_remedy(app, arguments)));
  } catch (const CLI::ParseError& error) {
    return fail(bad_usage(cause_of(error), help_command(app)));
  }
}

}  // namespace

Error bad_usage(std::string cause, std::string remedy) {
  return {ErrorKind::invalid, "bad_usage",
          fmt::format("cannot read the command line: {}", text::one_line(cause)),
          std::move(remedy)};
}

Result<CommandLine> read_command_line(Words arguments) {
  CommandLine line;
  CLI::App app{
      "Gantry operates the containers of all your Docker hosts, and runs programs in "
      "throw-away sandboxes."};
  add_all(app, line.flags);
  help_as_flag(app, arguments);
  spell_out(arguments);
  line.program = take_program(app, arguments);
  auto shown = parse(app, arguments);
  if (!shown) return fail(shown.error());
  line.shown = std::move(*shown);
  if (line.shown) return line;
  const auto* chosen = app.get_subcommands().front();
  line.command = chosen->get_name();
  auto inner = chosen->get_subcommands();
  if (!inner.empty()) line.action = inner.front()->get_name();
  line.shapes = shapes_of(app);
  return line;
}

}  // namespace gantry::main
