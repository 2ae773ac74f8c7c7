#include "api/host_access.hpp"

#include "api/containers.hpp"
#include "base/text.hpp"
#include "engine/containers.hpp"
#include "engine/refusal.hpp"

#include <fmt/format.h>

namespace gantry::api {
namespace {

constexpr std::size_t id_digits_min = 12;
constexpr std::string_view engine_unusable =
    "the engine of the sandboxes can not be used; ask who runs this server";

std::unexpected<Error> no_such_host(std::string_view name) {
  return fail(ErrorKind::not_found, "no_such_host",
              fmt::format("cannot find host '{}'", text::shortened(text::one_line(name), 64)),
              "list the hosts you may see with 'gantry hosts'");
}

/// Of somebody who knows that the host is there, for a project on it.
std::unexpected<Error> not_the_whole_host(const fleet::Host& host) {
  return fail(
      ErrorKind::not_found, "no_such_host",
      fmt::format("cannot find host '{}' as a whole: you see only projects on it", host.name()),
      "name a project of yours where one can be named, or ask an admin for the host");
}

/// The same of a project that is not theirs; whether it is there must not show.
std::unexpected<Error> not_for_the_project(const fleet::Host& host, std::string_view project) {
  return fail(ErrorKind::not_found, "no_such_host",
              fmt::format("cannot find host '{}' for project '{}': you have no project of that "
                          "name there",
                          host.name(), text::shortened(text::one_line(project), 64)),
              "list the projects you may see with 'gantry projects list'");
}

std::unexpected<Error> no_such_container(std::string_view host, std::string_view reference) {
  return fail(ErrorKind::not_found, "no_such_container",
              fmt::format("cannot find container '{}' on '{}'",
                          text::shortened(text::one_line(reference), 128), host),
              "list the containers you may see with 'gantry ps'");
}

bool is_meant(const fleet::Container& container, std::string_view reference) {
  if (container.name == reference || container.id == reference) return true;
  return reference.size() >= id_digits_min && container.id.starts_with(reference);
}

FoundContainer found(std::shared_ptr<fleet::Host> host, const fleet::Container& container) {
  return {.host = std::move(host),
          .id = container.id,
          .name = container.name,
          .project = container.project.value_or("")};
}

/// A name before a part of an id: a container may be called like another's id.
const fleet::Container* known(const fleet::HostView& view, std::string_view reference) {
  const fleet::Container* by_id = nullptr;
  for (const auto& container : view.containers) {
    if (container.name == reference || container.id == reference) return &container;
    if (is_meant(container, reference)) by_id = &container;
  }
  return by_id;
}

/// What the link has not seen yet, or hides.
async::task<Result<FoundContainer>> ask_engine(std::shared_ptr<fleet::Host> host,
                                               std::string reference) {
  auto details = co_await engine::inspect_container(host->engine(), reference);
  if (!details && details.error().kind == ErrorKind::not_found) {
    co_return no_such_container(host->name(), reference);
  }
  if (!details) co_return fail(std::move(details.error()));
  const auto& labels = details->settings.labels;
  if (is_sandbox(details->name, labels)) co_return no_such_container(host->name(), reference);
  auto project = labels.find("com.docker.compose.project");
  co_return FoundContainer{.host = std::move(host),
                           .id = std::move(details->id),
                           .name = std::move(details->name),
                           .project = project == labels.end() ? std::string{} : project->second};
}

}  // namespace

std::optional<access::Role> role_on(const Call& call, const fleet::Host& host,
                                    std::string_view project) {
  return call.rights().role_on(host.name(), host.config().groups, project);
}

Result<std::shared_ptr<fleet::Host>> visible_host(Call& call, std::string_view name) {
  auto host = call.services.fleet.find(name);
  if (!host || !call.rights().sees_host(host->name(), host->config().groups)) {
    return no_such_host(name);
  }
  return host;
}

Result<std::shared_ptr<fleet::Host>> host_for(Call& call, std::string_view name,
                                              access::Role needed, std::string_view project) {
  auto host = call.services.fleet.find(name);
  if (!host) return no_such_host(name);
  auto role = role_on(call, *host, project);
  if (!role && call.rights().sees_host(host->name(), host->config().groups)) {
    if (!project.empty()) return not_for_the_project(*host, project);
    return not_the_whole_host(*host);
  }
  if (!role) return no_such_host(name);
  if (!access::includes(*role, needed)) return access::role_missing(*role, needed);
  return host;
}

Result<std::shared_ptr<fleet::Host>> host_for(Call& call, access::Role needed,
                                              std::string_view project) {
  return host_for(call, call.id, needed, project);
}

async::task<Result<FoundContainer>> find_container(Call& call, std::string host_name,
                                                   std::string reference, access::Role needed) {
  auto host = visible_host(call, host_name);
  if (!host) co_return fail(std::move(host.error()));
  if (!engine::valid_container_reference(reference)) {
    co_return no_such_container((*host)->name(), reference);
  }
  Result<FoundContainer> container;
  // What is hidden takes the way of what is not known, so that no answer tells them apart.
  const auto* seen = known((*host)->view(), reference);
  if (seen != nullptr && role_on(call, **host, seen->project.value_or(""))) {
    container = found(*host, *seen);
  } else {
    container = co_await ask_engine(*host, reference);
  }
  if (!container) co_return container;
  auto role = role_on(call, *container->host, container->project);
  if (!role) co_return no_such_container(container->host->name(), reference);
  if (!access::includes(*role, needed)) co_return access::role_missing(*role, needed);
  co_return container;
}

async::task<Result<FoundContainer>> container_for(Call& call, access::Role needed) {
  return find_container(call, call.id, call.part, needed);
}

Error told_error(const Call& call, std::string_view name, Error error) {
  if (!engine::is_of_the_way(error)) return error;
  auto host = call.services.fleet.find(name);
  bool sees = host ? role_on(call, *host, {}).has_value() : !call.rights().restricted();
  if (sees) return error;
  error.message = host ? fmt::format("cannot reach host '{}'", host->name())
                       : std::string{"cannot reach the engine"};
  error.remedy = "ask somebody who sees the whole host";
  return error;
}

std::string told_message(const Call& call, const executions::Record& record) {
  if (!record.outcome) return {};
  const auto& outcome = *record.outcome;
  if (!engine::is_of_the_way({.code = outcome.error_code})) return outcome.message;
  auto host = call.services.fleet.local();
  bool sees = !call.rights().restricted() || (host && role_on(call, *host, {}));
  return sees ? outcome.message : std::string{engine_unusable};
}

bool may_unmask(const Call& call, const FoundContainer& container) {
  const auto& host = *container.host;
  return call.rights().has(access::Extra::unmask, host.name(), host.config().groups,
                           container.project);
}

}  // namespace gantry::api
