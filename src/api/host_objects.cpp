#include "api/host_objects.hpp"

#include "api/containers.hpp"
#include "base/text.hpp"
#include "sandbox/labels.hpp"

#include <fmt/format.h>

namespace gantry::api {
namespace {

constexpr std::size_t pairs_max = 64;
constexpr json::TextBounds value_bounds{0, 4096};
constexpr std::size_t shown_max = 4096;

std::map<std::string, std::string> read_pairs(json::Fields& fields, std::string_view key) {
  auto pairs = fields.text_map(key, pairs_max, value_bounds);
  return {std::make_move_iterator(pairs.begin()), std::make_move_iterator(pairs.end())};
}

}  // namespace

Result<> check_role(const Call& call, const fleet::Host& host, std::string_view project,
                    access::Role needed, const Error& hidden) {
  auto role = role_on(call, host, project);
  if (!role) return fail(hidden);
  if (*role < needed) return access::role_missing(*role, needed);
  return ok;
}

std::string project_in(const std::map<std::string, std::string>& labels) {
  auto found = labels.find("com.docker.compose.project");
  return found == labels.end() ? std::string{} : found->second;
}

access::Role role_to_change(const std::map<std::string, std::string>& labels,
                            access::Role otherwise) {
  return labels.contains(sandbox::labels::kind) ? access::Role::admin : otherwise;
}

Error no_such(std::string_view thing, std::string_view name, const fleet::Host& host) {
  return {ErrorKind::not_found, fmt::format("no_such_{}", thing),
          fmt::format("cannot find {} '{}' on '{}': there is none of that name or id", thing,
                      text::shortened(text::one_line(name), 80), host.name()),
          fmt::format("list the {}s of the host: it may have been removed meanwhile", thing)};
}

fleet::Operation operation(const Call& call, const fleet::Host& host, std::string action,
                           std::string object, json::Object parameters) {
  return {.actor = fleet::actor_of(*call.identity),
          .host = host.name(),
          .action = std::move(action),
          .object = std::move(object),
          .parameters = std::move(parameters)};
}

fleet::MayTell may_tell(const Call& call, const fleet::Host& host) {
  return [rights = call.rights(), config = host.config()](const engine::ContainerUse& container) {
    if (is_sandbox(container.name, container.labels)) return false;
    auto project = project_in(container.labels);
    return rights.role_on(config.name, config.groups, project).has_value();
  };
}

json::Object used_by_json(const fleet::UsedBy& users) {
  json::Array named;
  for (const auto& user : users.named) {
    named.push_back(json::Object{{"id", user.id},
                                 {"name", text::one_line(user.name)},
                                 {"state", text::one_line(user.state)}});
  }
  return {{"containers", std::move(named)}, {"others", users.others}};
}

json::Value line_json(std::string_view text) {
  return json::Value(text::shortened(text::one_line(text), shown_max));
}

json::Object labels_json(const std::map<std::string, std::string>& labels) {
  json::Object out;
  for (const auto& [name, value] : labels) {
    auto shown = text::names_secret(name) ? json::Value(text::mask) : line_json(value);
    out[text::shortened(text::one_line(name), 256)] = std::move(shown);
    if (out.size() == 256) break;
  }
  return out;
}

json::Array lines_json(const std::vector<std::string>& texts) {
  json::Array out;
  for (const auto& text : texts) out.push_back(line_json(text));
  return out;
}

std::map<std::string, std::string> read_labels(json::Fields& fields) {
  auto labels = read_pairs(fields, "labels");
  for (const auto& [name, value] : labels) {
    if (name.empty() || name.size() > 255) {
      fields.refuse("labels", "must have names of 1 to 255 bytes");
    }
    if (name.starts_with("io.gantry.")) {
      fields.refuse("labels", "must not begin with 'io.gantry.': those are the server's own");
    }
  }
  return labels;
}

std::map<std::string, std::string> read_options(json::Fields& fields) {
  return read_pairs(fields, "options");
}

}  // namespace gantry::api
