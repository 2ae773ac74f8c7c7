#include "api/container_form.hpp"
#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/host_objects.hpp"
#include "base/text.hpp"
#include "engine/images.hpp"
#include "engine/names.hpp"
#include "engine/networks.hpp"
#include "engine/volumes.hpp"
#include "fleet/creation.hpp"

#include <fmt/format.h>

// A new container from a typed form.
namespace gantry::api {
namespace {

/// To which Compose project it shall belong: the label decides who may make it, and see it.
std::string project_of(const ContainerForm& form) {
  auto label = form.wanted.labels.find("com.docker.compose.project");
  return label == form.wanted.labels.end() ? std::string{} : label->second;
}

/// What belongs to the host as a whole. Without a network the engine takes `bridge`.
Result<> check_common_network(const std::optional<std::string>& network) {
  if (network && *network != "bridge" && *network != "host") return ok;
  return fail(ErrorKind::denied, "network_of_the_host",
              fmt::format("cannot create container: the network '{}' belongs to the host as a "
                          "whole, and you operate a project of it",
                          network.value_or("bridge")),
              "name a network of the project, or 'none'");
}

async::task<Result<>> check_network(Call& call, HostPointer host, std::optional<std::string> name) {
  if (name == "none") co_return ok;
  if (auto fine = check_common_network(name); !fine) co_return fine;
  auto hidden = no_such("network", *name, *host);
  if (!engine::valid_name(*name)) co_return fail(std::move(hidden));
  auto network = co_await engine::inspect_network(host->engine(), *name);
  if (!network && network.error().kind == ErrorKind::not_found) co_return fail(std::move(hidden));
  if (!network) co_return fail(std::move(network.error()));
  co_return check_role(call, *host, project_in(network->labels), access::Role::operator_, hidden);
}

async::task<Result<>> check_volume(Call& call, HostPointer host, std::string name) {
  auto hidden = no_such("volume", name, *host);
  if (!engine::valid_name(name)) co_return fail(std::move(hidden));
  auto volume = co_await engine::inspect_volume(host->engine(), std::move(name));
  // The engine would make one that belongs to no project.
  if (!volume && volume.error().kind == ErrorKind::not_found) co_return fail(std::move(hidden));
  if (!volume) co_return fail(std::move(volume.error()));
  co_return check_role(call, *host, project_in(volume->labels), access::Role::operator_, hidden);
}

/// What Compose has built for a project carries its label, as what the project runs does. Which
/// other images a host has is not told, so that one that is hidden is like one that is not there.
async::task<Result<>> check_image(Call& call, HostPointer host, std::string name) {
  Error hidden{ErrorKind::not_found, "no_such_image",
               fmt::format("cannot find image '{}' on '{}': there is none of that name or id that "
                           "you may use",
                           text::shortened(text::one_line(name), 80), host->name()),
               "ask somebody who operates the whole host to pull it"};
  if (!engine::valid_image_id(name) && !engine::ImageReference::parse(name)) {
    co_return fail(std::move(hidden));
  }
  auto image = co_await engine::inspect_image(host->engine(), std::move(name));
  if (!image && image.error().kind == ErrorKind::not_found) co_return fail(std::move(hidden));
  if (!image) co_return fail(std::move(image.error()));
  auto project = project_in(image->labels);
  if (!project.empty() && !role_on(call, *host, project)) co_return fail(std::move(hidden));
  co_return ok;
}

/// Who operates projects of a host and not all of it brings nothing into a container that is not
/// theirs: else the container would be a way to everything else there.
async::task<Result<>> check_parts(Call& call, HostPointer host,
                                  const engine::NewContainer& wanted) {
  auto whole = role_on(call, *host, "");
  if (whole && access::includes(*whole, access::Role::operator_)) co_return ok;
  if (auto fine = co_await check_image(call, host, wanted.image); !fine) co_return fine;
  if (auto fine = co_await check_network(call, host, wanted.network); !fine) co_return fine;
  for (const auto& mount : wanted.volumes) {
    if (auto fine = co_await check_volume(call, host, mount.volume); !fine) co_return fine;
  }
  co_return ok;
}

json::Object created_json(const Call& call, const fleet::Created& created,
                          const std::string& host) {
  json::Array warnings;
  for (const auto& warning : created.warnings) warnings.emplace_back(text::one_line(warning));
  json::Object json{{"host", host}, {"id", created.id}, {"warnings", std::move(warnings)}};
  if (created.not_started)
    json["not_started"] = error_json(told_error(call, host, *created.not_started));
  return json;
}

}  // namespace

Answer create_container(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  // Who may not make any container here learns nothing of how forms are judged.
  auto visible = visible_host(call, call.id);
  if (!visible) co_return fail(std::move(visible.error()));
  auto form = co_await read_json(call, read_container_form);
  if (!form) co_return fail(std::move(form.error()));
  auto project = project_of(*form);
  auto host = host_for(call, access::Role::operator_, project);
  if (!host) co_return fail(std::move(host.error()));
  if (auto fine = co_await check_parts(call, *host, form->wanted); !fine) {
    co_return fail(std::move(fine.error()));
  }
  auto role = role_on(call, **host, project).value_or(access::Role::viewer);
  auto created =
      co_await fleet::create(call.services.operations, fleet::actor_of(*call.identity), role,
                             {.host = *host,
                              .name = std::move(form->name),
                              .wanted = std::move(form->wanted),
                              .named = std::move(form->dangers),
                              .start = form->start});
  if (!created) co_return fail(std::move(created.error()));
  co_return json_reply(201, created_json(call, *created, (*host)->name()));
}

}  // namespace gantry::api
