#include "main/doctor_options.hpp"

#include "doctor/accounts.hpp"
#include "engine/client.hpp"
#include "sandbox/canary.hpp"

#include <charconv>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace gantry::main {
namespace {

constexpr const char* usual_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr const char* footer =
    "Looks at this machine by itself; no server is needed. Ends with 0 when Docker can be used as\n"
    "it should be, with 1 when something is to be mended, with 2 when Docker can not be used or\n"
    "is open to everybody.\n\n"
    "Examples:\n"
    "  gantry doctor                          who may use the engine here, and why not\n"
    "  gantry doctor --service gantry-agent   the same for a service's process\n"
    "  sudo gantry doctor --fix --dry-run     what would mend it\n"
    "  sudo gantry doctor --fix               ask, then mend it for whoever runs sudo\n"
    "  gantry doctor --deep                   names, registries and the sandbox as well\n"
    "  gantry doctor --json                   the report for programs";

std::string variable(const Surroundings& world, std::string_view name) {
  auto found = world.variables.find(name);
  return found == world.variables.end() ? std::string{} : found->second;
}

template <class Number>
Result<std::optional<Number>> number_of(const OptionalText& text, std::string_view flag) {
  if (!text) return std::optional<Number>{};
  Number number = 0;
  auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), number);
  bool whole = failed == std::errc{} && end == text->data() + text->size();
  // The largest group id is none: by it the kernel's calls say "leave it as it is".
  bool none = number < 1 || number == std::numeric_limits<Number>::max();
  if (!whole || none) {
    return fail(ErrorKind::invalid, "bad_usage",
                fmt::format("cannot read the command line: {} is not a number from 1 on: '{}'",
                            flag, *text),
                "see 'gantry doctor --help'");
  }
  return std::optional{number};
}

/// Compose reads `.env` beside its file: where one of both is, the id is wanted.
std::filesystem::path usual_env_file(const Surroundings& world) {
  for (const auto* file :
       {".env", "compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"}) {
    if (world.exists(file)) return ".env";
  }
  return {};
}

/// Under sudo HOME and XDG_RUNTIME_DIR are root's, and contexts and engines are the person's.
void take_files_of(const std::string& person, const Surroundings& world,
                   doctor::Environment& environment) {
  auto home = person.empty() ? std::string{} : doctor::home_folder(person);
  if (home.empty()) return;
  if (variable(world, "DOCKER_CONFIG").empty()) {
    environment.docker_folder = std::filesystem::path{home} / ".docker";
  }
  environment.runtime_folder = "/run/user/" + variable(world, "SUDO_UID");
}

/// Refused: invalid, `bad_usage`.
Result<> check_combination(const DoctorFlags& its) {
  if (int{its.pid.has_value()} + int{its.service.has_value()} + int{its.user.has_value()} > 1) {
    return fail(ErrorKind::invalid, "bad_usage",
                "cannot read the command line: --pid, --service and --user exclude each other",
                "name one of them");
  }
  if (!its.fix && (its.dry_run || its.yes || its.gid || its.env_file)) {
    return fail(
        ErrorKind::invalid, "bad_usage",
        "cannot read the command line: --dry-run, --yes, --gid and --env-file go with --fix",
        "add --fix");
  }
  return ok;
}

cli::DoctorCommand::Consent consent_in(const DoctorFlags& its) {
  using Consent = cli::DoctorCommand::Consent;
  if (!its.fix) return Consent::none;
  if (its.dry_run) return Consent::dry_run;
  return its.yes ? Consent::given : Consent::asked;
}

/// The doctor knows nothing of sandboxes: this is how it tries one.
async::task<Result<doctor::Canary>> run_canary(async::Executor executor, net::Connect connect,
                                               net::Endpoint endpoint) {
  engine::Client engine{executor, std::move(connect), std::move(endpoint)};
  auto report = co_await sandbox::run_canary(executor, engine);
  if (!report) co_return fail(report.error());
  co_return doctor::Canary{.image = std::move(report->image),
                           .held = std::move(report->held),
                           .open = std::move(report->open),
                           .languages = std::move(report->languages),
                           .image_names = std::move(report->recipes)};
}

}  // namespace

