#pragma once

#include "fleet/view.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Compose projects, as their containers' labels tell of them. Pure: everything is worked out from
/// a host's view.
namespace gantry::fleet {

enum class ServiceState : std::uint8_t {
  running,    ///< All its containers run.
  partial,    ///< Some do.
  completed,  ///< None does, and all have ended with 0: a one-shot service has done its work.
  stopped,    ///< None does.
};
/// `running`, `partial`, `completed`, `stopped`.
std::string_view word(ServiceState state);

/// Points into the view that it was made from.
struct Service {
  std::string name;
  std::vector<const Container*> containers;  ///< By name; those of `compose run` are none of them.
  std::vector<std::string> depends_on;       ///< Names of services.
  /// How many others must start before it, one after the other: those of a level start at once.
  std::size_t level = 0;
  ServiceState state = ServiceState::stopped;
};

enum class ProjectState : std::uint8_t {
  running,  ///< Something runs, and nothing is missing: every service runs or is completed.
  partial,  ///< Something runs, and something should that does not.
  stopped,  ///< Nothing runs.
  exited,   ///< Nothing runs, and every service is completed.
};
/// `running`, `partial`, `stopped`, `exited`.
std::string_view word(ProjectState state);

struct Project {
  std::string name;
  std::vector<Service> services;  ///< What others depend on comes first.
  ProjectState state = ProjectState::stopped;
};

/// The projects among a host's containers, by name; only of those for which `shown` is true.
/// Containers with a project but no service belong to a service without a name.
std::vector<Project> projects_of(const std::vector<Container>& containers,
                                 const std::function<bool(const Container&)>& shown);

/// The services in what `com.docker.compose.depends_on` says, such as
/// `db:service_healthy:false,cache:service_started:true`.
std::vector<std::string> read_depends_on(std::string_view label);

/// Puts what others depend on before them, else by name, and sets the levels. Where they depend on
/// each other in a circle, its members come by name.
void order_by_dependency(std::vector<Service>& services);

/// The code with which a container ended, as its status tells: `Exited (137) 2 hours ago`.
std::optional<int> exit_code_in(std::string_view status);

}  // namespace gantry::fleet
