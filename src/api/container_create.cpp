#include "api/container_form.hpp"
#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "base/text.hpp"
#include "fleet/creation.hpp"

// A new container from a typed form.
namespace gantry::api {
namespace {

/// To which Compose project it shall belong: the label decides who may make it, and see it.
std::string project_of(const ContainerForm& form) {
  auto label = form.wanted.labels.find("com.docker.compose.project");
  return label == form.wanted.labels.end() ? std::string{} : label->second;
}

json::Object created_json(const fleet::Created& created, const std::string& host) {
  json::Array warnings;
  for (const auto& warning : created.warnings) warnings.emplace_back(text::one_line(warning));
  json::Object json{{"host", host}, {"id", created.id}, {"warnings", std::move(warnings)}};
  if (created.not_started) json["not_started"] = error_json(*created.not_started);
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
  auto role = role_on(call, **host, project).value_or(access::Role::viewer);
  auto created =
      co_await fleet::create(call.services.operations, fleet::actor_of(*call.identity), role,
                             {.host = *host,
                              .name = std::move(form->name),
                              .wanted = std::move(form->wanted),
                              .named = std::move(form->dangers),
                              .start = form->start});
  if (!created) co_return fail(std::move(created.error()));
  co_return json_reply(201, created_json(*created, (*host)->name()));
}

}  // namespace gantry::api
