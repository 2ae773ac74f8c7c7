#include "api/routes.hpp"

#include "api/handlers.hpp"
#include "base/text.hpp"

#include <array>

#include <fmt/format.h>

namespace gantry::api {
namespace {

using access::Scope;
using enum Least;

constexpr Bytes small_body{64U << 10U};
constexpr Bytes host_body{256U << 10U};
constexpr Bytes program_body{16U << 20U};
constexpr Bytes exec_body{8U << 20U};
constexpr Bytes form_body{64U << 20U};

/// One of Piston's, which stand below /api/v2 and, as its public server had them, one level lower.
constexpr Route piston_route(std::string_view method, std::string_view path, Least least,
                             Handler handler, Body body = Body::none, Bytes body_max = {}) {
  return {method, path,     least,          Scope::executions,          handler,
          body,   body_max, Shape::message, Anonymous::when_configured, Origins::listed};
}

/// One of a host's containers.
constexpr Route container_route(std::string_view method, std::string_view path, Least least,
                                Handler handler, Body body = Body::none) {
  auto body_max = body == Body::none ? Bytes{} : small_body;
  return {method, path, least, Scope::containers, handler, body, body_max};
}

constexpr std::array table{
    Route{"GET", "/api/v1/setup", open, {}, &get_setup},
    Route{"POST", "/api/v1/setup", open, {}, &create_owner, Body::json, small_body},
    Route{"POST", "/api/v1/sessions", open, {}, &create_session, Body::json, small_body},
    Route{"GET", "/api/v1/oidc", open, {}, &get_oidc},
    Route{"GET", "/api/v1/oidc/start", open, {}, &start_oidc},
    Route{"GET", "/api/v1/oidc/callback", open, {}, &finish_oidc},
    Route{"DELETE", "/api/v1/sessions/current", any, {}, &end_session},
    Route{"GET", "/api/v1/me", any, {}, &get_me},
    Route{"PUT", "/api/v1/me/password", any, {}, &change_own_password, Body::json, small_body},

    Route{"GET", "/api/v1/me/sessions", any, Scope::access, &list_own_sessions},
    Route{"DELETE", "/api/v1/me/sessions/{id}", any, Scope::access, &end_own_session},
    Route{"POST", "/api/v1/me/totp", any, {}, &begin_totp},
    Route{"PUT", "/api/v1/me/totp", any, {}, &confirm_totp, Body::json, small_body},
    Route{"DELETE", "/api/v1/me/totp", any, {}, &remove_own_totp, Body::json, small_body},

    Route{"GET", "/api/v1/tokens", any, Scope::access, &list_tokens},
    Route{"POST", "/api/v1/tokens", any, Scope::access, &create_token, Body::json, small_body},
    Route{"DELETE", "/api/v1/tokens/{id}", any, Scope::access, &revoke_token},
    Route{"GET", "/api/v1/users", admin, Scope::access, &list_users},
    Route{"POST", "/api/v1/users", admin, Scope::access, &create_user, Body::json, small_body},
    Route{"PATCH", "/api/v1/users/{id}", admin, Scope::access, &change_user, Body::json,
          small_body},
    Route{"DELETE", "/api/v1/users/{id}", admin, Scope::access, &remove_user},
    Route{"GET", "/api/v1/users/{id}/sessions", admin, Scope::access, &list_user_sessions},
    Route{"DELETE", "/api/v1/users/{id}/sessions/{part}", admin, Scope::access, &end_user_session},
    Route{"DELETE", "/api/v1/users/{id}/totp", admin, Scope::access, &remove_user_totp},
    Route{"GET", "/api/v1/users/{id}/grants", admin, Scope::access, &list_grants},
    Route{"PUT", "/api/v1/users/{id}/grants", admin, Scope::access, &set_grants, Body::json,
          small_body},
    Route{"GET", "/api/v1/audit", admin, Scope::access, &list_audit},
    Route{"GET", "/api/v1/audit/check", admin, Scope::access, &check_audit},
    Route{"GET", "/api/v1/audit/export", admin, Scope::access, &export_audit},

    Route{"GET", "/api/v1/system", any, Scope::system, &get_system},
    Route{"GET", "/api/v1/pools", viewer, Scope::system, &list_pools},
    Route{"GET", "/api/v1/executions", any, Scope::executions, &list_executions},
    Route{"POST", "/api/v1/executions", executor, Scope::executions, &create_execution, Body::json,
          program_body},
    Route{"POST", "/api/v1/executions/batch", executor, Scope::executions, &create_batch,
          Body::json, program_body},
    Route{"GET", "/api/v1/executions/{id}", any, Scope::executions, &get_execution},
    Route{"DELETE", "/api/v1/executions/{id}", executor, Scope::executions, &cancel_execution},
    Route{"GET", "/api/v1/executions/{id}/events", any, Scope::executions, &get_execution_events},
    Route{"GET", "/api/v1/executions/{id}/stream", any, Scope::executions, &open_execution_stream},
    Route{"GET", "/api/v1/executions/{id}/artifacts", any, Scope::executions, &list_artifacts},
    Route{"GET", "/api/v1/executions/{id}/artifacts/{index}", any, Scope::executions,
          &get_artifact},
    Route{"GET", "/api/v1/workspaces", any, Scope::executions, &list_workspaces},
    Route{"GET", "/api/v1/workspaces/{id}", any, Scope::executions, &get_workspace},
    Route{"DELETE", "/api/v1/workspaces/{id}", executor, Scope::executions, &remove_workspace},
    Route{"GET", "/api/v1/hosts", viewer, Scope::containers, &list_hosts},
    Route{"POST", "/api/v1/hosts", admin, Scope::containers, &create_host, Body::json, host_body},
    Route{"GET", "/api/v1/hosts/{id}", viewer, Scope::containers, &get_host},
    Route{"PATCH", "/api/v1/hosts/{id}", admin, Scope::containers, &change_host, Body::json,
          host_body},
    Route{"DELETE", "/api/v1/hosts/{id}", admin, Scope::containers, &remove_host},
    Route{"POST", "/api/v1/hosts/{id}/test", admin, Scope::containers, &test_host},
    Route{"GET", "/api/v1/hosts/{id}/doctor", operator_, Scope::containers, &get_host_doctor},
    Route{"POST", "/api/v1/hosts/{id}/trust", admin, Scope::containers, &trust_host, Body::json,
          small_body},
    Route{"GET", "/api/v1/hosts/{id}/images", viewer, Scope::containers, &list_host_images},
    Route{"GET", "/api/v1/hosts/{id}/volumes", viewer, Scope::containers, &list_host_volumes},
    Route{"GET", "/api/v1/hosts/{id}/networks", viewer, Scope::containers, &list_host_networks},
    Route{"GET", "/api/v1/projects", viewer, Scope::containers, &list_projects},
    Route{"GET", "/api/v1/containers", viewer, Scope::containers, &list_containers},
    Route{"POST", "/api/v1/containers/actions", operator_, Scope::containers, &act_on_containers,
          Body::json, small_body},
    container_route("POST", "/api/v1/hosts/{id}/containers", operator_, &create_container,
                    Body::json),
    container_route("GET", "/api/v1/hosts/{id}/containers/{part}", viewer, &get_container),
    container_route("DELETE", "/api/v1/hosts/{id}/containers/{part}", operator_, &remove_container),
    container_route("POST", "/api/v1/hosts/{id}/containers/{part}/start", operator_,
                    &start_container, Body::other),
    container_route("POST", "/api/v1/hosts/{id}/containers/{part}/stop", operator_, &stop_container,
                    Body::other),
    container_route("POST", "/api/v1/hosts/{id}/containers/{part}/restart", operator_,
                    &restart_container, Body::other),
    container_route("POST", "/api/v1/hosts/{id}/containers/{part}/pause", operator_,
                    &pause_container, Body::other),
    container_route("POST", "/api/v1/hosts/{id}/containers/{part}/unpause", operator_,
                    &unpause_container, Body::other),
    container_route("POST", "/api/v1/hosts/{id}/containers/{part}/kill", operator_, &kill_container,
                    Body::other),
    container_route("POST", "/api/v1/hosts/{id}/containers/{part}/rename", operator_,
                    &rename_container, Body::json),
    container_route("POST", "/api/v1/hosts/{id}/containers/{part}/update", operator_,
                    &update_container, Body::json),
    container_route("GET", "/api/v1/hosts/{id}/containers/{part}/logs", viewer,
                    &get_container_logs),
    container_route("GET", "/api/v1/hosts/{id}/containers/{part}/stats", viewer,
                    &get_container_stats),
    container_route("GET", "/api/v1/hosts/{id}/containers/{part}/top", viewer,
                    &get_container_processes),
    container_route("GET", "/api/v1/hosts/{id}/containers/{part}/changes", viewer,
                    &get_container_changes),
    Route{"GET", "/api/v1/images", viewer, Scope::containers, &list_images},
    Route{"GET", "/api/v1/registries", admin, Scope::access, &list_registries},
    Route{"POST", "/api/v1/registries", admin, Scope::access, &put_registry, Body::json,
          small_body},
    Route{"DELETE", "/api/v1/registries/{id}", admin, Scope::access, &remove_registry},
    Route{"GET", "/api/v1/hosts/{id}/images/{part}", viewer, Scope::containers, &get_host_image},
    Route{"DELETE", "/api/v1/hosts/{id}/images/{part}", operator_, Scope::containers,
          &remove_host_image},
    Route{"POST", "/api/v1/hosts/{id}/images/{part}/tag", operator_, Scope::containers,
          &tag_host_image, Body::json, small_body},
    Route{"POST", "/api/v1/hosts/{id}/images/pull", operator_, Scope::containers, &pull_host_image,
          Body::json, small_body},
    Route{"POST", "/api/v1/hosts/{id}/images/prune", operator_, Scope::containers,
          &prune_host_images, Body::json, small_body},
    Route{"POST", "/api/v1/hosts/{id}/volumes", operator_, Scope::containers, &create_host_volume,
          Body::json, small_body},
    Route{"GET", "/api/v1/hosts/{id}/volumes/{part}", viewer, Scope::containers, &get_host_volume},
    Route{"DELETE", "/api/v1/hosts/{id}/volumes/{part}", operator_, Scope::containers,
          &remove_host_volume},
    Route{"POST", "/api/v1/hosts/{id}/volumes/prune", operator_, Scope::containers,
          &prune_host_volumes, Body::json, small_body},
    Route{"POST", "/api/v1/hosts/{id}/networks", operator_, Scope::containers, &create_host_network,
          Body::json, small_body},
    Route{"GET", "/api/v1/hosts/{id}/networks/{part}", viewer, Scope::containers,
          &get_host_network},
    Route{"DELETE", "/api/v1/hosts/{id}/networks/{part}", operator_, Scope::containers,
          &remove_host_network},
    Route{"POST", "/api/v1/hosts/{id}/networks/{part}/connect", operator_, Scope::containers,
          &connect_host_network, Body::json, small_body},
    Route{"POST", "/api/v1/hosts/{id}/networks/{part}/disconnect", operator_, Scope::containers,
          &disconnect_host_network, Body::json, small_body},
    Route{"POST", "/api/v1/hosts/{id}/networks/prune", operator_, Scope::containers,
          &prune_host_networks, Body::json, small_body},
    Route{"GET", "/api/v1/hosts/{id}/disk-usage", viewer, Scope::containers, &get_disk_usage},
    Route{"GET", "/api/v1/hosts/{id}/projects/{part}", viewer, Scope::containers, &get_project},
    Route{"GET", "/api/v1/hosts/{id}/projects/{part}/logs", viewer, Scope::containers,
          &get_project_logs},
    Route{"POST", "/api/v1/hosts/{id}/projects/{part}/start", operator_, Scope::containers,
          &start_project, Body::other, small_body},
    Route{"POST", "/api/v1/hosts/{id}/projects/{part}/stop", operator_, Scope::containers,
          &stop_project, Body::other, small_body},
    Route{"POST", "/api/v1/hosts/{id}/projects/{part}/restart", operator_, Scope::containers,
          &restart_project, Body::other, small_body},
    Route{"POST", "/api/v1/hosts/{id}/containers/{part}/exec", operator_, Scope::containers,
          &exec_in_container, Body::json, exec_body},
    Route{"POST", "/api/v1/hosts/{id}/containers/{part}/terminals", operator_, Scope::containers,
          &open_terminal, Body::json, exec_body},
    Route{"GET", "/api/v1/terminals", operator_, Scope::containers, &list_terminals},
    Route{"GET", "/api/v1/terminals/{id}", operator_, Scope::containers, &open_terminal_socket},
    Route{"DELETE", "/api/v1/terminals/{id}", operator_, Scope::containers, &end_terminal},
    Route{"POST", "/api/v1/terminals/{id}/tickets", operator_, Scope::containers,
          &create_terminal_ticket},
    Route{"GET", "/api/v1/recordings", viewer, Scope::containers, &list_recordings},
    Route{"GET", "/api/v1/recordings/{id}", viewer, Scope::containers, &get_recording},
    Route{"DELETE", "/api/v1/recordings/{id}", viewer, Scope::containers, &remove_recording},
    Route{"POST", "/api/v1/backups", admin, Scope::access, &make_backup},
    Route{"GET", "/api/v1/events", viewer, Scope::containers, &follow_host_events},
    Route{"GET", "/api/v1/live", any, {}, &open_live},
    Route{"GET", "/api/openapi.yaml", open, {}, &get_openapi},

    Route{"POST", "/mcp", any, {}, &serve_mcp, Body::json, program_body},

    Route{"GET", "/health", open, {}, &get_health, Body::none, {}, Shape::compatible},
    Route{"GET",
          "/metrics",
          viewer,
          Scope::system,
          &get_metrics,
          Body::none,
          {},
          Shape::compatible,
          Anonymous::when_configured},
    Route{"POST", "/execute", executor, Scope::executions, &execute, Body::other, form_body,
          Shape::compatible, Anonymous::when_configured},

    piston_route("POST", "/api/v2/execute", executor, &piston_execute, Body::other, program_body),
    piston_route("GET", "/api/v2/connect", executor, &piston_connect),
    piston_route("GET", "/api/v2/runtimes", any, &piston_runtimes),
    piston_route("GET", "/api/v2/packages", any, &piston_packages),
    piston_route("POST", "/api/v2/piston/execute", executor, &piston_execute, Body::other,
                 program_body),
    piston_route("GET", "/api/v2/piston/connect", executor, &piston_connect),
    piston_route("GET", "/api/v2/piston/runtimes", any, &piston_runtimes),
    piston_route("GET", "/api/v2/piston/packages", any, &piston_packages),
};

/// What stands in the places of a pattern: `{id}` first.
struct Places {
  std::string id;
  std::string part;
};

/// Below /api/v1/hosts names of hosts and of what is on them stand in paths; elsewhere only ids
/// of ours do.
bool may_stand_in(const Target& target, std::string_view segment) {
  bool of_host = target.segments.size() > 3 && target.segments[2] == "hosts";
  return of_host ? valid_reference(segment) : valid_id(segment);
}

/// Whether the path is one of the pattern.
bool matches(std::string_view pattern, const Target& target, Places& places) {
  auto parts = text::split(pattern.substr(1), '/');
  if (parts.size() != target.segments.size()) return false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& segment = target.segments[i];
    if (parts[i].starts_with('{')) {
      if (!may_stand_in(target, segment)) return false;
      (parts[i] == "{id}" ? places.id : places.part) = segment;
    } else if (parts[i] != segment) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string_view word(Least least) {
  switch (least) {
    case open:
      return "open";
    case any:
      return "any";
    case executor:
      return "executor";
    case viewer:
      return "viewer";
    case operator_:
      return "operator";
    case admin:
      return "admin";
  }
  return {};
}

bool allows(Least least, access::Role role) {
  switch (least) {
    case open:
      return true;
    case any:
      return true;
    case executor:
      return access::may_execute(role);
    case viewer:
      return role >= access::Role::viewer;
    case operator_:
      return role >= access::Role::operator_;
    case admin:
      return role >= access::Role::admin;
  }
  return false;
}

std::span<const Route> routes() { return table; }

Match find_route(std::string_view method, const Target& target) {
  Match match;
  const auto& segments = target.segments;
  bool piston = segments.size() >= 2 && segments[0] == "api" && segments[1] == "v2";
  if (piston) match.shape = Shape::message;
  for (const auto& route : table) {
    Places places;
    if (!matches(route.path, target, places)) continue;
    match.allow += fmt::format("{}{}", match.allow.empty() ? "" : ", ", route.method);
    match.shape = route.shape;
    match.origins = route.origins;
    if (route.method != method) continue;
    match.route = &route;
    match.id = std::move(places.id);
    match.part = std::move(places.part);
  }
  return match;
}

}  // namespace gantry::api
