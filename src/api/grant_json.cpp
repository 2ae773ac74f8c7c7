#include "api/grant_json.hpp"

#include <utility>

#include <fmt/format.h>

namespace gantry::api {
namespace {

constexpr json::TextBounds name_bounds{1, 63};
constexpr json::TextBounds project_bounds{1, 128};

json::Value text_or_null(const std::string& text) {
  return text.empty() ? json::Value(nullptr) : json::Value(text);
}

Result<access::Grant> read_grant(const json::Value& value, std::string where) {
  json::Fields fields{value, std::move(where), json::Keys::strict};
  access::Grant grant;
  grant.group = fields.text("group", name_bounds).value_or("");
  grant.host = fields.text("host", name_bounds).value_or("");
  if (grant.group.empty() == grant.host.empty()) {
    fields.refuse("host", "or 'group' is needed, and not both");
  }
  grant.project = fields.text("project", project_bounds).value_or("");
  auto role = access::parse_role(fields.required_text("role"));
  if (!role) fields.refuse("role", "must be 'viewer' or 'operator'");
  grant.role = role.value_or(access::Role::viewer);
  for (const auto& word : fields.texts("rights", access::all_extras.size())) {
    auto extra = access::parse_extra(word);
    if (extra) {
      grant.extras.push_back(*extra);
    } else {
      fields.refuse("rights", "must hold some of 'unmask', 'recordings'");
    }
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return grant;
}

}  // namespace

json::Object grant_json(const access::Grant& grant) {
  json::Array rights;
  for (auto extra : grant.extras) rights.emplace_back(access::word(extra));
  return {{"group", text_or_null(grant.group)},
          {"host", text_or_null(grant.host)},
          {"project", text_or_null(grant.project)},
          {"role", access::word(grant.role)},
          {"rights", std::move(rights)}};
}

std::vector<access::Grant> read_grants(json::Fields& fields, std::string_view name,
                                       std::size_t max) {
  std::vector<access::Grant> grants;
  const auto* items = fields.array(name, max);
  for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
    auto grant = read_grant((*items)[i], fmt::format("{}[{}]", name, i));
    if (!grant) fields.adopt(grant.error());
    if (grant) grants.push_back(std::move(*grant));
  }
  return grants;
}

}  // namespace gantry::api
