#include "cli/verb_tables.hpp"

#include <array>

// `gantry ps`, `logs`, `stats`, `start` … and `gantry containers …`
namespace gantry::cli {
namespace {

using enum Parameter::Kind;
using enum Parameter::To;

constexpr Parameter host{"--host", "host", "The host it is on; needed where several have the name",
                         runner};
constexpr Parameter containers{"CONTAINER...", "containers", "Names, or beginnings of ids", runner,
                               list};
constexpr Parameter container{"CONTAINER", "container", "Name, or beginning of the id", runner};
constexpr Parameter grace{"-t,--timeout", "grace_seconds", "Before it is killed [10s]", body,
                          seconds};

constexpr std::array ps_parameters{
    Parameter{"--host", "host", "Of this host alone", query},
    Parameter{"--group", "group", "Of the hosts of this group", query},
    Parameter{"--project", "project", "Of this Compose project", query},
    Parameter{"--state", "state", "running, exited, paused …", query},
    Parameter{"--health", "health", "healthy, unhealthy, starting", query},
    Parameter{"--label", "label", "NAME or NAME=VALUE; repeatable", query, list},
    Parameter{"-s,--search", "q", "In names, images, ids and projects", query},
    Parameter{"--sort", "sort", "name, created, state, host or image", query},
    Parameter{"--order", "order", "asc or desc", query},
    Parameter{"-q,--quiet", "ids", "Only ids", runner, on},
    Parameter{"-a,--all", "all", "Stopped ones, too, as it does anyway", runner, on},
};
constexpr std::array plain{containers, host};
constexpr std::array with_grace{containers, host, grace};
constexpr std::array kill_parameters{
    containers, host, Parameter{"-s,--signal", "signal", "SIGTERM, HUP, 9 [SIGKILL]"}};
constexpr std::array remove_parameters{
    containers, host, Parameter{"-f,--force", "force", "Even when it runs: it is killed", body, on},
    Parameter{"-v,--volumes", "volumes", "With its anonymous volumes", body, on}};
constexpr std::array rename_parameters{container, Parameter{"NEW", "name", "The new name"}, host};
constexpr std::array one{container, host};
constexpr std::array inspect_parameters{
    container, host,
    Parameter{"--unmask", "unmask", "Show secret values; needs the right, and is audited", query,
              on}};
constexpr std::array update_parameters{
    container,
    host,
    Parameter{"-m,--memory", "memory_bytes", "Memory: 512m, 2g", body, size},
    Parameter{"--memory-swap", "memory_swap_bytes", "Memory and swap together: 1g", body, size},
    Parameter{"--cpus", "cpus", "Processors: 0.5, 2", body, decimal},
    Parameter{"--pids", "pids", "Processes and threads", body, number}};
constexpr std::array logs_parameters{
    container,
    host,
    Parameter{"-f,--follow", "follow", "Go on with what comes", query, on},
    Parameter{"-n,--tail", "tail", "Only the last lines [all]", query},
    Parameter{"--since", "since", "From this time: 10m, 2h, 2026-11-22T10:00:00Z", query},
    Parameter{"--until", "until", "To this time", query},
    Parameter{"-t,--timestamps", "timestamps", "Each line with its time", query, on},
    Parameter{"--stream", "stream", "stdout or stderr [both]", query}};
constexpr std::array stats_parameters{
    Parameter{"CONTAINER", "container", "Name, or beginning of the id", runner}, host,
    Parameter{"--no-stream", "once", "One reading, and end", runner, on}};

constexpr std::array names_parameters{Parameter{"KIND", "kind", "hosts or containers", runner}};

constexpr std::array change_columns{Column{"CHANGE", "change"}, Column{"PATH", "path"}};

constexpr std::string_view ps_examples =
    "  gantry ps\n"
    "  gantry ps --host web1 --state running\n"
    "  gantry ps --search nginx --json";
constexpr std::string_view logs_examples =
    "  gantry logs -f shop-web-1\n"
    "  gantry logs --host web1 --tail 100 --since 1h nginx";
constexpr std::string_view action_examples =
    "  gantry restart shop-web-1\n"
    "  gantry stop --host web1 nginx redis";

/// What is done to containers, as the API calls it; the command is called so, too, but for `rm`.
Verb action(std::string_view command, std::string_view help, std::span<const Parameter> parameters,
            std::string_view done) {
  return {.command = command,
          .action = {},
          .help = help,
          .method = "POST",
          .path = "/api/v1/containers/actions",
          .parameters = parameters,
          .done = done,
          .runner = run_container_action,
          .examples = action_examples};
}

/// A look at one container: what follows its own path.
Verb look(std::string_view action, std::string_view help, std::span<const Parameter> parameters,
          std::string_view path, std::string_view method = "GET",
          std::span<const Column> columns = {}) {
  return {.command = "containers",
          .action = action,
          .help = help,
          .method = method,
          .path = path,
          .parameters = parameters,
          .columns = columns,
          .done = method == "GET" ? std::string_view{} : "'{container}' is changed",
          .runner = run_container_look};
}

}  // namespace

std::span<const Verb> container_verbs() {
  static const std::vector<Verb> verbs{
      {.command = "ps",
       .help = "List containers of all hosts",
       .path = "/api/v1/containers",
       .parameters = ps_parameters,
       .runner = run_ps,
       .examples = ps_examples},
      {.command = "logs",
       .help = "Show what a container has printed",
       .path = "/logs",
       .parameters = logs_parameters,
       .runner = run_logs,
       .examples = logs_examples},
      {.command = "stats",
       .help = "Show what a container uses",
       .path = "/stats",
       .parameters = stats_parameters,
       .runner = run_stats},
      action("start", "Start containers", plain, "started"),
      action("stop", "Stop containers", with_grace, "stopped"),
      action("restart", "Restart containers", with_grace, "restarted"),
      action("pause", "Pause containers", plain, "paused"),
      action("unpause", "Let paused containers go on", plain, "unpaused"),
      action("kill", "Send containers a signal", kill_parameters, "killed"),
      action("rm", "Remove containers", remove_parameters, "removed"),
      {.command = "containers",
       .action = "list",
       .help = "List containers, as 'gantry ps'",
       .path = "/api/v1/containers",
       .parameters = ps_parameters,
       .runner = run_ps},
      {.command = "names",
       .help = "List names alone, for shells that complete them",
       .path = {},
       .parameters = names_parameters,
       .runner = run_names},
      look("inspect", "Show all about a container", inspect_parameters, ""),
      look("top", "Show the processes of a container", one, "/top"),
      look("changes", "Show what a container changed in its files", one, "/changes", "GET",
           change_columns),
      look("rename", "Rename a container", rename_parameters, "/rename", "POST"),
      look("update", "Change what a container may use", update_parameters, "/update", "POST"),
  };
  return verbs;
}

}  // namespace gantry::cli
