#include "fleet/projects.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace gantry::fleet {
namespace {

constexpr std::string_view depends_on_label = "com.docker.compose.depends_on";
constexpr std::string_view one_off_label = "com.docker.compose.oneoff";
constexpr std::size_t dependencies_max = 256;

constexpr std::array<std::string_view, 4> service_words{"running", "partial", "completed",
                                                        "stopped"};
constexpr std::array<std::string_view, 4> project_words{"running", "partial", "stopped", "exited"};

bool runs(const Container& container) {
  static constexpr std::array<std::string_view, 3> states{"running", "paused", "restarting"};
  return std::ranges::find(states, container.state) != states.end();
}

bool is_completed(const Container& container) {
  return container.state == "exited" && exit_code_in(container.status) == 0;
}

ServiceState state_of(const std::vector<const Container*>& containers) {
  auto is_running = [](const Container* container) { return runs(*container); };
  auto is_done = [](const Container* container) { return is_completed(*container); };
  if (std::ranges::all_of(containers, is_running)) return ServiceState::running;
  if (std::ranges::any_of(containers, is_running)) return ServiceState::partial;
  return std::ranges::all_of(containers, is_done) ? ServiceState::completed : ServiceState::stopped;
}

ProjectState state_of(const std::vector<Service>& services) {
  auto in = [&](ServiceState state) {
    return std::ranges::count(services, state, &Service::state);
  };
  auto all = static_cast<std::ptrdiff_t>(services.size());
  auto running = in(ServiceState::running);
  auto completed = in(ServiceState::completed);
  if (running > 0)
    return running + completed == all ? ProjectState::running : ProjectState::partial;
  if (in(ServiceState::partial) > 0) return ProjectState::partial;
  return completed == all && all > 0 ? ProjectState::exited : ProjectState::stopped;
}

using ByService = std::map<std::string, std::vector<const Container*>>;

Service service_of(std::string name, std::vector<const Container*> containers) {
  std::ranges::sort(containers, {}, &Container::name);
  Service service{.name = std::move(name), .containers = std::move(containers)};
  service.state = state_of(service.containers);
  for (const auto* container : service.containers) {
    auto label = container->labels.find(depends_on_label);
    if (!label) continue;
    for (auto& needed : read_depends_on(*label)) {
      bool told = std::ranges::find(service.depends_on, needed) != service.depends_on.end();
      if (!told && needed != service.name) service.depends_on.push_back(std::move(needed));
    }
  }
  return service;
}

Project project_of(std::string name, ByService services) {
  Project project{.name = std::move(name)};
  for (auto& [service, containers] : services) {
    project.services.push_back(service_of(service, std::move(containers)));
  }
  order_by_dependency(project.services);
  project.state = state_of(project.services);
  return project;
}

}  // namespace

std::string_view word(ServiceState state) { return service_words[static_cast<std::size_t>(state)]; }
std::string_view word(ProjectState state) { return project_words[static_cast<std::size_t>(state)]; }

std::optional<int> exit_code_in(std::string_view status) {
  constexpr std::string_view before = "Exited (";
  if (!status.starts_with(before)) return std::nullopt;
  status.remove_prefix(before.size());
  int code = 0;
  auto [end, wrong] = std::from_chars(status.data(), status.data() + status.size(), code);
  bool closed = end != status.data() + status.size() && *end == ')';
  return wrong == std::errc{} && closed ? std::optional{code} : std::nullopt;
}

std::vector<std::string> read_depends_on(std::string_view label) {
  std::vector<std::string> names;
  for (auto item : text::split(label, ',')) {
    auto name = text::trimmed(item.substr(0, item.find(':')));
    if (!name.empty() && names.size() < dependencies_max) names.emplace_back(name);
  }
  return names;
}

void order_by_dependency(std::vector<Service>& services) {
  std::ranges::sort(services, {}, &Service::name);
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < services.size(); ++i) places.emplace(services[i].name, i);
  std::vector<std::vector<std::size_t>> needed_by(services.size());
  std::vector<std::size_t> needs(services.size());
  for (std::size_t i = 0; i < services.size(); ++i) {
    for (const auto& name : services[i].depends_on) {
      auto needed = places.find(name);
      if (needed == places.end()) continue;
      needed_by[needed->second].push_back(i);
      ++needs[i];
    }
  }
  // Numbers follow the names. In a circle nobody is free: then the first goes.
  std::set<std::size_t> waiting;
  std::set<std::size_t> free;
  for (std::size_t i = 0; i < services.size(); ++i) (needs[i] == 0 ? free : waiting).insert(i);
  std::vector<Service> ordered;
  ordered.reserve(services.size());
  while (!free.empty() || !waiting.empty()) {
    auto& from = free.empty() ? waiting : free;
    auto next = *from.begin();
    from.erase(from.begin());
    for (auto later : needed_by[next]) {
      services[later].level = std::max(services[later].level, services[next].level + 1);
      if (--needs[later] == 0 && waiting.erase(later) != 0) free.insert(later);
    }
    ordered.push_back(std::move(services[next]));
  }
  services = std::move(ordered);
}

std::vector<Project> projects_of(const std::vector<Container>& containers,
                                 const std::function<bool(const Container&)>& shown) {
  std::map<std::string, ByService> found;
  for (const auto& container : containers) {
    if (!container.project || !shown(container)) continue;
    auto& project = found[*container.project];
    if (container.labels.find(one_off_label) == "True") continue;
    project[container.service.value_or("")].push_back(&container);
  }
  std::vector<Project> projects;
  for (auto& [name, services] : found) projects.push_back(project_of(name, std::move(services)));
  return projects;
}

}  // namespace gantry::fleet
