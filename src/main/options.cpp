#include "main/options.hpp"

#include "base/text.hpp"
#include "cli/contexts.hpp"
#include "cli/local_server.hpp"
#include "engine/image_reference.hpp"
#include "main/backup_options.hpp"
#include "main/command_line.hpp"
#include "main/doctor_options.hpp"
#include "main/exec_options.hpp"
#include "main/execution_options.hpp"
#include "main/remote_options.hpp"
#include "main/settings.hpp"
#include "main/ssh_options.hpp"
#include "main/tls_options.hpp"
#include "net/endpoint.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace gantry::main {
namespace fs = std::filesystem;
namespace {

std::string variable(const Surroundings& world, std::string_view name) {
  auto found = world.variables.find(name);
  return found == world.variables.end() ? "" : found->second;
}

Settings settings_of(const Flags& flags) {
  Settings settings;
  auto add = [&](const char* key, const char* flag, const OptionalText& text) {
    if (text) settings[key] = {{*text}, flag};
  };
  if (!flags.listen.empty()) settings["listen"] = {flags.listen, "--listen"};
  if (!flags.allowed_hosts.empty()) {
    settings["allowed_hosts"] = {flags.allowed_hosts, "--allowed-host"};
  }
  if (!flags.allowed_origins.empty()) {
    settings["allowed_origins"] = {flags.allowed_origins, "--allowed-origin"};
  }
  if (!flags.trusted_proxies.empty()) {
    settings["trusted_proxies"] = {flags.trusted_proxies, "--trusted-proxy"};
  }
  if (flags.anonymous_execute) settings["anonymous_execute"] = {{"true"}, "--anonymous-execute"};
  add("data_dir", "--data-dir", flags.data_dir);
  add("database", "--database", flags.database);
  add("engine", "--engine", flags.engine);
  add("log_level", "--log-level", flags.log_level);
  add("log_format", "--log-format", flags.log_format);
  add("executions_max", "--executions-max", flags.executions_max);
  add("queue_max", "--queue-max", flags.queue_max);
  add("server", "--server", flags.server);
  add("tls_certificate", "--tls-certificate", flags.tls_certificate);
  add("tls_key", "--tls-key", flags.tls_key);
  for (const auto& setting : execution_settings) {
    auto given = flags.executions.find(std::string{setting.key});
    if (given != flags.executions.end() && given->second) {
      settings[std::string{setting.key}] = {{*given->second}, std::string{setting.flag}};
    }
  }
  for (const auto& setting : oidc_settings) {
    auto given = flags.oidc.find(std::string{setting.key});
    if (given != flags.oidc.end() && given->second) {
      settings[std::string{setting.key}] = {{*given->second}, std::string{setting.flag}};
    }
  }
  return settings;
}

/// Where this user's settings are; empty when nobody says.
fs::path config_folder(const Surroundings& world) {
  if (auto folder = variable(world, "XDG_CONFIG_HOME"); !folder.empty()) {
    return fs::path{folder} / "gantry";
  }
  auto home = variable(world, "HOME");
  return home.empty() ? fs::path{} : fs::path{home} / ".config/gantry";
}

/// The file that is named, else the first of the usual ones that is there.
Result<ConfigFile> read_config(const Flags& flags, const Surroundings& world) {
  auto named = flags.config.value_or(variable(world, "GANTRY_CONFIG"));
  std::vector<fs::path> usual;
  if (auto folder = config_folder(world); !folder.empty()) usual.push_back(folder / "gantry.toml");
  usual.emplace_back("/etc/gantry/gantry.toml");
  if (named.empty()) {
    auto found = std::ranges::find_if(usual, world.is_file);
    if (found == usual.end()) return ConfigFile{};
    named = found->string();
  }
  auto text = world.read(named);
  if (!text) return fail(text.error());
  return parse_config(*text, named);
}

/// Where the packaged service keeps its data.
constexpr const char* service_data_dir = "/var/lib/gantry";

fs::path default_data_dir(const Surroundings& world) {
  // systemd sets it for units with StateDirectory=; several are separated by colons.
  auto state = variable(world, "STATE_DIRECTORY");
  if (!state.empty()) return state.substr(0, state.find(':'));
  auto data = variable(world, "XDG_DATA_HOME");
  if (!data.empty()) return fs::path{data} / "gantry";
  auto home = variable(world, "HOME");
  if (!home.empty()) return fs::path{home} / ".local/share/gantry";
  return service_data_dir;
}

std::string default_engine(const Surroundings& world) {
  if (auto host = variable(world, "DOCKER_HOST"); !host.empty()) {
    bool tls = !variable(world, "DOCKER_TLS_VERIFY").empty() && host.starts_with("tcp://");
    return tls ? fmt::format("tls://{}", host.substr(6)) : host;
  }
  const fs::path usual{"/var/run/docker.sock"};
  auto runtime = variable(world, "XDG_RUNTIME_DIR");
  auto rootless = fs::path{runtime} / "docker.sock";
  bool only_rootless = !world.exists(usual) && !runtime.empty() && world.exists(rootless);
  return fmt::format("unix://{}", (only_rootless ? rootless : usual).string());
}

Result<std::string> engine_of(const Settings& settings, const Surroundings& world) {
  auto engine = text_setting(settings, "engine", default_engine(world));
  if (auto endpoint = net::Endpoint::parse(engine); !endpoint) return fail(endpoint.error());
  return engine;
}

/// Where Docker's own client looks for certificates, when it is its settings that are used.
fs::path docker_certificates(const Settings& settings, const Surroundings& world) {
  bool used = !settings.contains("engine") && !variable(world, "DOCKER_TLS_VERIFY").empty();
  if (!used) return {};
  auto named = variable(world, "DOCKER_CERT_PATH");
  return named.empty() ? fs::path{variable(world, "HOME")} / ".docker" : fs::path{named};
}

Result<> check_listen(const Given& given) {
  for (const auto& text : given.texts) {
    auto colon = text.rfind(':');
    unsigned port = 0;
    const auto* begin = text.data() + (colon == text.npos ? text.size() : colon + 1);
    const auto* end = text.data() + text.size();
    auto [rest, error] = std::from_chars(begin, end, port);
    bool sound =
        colon != text.npos && colon > 0 && error == std::errc{} && rest == end && port <= 65535;
    if (!sound) {
      return fail(ErrorKind::invalid, "bad_setting",
                  fmt::format("cannot use '{}' of {}: it is not ADDRESS:PORT", text::one_line(text),
                              given.origin),
                  "write it like 127.0.0.1:5920 or [::1]:5920");
    }
  }
  return ok;
}

/// Names as they stand in a Host header, without the port.
Result<Words> allowed_hosts(const Settings& settings) {
  Words names;
  auto given = settings.find("allowed_hosts");
  if (given == settings.end()) return names;
  for (const auto& text : given->second.texts) {
    auto name = text::lowered(text);
    constexpr auto letters = "abcdefghijklmnopqrstuvwxyz0123456789-._";
    if (name.empty() || name.find_first_not_of(letters) != name.npos) {
      return fail(ErrorKind::invalid, "bad_setting",
                  fmt::format("cannot use '{}' of {}: it is not the name of a host",
                              text::one_line(text), given->second.origin),
                  "write it like gantry.example.org, without scheme and port");
    }
    names.push_back(std::move(name));
  }
  return names;
}

/// Whether it is what browsers send as Origin: scheme, host and, where it is not the usual, port.
bool is_origin(std::string_view text) {
  for (std::string_view scheme : {"https://", "http://"}) {
    if (!text.starts_with(scheme)) continue;
    constexpr auto letters = "abcdefghijklmnopqrstuvwxyz0123456789-._:[]";
    auto rest = text.substr(scheme.size());
    return !rest.empty() && rest.find_first_not_of(letters) == rest.npos;
  }
  return false;
}

Result<Words> allowed_origins(const Settings& settings) {
  Words origins;
  auto given = settings.find("allowed_origins");
  if (given == settings.end()) return origins;
  for (const auto& text : given->second.texts) {
    auto origin = text::lowered(text);
    if (!is_origin(origin)) {
      return fail(ErrorKind::invalid, "bad_setting",
                  fmt::format("cannot use '{}' of {}: it is not the origin of web pages",
                              text::one_line(text), given->second.origin),
                  "write it like https://editor.example.org, without a path");
    }
    origins.push_back(std::move(origin));
  }
  return origins;
}

Result<> check_data_dir(const Settings& settings) {
  auto given = settings.find("data_dir");
  if (given == settings.end() || !given->second.texts.front().empty()) return ok;
  return fail(ErrorKind::invalid, "bad_setting",
              fmt::format("cannot use '' of {}: it names no folder", given->second.origin),
              "name the folder that holds the server's data, or leave it out");
}

Result<LocalOptions> local_options(const Settings& settings) {
  LocalOptions local;
  auto use =
      settings.contains("local_executor") ? switch_setting(settings, "local_executor") : true;
  auto trusted = switch_setting(settings, "local_trusted");
  if (!use) return fail(use.error());
  if (!trusted) return fail(trusted.error());
  local.use = *use ? LocalOptions::Use::yes : LocalOptions::Use::no;
  local.trust = *trusted ? sandbox::Trust::everyone : sandbox::Trust::nobody;
  return local;
}

/// What the owner's own tables name may be fetched from where they say.
void name_registries(ServeOptions& options) {
  auto name = [&](const std::string& image) {
    auto reference = engine::ImageReference::parse(image);
    if (reference) options.images.rules.add_registry_of(*reference);
  };
  for (const auto& language : options.languages.all()) name(language.image);
  for (const auto& [asked, served] : options.image_aliases) name(asked);
}

DatabaseOptions database_options(const Settings& settings, const Surroundings& world) {
  return {.data_dir = text_setting(settings, "data_dir", default_data_dir(world).string()),
          .url = text_setting(settings, "database", ""),
          .password_file = text_setting(settings, "database_password_file", "")};
}

Result<ServeOptions> serve_options(const Settings& settings, const ConfigFile& config,
                                   const Surroundings& world) {
  ServeOptions options;
  if (auto listen = settings.find("listen"); listen != settings.end()) {
    if (auto checked = check_listen(listen->second); !checked) return fail(checked.error());
    options.listen = listen->second.texts;
  }
  options.data_dir = text_setting(settings, "data_dir", default_data_dir(world).string());
  options.database = text_setting(settings, "database", "");
  options.database_password_file = text_setting(settings, "database_password_file", "");
  if (auto given = settings.find("trusted_proxies"); given != settings.end()) {
    auto proxies = net::http::TrustedProxies::parse(given->second.texts);
    if (!proxies) return fail(proxies.error());
    options.trusted_proxies = std::move(*proxies);
  }
  if (auto credentials = variable(world, "CREDENTIALS_DIRECTORY"); !credentials.empty()) {
    options.secret_key_credential = fs::path{credentials} / "gantry-secret-key";
  }
  auto engine = engine_of(settings, world);
  auto anonymous = switch_setting(settings, "anonymous_execute");
  auto hosts = allowed_hosts(settings);
  auto origins = allowed_origins(settings);
  auto level = word_setting(settings, "log_level", 1, {"debug", "info", "warn", "error"});
  auto style = word_setting(settings, "log_format", 0, {"text", "json"});
  auto executions = number_setting(settings, "executions_max", options.executions_max, 256);
  auto queue = number_setting(settings, "queue_max", options.queue_max, 100'000);
  if (!engine) return fail(engine.error());
  if (!anonymous) return fail(anonymous.error());
  if (!hosts) return fail(hosts.error());
  if (!origins) return fail(origins.error());
  for (const auto& number : {level, style, executions, queue}) {
    if (!number) return fail(number.error());
  }
  auto local = local_options(settings);
  if (!local) return fail(local.error());
  options.local = *local;
  options.engine = *engine;
  options.anonymous_execute = *anonymous ? AnonymousExecute::yes : AnonymousExecute::no;
  options.allowed_hosts = std::move(*hosts);
  options.allowed_origins = std::move(*origins);
  options.log_level = static_cast<log::Level>(*level);
  options.log_style = static_cast<log::Style>(*style);
  auto more = execution_options(settings);
  if (!more) return fail(more.error());
  options.executions = std::move(*more);
  auto tls = tls_options(settings, docker_certificates(settings, world), world.exists);
  if (!tls) return fail(tls.error());
  options.tls = std::move(*tls);
  options.doctor = doctor_environment(world);
  options.ssh = ssh_places(settings, options.data_dir, variable(world, "RUNTIME_DIRECTORY"));
  auto oidc = oidc_options(settings);
  if (!oidc) return fail(oidc.error());
  options.oidc = std::move(*oidc);
  auto images = image_options(settings);
  if (!images) return fail(images.error());
  options.images = std::move(*images);
  options.executions_max = *executions;
  options.queue_max = *queue;
  if (config.aliases) options.image_aliases = *config.aliases;
  if (config.languages) options.languages = *config.languages;
  if (config.bounds) options.bounds = *config.bounds;
  name_registries(options);
  return options;
}

/// The server that a context names: `--context`, GANTRY_CONTEXT or the one in use. None where
/// somebody names the server itself.
Result<cli::ServerContext> server_context(const Flags& flags, const Settings& settings,
                                          const Surroundings& world) {
  auto path = config_folder(world) / cli::Contexts::file_name;
  auto named = flags.context.value_or(variable(world, "GANTRY_CONTEXT"));
  if (named.empty() && (settings.contains("server") || !world.is_file(path))) {
    return cli::ServerContext{};
  }
  auto text = world.is_file(path) ? world.read(path) : Result<std::string>{""};
  if (!text) return fail(text.error());
  auto contexts = cli::parse_contexts(*text, path.string());
  if (!contexts) return fail(contexts.error());
  auto name = named.empty() ? contexts->current : named;
  if (name.empty()) return cli::ServerContext{};
  auto found = contexts->all.find(name);
  if (found != contexts->all.end()) return found->second;
  return fail(ErrorKind::invalid, "no_such_context",
              fmt::format("cannot find context '{}'", text::one_line(name)),
              "'gantry context list' lists them");
}

/// Where the server that wrote a token file listens on this machine; empty: none says so.
std::string address_beside(const fs::path& token_file, const Surroundings& world) {
  if (token_file.empty()) return {};
  auto path = cli::addresses_beside(token_file);
  auto text = world.is_file(path) ? world.read(path) : Result<std::string>{""};
  auto urls = cli::local_addresses(text.value_or(""));
  return urls.empty() ? std::string{} : urls.front();
}

Result<cli::ServerAccess> server_access(const Flags& flags, const Settings& settings,
                                        const Surroundings& world) {
  auto context = server_context(flags, settings, world);
  if (!context) return fail(context.error());
  cli::ServerAccess access;
  fs::path data_dir{text_setting(settings, "data_dir", default_data_dir(world).string())};
  access.token_file = data_dir / cli::local_token_file;
  if (!settings.contains("data_dir")) {
    access.service_token_file = fs::path{service_data_dir} / cli::local_token_file;
  }
  auto running = address_beside(access.token_file, world);
  if (running.empty()) running = address_beside(access.service_token_file, world);
  if (!running.empty()) access.url = running;
  access.url = text_setting(settings, "server", access.url);
  if (!context->server.empty()) access.url = context->server;
  access.token = Secret{variable(world, "GANTRY_TOKEN")};
  auto named = flags.token_file.value_or(variable(world, "GANTRY_TOKEN_FILE"));
  if (named.empty()) named = context->token_file;
  if (!named.empty()) {
    access.token_file = named;
    access.token_file_kind = cli::ServerAccess::TokenFile::named;
    access.service_token_file.clear();
    if (flags.token_file) access.token = Secret{};
  }
  return access;
}

cli::RemoteCommand remote_command(const cli::Verb& verb, const Flags& flags,
                                  cli::ServerAccess access, const Surroundings& world) {
  cli::RemoteCommand command;
  command.server = std::move(access);
  command.format = flags.json ? cli::Format::json : cli::Format::text;
  command.verb = &verb;
  auto given = flags.given.find(fmt::format("{} {}", verb.command, verb.action));
  CHECK(given != flags.given.end());
  for (const auto& [key, texts] : given->second) {
    if (!texts.empty()) command.given.emplace(key, texts);
  }
  if (shows_colours(world)) command.screen = cli::RemoteCommand::Screen::terminal;
  command.width = screen_width();
  command.config_folder = config_folder(world);
  auto docker = variable(world, "DOCKER_CONFIG");
  command.docker_folder =
      docker.empty() ? fs::path{variable(world, "HOME")} / ".docker" : fs::path{docker};
  return command;
}

/// What package tools need of our environment, and nothing else of it.
Words package_environment(const Surroundings& world) {
  auto path = variable(world, "PATH");
  Words env{fmt::format("PATH={}{}/usr/sbin:/usr/bin:/sbin:/bin", path, path.empty() ? "" : ":"),
            "LC_ALL=C.UTF-8"};
  for (const auto* name : {"HOME", "TMPDIR", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY",
                           "HTTPS_PROXY", "NO_PROXY"}) {
    if (auto value = variable(world, name); !value.empty()) {
      env.push_back(fmt::format("{}={}", name, value));
    }
  }
  return env;
}

Result<cli::ImagesCommand> images_command(const std::string& action, const Flags& flags,
                                          const Settings& settings, const ConfigFile& config,
                                          const Surroundings& world) {
  using Action = cli::ImagesCommand::Action;
  cli::ImagesCommand command;
  command.action = action == "make"     ? Action::make
                   : action == "ensure" ? Action::ensure
                                        : Action::list;
  auto engine = engine_of(settings, world);
  if (!engine) return fail(engine.error());
  command.engine = *engine;
  auto tls = tls_options(settings, docker_certificates(settings, world), world.exists);
  if (!tls) return fail(tls.error());
  command.engine_tls = std::move(tls->engine);
  command.aliases = config.aliases.value_or(sandbox::default_aliases());
  if (config.languages) command.languages = *config.languages;
  command.names = flags.recipes;
  command.env = package_environment(world);
  auto temporary = variable(world, "TMPDIR");
  // Images are too large for the /tmp of machines that keep it in memory.
  command.temporary = temporary.empty() ? "/var/tmp" : temporary;
  return command;
}

/// The command with everything that was said about it.
Result<Invocation> invocation_of(CommandLine line, const Surroundings& world) {
  const auto& flags = line.flags;
  auto config = read_config(flags, world);
  if (!config) return fail(config.error());
  auto settings = merged(merged(config->settings, settings_of_environment(world.variables)),
                         settings_of(flags));
  if (auto checked = check_data_dir(settings); !checked) return fail(checked.error());
  auto wrap = [](auto command) -> Result<Invocation> {
    if (!command) return fail(command.error());
    return Invocation{std::move(*command)};
  };
  if (line.command == "serve") {
    auto serve = serve_options(settings, *config, world);
    if (serve && flags.new_secret_key) serve->new_secret_key = NewKey::accepted;
    return wrap(std::move(serve));
  }
  auto format = flags.json ? cli::Format::json : cli::Format::text;
  if (line.command == "audit" && line.action == "verify") {
    return Invocation{AuditVerifyCommand{database_options(settings, world), format}};
  }
  if (is_backup(line.command)) {
    return Invocation{backup_command(line, database_options(settings, world))};
  }
  if (line.command == "images" && find_verb(line.command, line.action) == nullptr) {
    auto images = images_command(line.action, flags, settings, *config, world);
    if (images) images->format = format;
    return wrap(std::move(images));
  }
  auto access = server_access(flags, settings, world);
  if (!access) return fail(access.error());
  if (const auto* verb = find_verb(line.command, line.action)) {
    return Invocation{remote_command(*verb, flags, std::move(*access), world)};
  }
  if (line.command == "mcp") return Invocation{cli::McpCommand{std::move(*access), format}};
  if (line.command == "version") return Invocation{cli::VersionCommand{std::move(*access), format}};
  CHECK(line.command == "exec");
  if (means_container(flags)) {
    auto exec = container_exec_command(flags, std::move(line.program), variable(world, "TERM"));
    if (exec) exec->server = std::move(*access);
    return wrap(std::move(exec));
  }
  auto exec = exec_command(flags, std::move(line.program));
  if (!exec) return fail(exec.error());
  exec->server = std::move(*access);
  if (config->languages) exec->languages = *config->languages;
  exec->format = format;
  return wrap(std::move(exec));
}

}  // namespace

Result<Invocation> read_options(Words arguments, const Surroundings& world) {
  auto line = read_command_line(std::move(arguments));
  if (!line) return fail(line.error());
  if (line->shown) return Invocation{Shown{*line->shown}};
  if (line->command == "completion") {
    auto script = cli::completion_script(line->flags.shell, line->shapes);
    if (!script) return fail(script.error());
    return Invocation{Shown{*script}};
  }
  // It must work where the configuration does not.
  if (line->command == "doctor") {
    auto doctor = doctor_command(line->flags, world);
    if (!doctor) return fail(doctor.error());
    return Invocation{std::move(*doctor)};
  }
  return invocation_of(std::move(*line), world);
}

}  // namespace gantry::main