doctor::Environment doctor_environment(const Surroundings& world) {
  doctor::Environment out;
  out.docker_host = variable(world, "DOCKER_HOST");
  out.docker_context = variable(world, "DOCKER_CONTEXT");
  out.docker_tls = variable(world, "DOCKER_TLS");
  out.docker_tls_verify = variable(world, "DOCKER_TLS_VERIFY");
  out.docker_cert_path = variable(world, "DOCKER_CERT_PATH");
  out.docker_folder = variable(world, "DOCKER_CONFIG");
  if (out.docker_folder.empty()) {
    out.docker_folder = std::filesystem::path{variable(world, "HOME")} / ".docker";
  }
  out.runtime_folder = variable(world, "XDG_RUNTIME_DIR");
  out.path = variable(world, "PATH");
  if (out.path.empty()) out.path = usual_path;
  return out;
}

std::size_t screen_width() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0U;
}

bool shows_colours(const Surroundings& world) {
  return ::isatty(STDOUT_FILENO) == 1 && variable(world, "NO_COLOR").empty();
}

void add_doctor(CLI::App& app, Flags& flags) {
  auto& its = flags.doctor;
  auto* doctor =
      app.add_subcommand("doctor", "Why Docker can not be used here, and how to mend it");
  doctor->add_flag("--deep", its.deep,
                   "Look up names, ask registries and run a program in a sandbox, too");
  doctor->add_flag("--fix", its.fix, "Mend what can be mended; shows each step and asks");
  doctor->add_flag("--dry-run", its.dry_run, "With --fix: show the steps, change nothing");
  doctor->add_flag("-y,--yes", its.yes, "With --fix: do not ask");
  doctor->add_option("--gid", its.gid, "With --fix: this group id instead of the socket's")
      ->type_name("N");
  doctor->add_option("--env-file", its.env_file, "With --fix: where DOCKER_GID is written [.env]")
      ->type_name("FILE");
  doctor->add_option("--pid", its.pid, "Examine this process")->type_name("N");
  doctor->add_option("--service", its.service, "Examine this service's process")->type_name("UNIT");
  doctor->add_option("--user", its.user, "Examine what this account would be allowed")
      ->type_name("NAME");
  doctor->add_option("--engine", its.engine, "Examine this endpoint, not the one in force")
      ->type_name("ENDPOINT");
  doctor->add_flag("--json", flags.json, "The report for programs");
  doctor->footer(footer);
}

Result<cli::DoctorCommand> doctor_command(const Flags& flags, const Surroundings& world) {
  const auto& its = flags.doctor;
  auto pid = number_of<int>(its.pid, "--pid");
  if (!pid) return fail(pid.error());
  auto gid = number_of<doctor::Id>(its.gid, "--gid");
  if (!gid) return fail(gid.error());
  if (auto checked = check_combination(its); !checked) return fail(checked.error());
  cli::DoctorCommand command;
  command.format = flags.json ? cli::Format::json : cli::Format::text;
  command.question = {.pid = *pid,
                      .service = its.service.value_or(""),
                      .user = its.user.value_or(""),
                      .endpoint = its.engine.value_or(""),
                      .deep = its.deep};
  command.environment = doctor_environment(world);
  command.environment.run_canary = run_canary;
  // Under sudo it is the person before it whose access is in question.
  bool nobody_named = !its.pid && !its.service && !its.user;
  if (its.fix && nobody_named) {
    command.question.user = variable(world, "SUDO_USER");
    take_files_of(command.question.user, world, command.environment);
  }
  command.fix = {
      .gid = *gid,
      .env_file = its.env_file ? std::filesystem::path{*its.env_file} : usual_env_file(world),
      .service = its.service.value_or(""),
      .path = command.environment.path};
  command.consent = consent_in(its);
  command.width = screen_width();
  if (shows_colours(world)) command.screen = cli::DoctorCommand::Screen::terminal;
  return command;
}

}  // namespace gantry::main
