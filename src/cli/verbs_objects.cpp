#include "cli/verb_tables.hpp"

#include <array>

// `gantry images|volumes|networks|projects …` of hosts, and `gantry events`.
namespace gantry::cli {
namespace {

using enum Parameter::Kind;
using enum Parameter::To;
using Show = Column::Show;

constexpr Parameter host{"--host", "host", "The host [local]", path};
constexpr Parameter preview{"--dry-run", "preview", "Only tell what would go", body, on};

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
constexpr std::array pull{Parameter{"IMAGE", "image", "What to pull: nginx:1.27"}, host};
constexpr std::array tag{Parameter{"IMAGE", "name", "The image", path},
                         Parameter{"TAG", "tag", "Its new name: shop/web:2"}, host};
constexpr std::array remove_image{
    Parameter{"IMAGE", "name", "The image", path},
    Parameter{"-f,--force", "force", "Even when a stopped container is made of it", query, on},
    host};
constexpr std::array prune_images{
    host, preview, Parameter{"-a,--all", "all", "Also those that have a tag", body, on}};
constexpr std::array prune{host, preview};
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

}  // namespace

std::span<const Verb> object_verbs() {
  static const std::vector<Verb> verbs{
      list_of("images", "ls", "List the images of a host", "/api/v1/hosts/{host}/images", of_host,
              image_columns),
      of("images", "pull", "Pull an image", "POST", "/api/v1/hosts/{host}/images/pull", pull,
         "image '{image}' is there"),
      of("images", "tag", "Give an image another name", "POST",
         "/api/v1/hosts/{host}/images/{name}/tag", tag, "image '{name}' is '{tag}', too"),
      of("images", "rm", "Remove an image", "DELETE", "/api/v1/hosts/{host}/images/{name}",
         remove_image, "image '{name}' is removed"),
      of("images", "prune", "Remove images that nothing uses", "POST",
         "/api/v1/hosts/{host}/images/prune", prune_images),
      list_of("volumes", "ls", "List the volumes of a host", "/api/v1/hosts/{host}/volumes",
              of_host, volume_columns),
      of("volumes", "create", "Make a volume", "POST", "/api/v1/hosts/{host}/volumes", new_volume,
         "volume '{name}' is made"),
      of("volumes", "rm", "Remove a volume and what it holds", "DELETE",
         "/api/v1/hosts/{host}/volumes/{name}", one_object, "volume '{name}' is removed"),
      of("volumes", "prune", "Remove volumes that nothing uses", "POST",
         "/api/v1/hosts/{host}/volumes/prune", prune),
      list_of("networks", "ls", "List the networks of a host", "/api/v1/hosts/{host}/networks",
              of_host, network_columns),
      of("networks", "create", "Make a network", "POST", "/api/v1/hosts/{host}/networks",
         new_network, "network '{name}' is made"),
      of("networks", "rm", "Remove a network", "DELETE", "/api/v1/hosts/{host}/networks/{name}",
         one_object, "network '{name}' is removed"),
      of("networks", "prune", "Remove networks that nothing uses", "POST",
         "/api/v1/hosts/{host}/networks/prune", prune),
      list_of("projects", "list", "List Compose projects", "/api/v1/projects", project_list,
              project_columns),
      of("projects", "show", "Show a project", "GET", "/api/v1/hosts/{host}/projects/{name}",
         one_object),
      of("projects", "start", "Start a project", "POST",
         "/api/v1/hosts/{host}/projects/{name}/start", one_object, "project '{name}' is started"),
      of("projects", "stop", "Stop a project", "POST", "/api/v1/hosts/{host}/projects/{name}/stop",
         one_object, "project '{name}' is stopped"),
      of("projects", "restart", "Restart a project", "POST",
         "/api/v1/hosts/{host}/projects/{name}/restart", one_object,
         "project '{name}' is restarted"),
  };
  return verbs;
}

}  // namespace gantry::cli
