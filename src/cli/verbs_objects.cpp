#include "cli/verb_tables.hpp"

#include <array>

// `gantry images|volumes|networks|projects …` of hosts, and `gantry events`.
namespace gantry::cli {
namespace {

using enum Parameter::Kind;
using enum Parameter::To;
using Show = Column::Show;

constexpr Parameter host{"--host", "host", "The host [local]", path};
constexpr Parameter preview{"--dry-run", "dry_run", "Only tell what would go", runner, on};
constexpr Parameter unasked{"-f,--force", "force", "Without being asked", runner, on};

constexpr std::array image_columns{Column{"ID", "id", Show::id}, Column{"TAGS", "tags", Show::list},
                                   Column{"SIZE", "size_bytes", Show::size},
                                   Column{"CREATED", "created_at", Show::age}};
constexpr std::array volume_columns{Column{"NAME", "name"}, Column{"DRIVER", "driver"},
                                    Column{"CREATED", "created_at", Show::age}};
constexpr std::array network_columns{Column{"ID", "id", Show::id}, Column{"NAME", "name"},
                                     Column{"DRIVER", "driver"}, Column{"SCOPE", "scope"},
                                     Column{"INTERNAL", "internal", Show::yes}};
constexpr std::array project_columns{Column{"HOST", "host"}, Column{"NAME", "name"},
                                     Column{"STATE", "state"},
                                     Column{"SERVICES", "services", Show::count}};

constexpr std::array of_host{host};
constexpr Parameter image{"IMAGE", "image", "Name, or beginning of the id", runner};
constexpr std::array pull{Parameter{"IMAGE", "reference", "What to pull: nginx:1.27"}, host};
constexpr std::array one_image{image, host};
constexpr std::array tag{image, Parameter{"TAG", "reference", "Its new name: shop/web:2"}, host};
constexpr std::array remove_image{
    image,
    Parameter{"-f,--force", "force", "With all its names, and when a stopped container has it",
              query, on},
    host};
constexpr std::array prune_images{
    host, preview, unasked,
    Parameter{"-a,--all", "all", "Also those that have a name and are not used", runner, on}};
constexpr std::array prune_volumes{
    host, preview, unasked,
    Parameter{"-a,--all", "all", "Also those that somebody has named", runner, on}};
constexpr std::array prune{host, preview, unasked};
constexpr std::array connection{Parameter{"NAME", "name", "The network", path},
                                Parameter{"CONTAINER", "container", "Name, or whole id"}, host};
constexpr std::array service_columns{Column{"SERVICE", "name"}, Column{"STATE", "state"},
                                     Column{"CONTAINERS", "containers", Show::count},
                                     Column{"DEPENDS ON", "depends_on", Show::list}};
constexpr std::array prunable_columns{
    Column{"ID", "id", Show::id}, Column{"NAMES", "names", Show::list},
    Column{"SIZE", "size_bytes", Show::size}, Column{"CREATED", "created_at", Show::age}};
constexpr std::array prunable_volume_columns{Column{"NAME", "id"}};
constexpr std::array project_logs{
    Parameter{"NAME", "name", "The project", path},
    Parameter{"--host", "host", "The host it is on; needed where several have the name", path},
    Parameter{"-f,--follow", "follow", "Go on with what comes", query, on},
    Parameter{"-n,--tail", "tail", "Only the last lines [all]", query},
    Parameter{"--since", "since", "From this time: 10m, 2h, 2026-11-22T10:00:00Z", query},
    Parameter{"--until", "until", "To this time", query},
    Parameter{"-t,--timestamps", "timestamps", "Each line with its time", query, on},
    Parameter{"--service", "service", "Of this service alone", query}};
constexpr std::array one_project{
    Parameter{"NAME", "name", "The project", path},
    Parameter{"--host", "host", "The host it is on; needed where several have the name", path}};
constexpr std::array event_parameters{
    Parameter{"--host", "host", "On this host; repeatable", query, list},
    Parameter{"--type", "type", "container, image, network, volume or host; repeatable", query,
              list},
    Parameter{"--action", "action", "start, die, pull …; repeatable", query, list},
    Parameter{"--after", "after", "What follows the event of this id, as --json shows it", runner}};
constexpr std::string_view event_examples =
    "  gantry events\n"
    "  gantry events --type container --action die --json";
constexpr std::array one_object{Parameter{"NAME", "name", "The name", path}, host};
constexpr std::array new_volume{
    Parameter{"NAME", "name", "The name"}, host,
    Parameter{"--label", "labels", "NAME=VALUE; repeatable", body, map}};
constexpr std::array new_network{
    Parameter{"NAME", "name", "The name"}, host,
    Parameter{"--internal", "internal", "Without a way outside", body, on},
    Parameter{"--label", "labels", "NAME=VALUE; repeatable", body, map}};
constexpr std::array project_list{Parameter{"--host", "host", "Of this host alone", query}};

/// An object of a host, below `/api/v1/hosts/{host}/`.
Verb of(std::string_view command, std::string_view action, std::string_view help,
        std::string_view method, std::string_view path, std::span<const Parameter> parameters,
        std::string_view done = {}) {
  return {.command = command,
          .action = action,
          .help = help,
          .method = method,
          .path = path,
          .parameters = parameters,
          .done = done};
}

Verb list_of(std::string_view command, std::string_view action, std::string_view help,
             std::string_view path, std::span<const Parameter> parameters,
             std::span<const Column> columns) {
  return {.command = command,
          .action = action,
          .help = help,
          .path = path,
          .parameters = parameters,
          .columns = columns};
}

/// An image, which its runner finds; `path` follows the image's own.
Verb by_runner(std::string_view command, std::string_view action, std::string_view help,
               std::string_view method, std::string_view path,
               std::span<const Parameter> parameters,
               async::task<Result<int>> (*runner)(Context&, RemoteCommand),
               std::string_view done = {}) {
  auto verb = of(command, action, help, method, path, parameters, done);
  verb.runner = runner;
  return verb;
}

Verb prune_of(std::string_view command, std::string_view help,
              std::span<const Parameter> parameters, std::span<const Column> columns) {
  return {.command = command,
          .action = "prune",
          .help = help,
          .method = "POST",
          .path = command == "images"    ? "/api/v1/hosts/{host}/images/prune"
                  : command == "volumes" ? "/api/v1/hosts/{host}/volumes/prune"
                                         : "/api/v1/hosts/{host}/networks/prune",
          .parameters = parameters,
          .columns = columns,
          .runner = run_prune};
}

}  // namespace

std::span<const Verb> object_verbs() {
  static const std::vector<Verb> verbs{
      list_of("images", "ls", "List the images of a host", "/api/v1/hosts/{host}/images", of_host,
              image_columns),
      by_runner("images", "pull", "Pull an image", "POST", "images/pull", pull, run_image_pull,
                "image '{reference}' is there"),
      by_runner("images", "show", "Show all about an image", "GET", "", one_image, run_image),
      by_runner("images", "tag", "Give an image another name", "POST", "/tag", tag, run_image,
                "image '{image}' is '{reference}', too"),
      by_runner("images", "rm", "Remove an image, or one of its names", "DELETE", "", remove_image,
                run_image, "image '{image}' is removed"),
      prune_of("images", "Remove images that nothing uses", prune_images, prunable_columns),
      list_of("volumes", "ls", "List the volumes of a host", "/api/v1/hosts/{host}/volumes",
              of_host, volume_columns),
      of("volumes", "create", "Make a volume", "POST", "/api/v1/hosts/{host}/volumes", new_volume,
         "volume '{name}' is made"),
      of("volumes", "show", "Show all about a volume", "GET", "/api/v1/hosts/{host}/volumes/{name}",
         one_object),
      of("volumes", "rm", "Remove a volume and what it holds", "DELETE",
         "/api/v1/hosts/{host}/volumes/{name}", one_object, "volume '{name}' is removed"),
      prune_of("volumes", "Remove volumes that nothing uses", prune_volumes,
               prunable_volume_columns),
      list_of("networks", "ls", "List the networks of a host", "/api/v1/hosts/{host}/networks",
              of_host, network_columns),
      of("networks", "create", "Make a network", "POST", "/api/v1/hosts/{host}/networks",
         new_network, "network '{name}' is made"),
      of("networks", "show", "Show all about a network", "GET",
         "/api/v1/hosts/{host}/networks/{name}", one_object),
      of("networks", "rm", "Remove a network", "DELETE", "/api/v1/hosts/{host}/networks/{name}",
         one_object, "network '{name}' is removed"),
      prune_of("networks", "Remove networks that nothing uses", prune, prunable_columns),
      of("networks", "connect", "Put a container into a network", "POST",
         "/api/v1/hosts/{host}/networks/{name}/connect", connection,
         "'{container}' is in network '{name}'"),
      of("networks", "disconnect", "Take a container out of a network", "POST",
         "/api/v1/hosts/{host}/networks/{name}/disconnect", connection,
         "'{container}' is not in network '{name}' any more"),
      list_of("projects", "list", "List Compose projects", "/api/v1/projects", project_list,
              project_columns),
      {.command = "projects",
       .action = "show",
       .help = "Show the services of a project",
       .path = "/api/v1/hosts/{host}/projects/{name}",
       .parameters = one_project,
       .columns = service_columns,
       .items = "services",
       .pages = Verb::Pages::first},
      {.command = "projects",
       .action = "logs",
       .help = "Show what the services of a project have printed",
       .path = "/api/v1/hosts/{host}/projects/{name}/logs",
       .parameters = project_logs,
       .runner = run_project_logs},
      of("projects", "start", "Start a project", "POST",
         "/api/v1/hosts/{host}/projects/{name}/start", one_project, "project '{name}' is started"),
      of("projects", "stop", "Stop a project", "POST", "/api/v1/hosts/{host}/projects/{name}/stop",
         one_project, "project '{name}' is stopped"),
      of("projects", "restart", "Restart a project", "POST",
         "/api/v1/hosts/{host}/projects/{name}/restart", one_project,
         "project '{name}' is restarted"),
      {.command = "events",
       .help = "Follow what happens on the hosts",
       .path = "/api/v1/events",
       .parameters = event_parameters,
       .runner = run_events,
       .examples = event_examples},
  };
  return verbs;
}

}  // namespace gantry::cli
