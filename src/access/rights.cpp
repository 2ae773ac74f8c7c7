#include "access/rights.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gantry::access {
namespace {

struct ExtraWord {
  Extra extra;
  std::string_view word;
};
constexpr std::array extra_words{ExtraWord{Extra::unmask, "unmask"},
                                 ExtraWord{Extra::recordings, "recordings"}};
static_assert(extra_words.size() == all_extras.size());

bool covers_host(const Grant& grant, std::string_view host, std::span<const std::string> groups) {
  if (!grant.host.empty()) return grant.host == host;
  if (grant.group == every_group) return true;
  return !grant.group.empty() && std::ranges::find(groups, grant.group) != groups.end();
}

bool covers(const Grant& grant, std::string_view host, std::span<const std::string> groups,
            std::string_view project) {
  return covers_host(grant, host, groups) && (grant.project.empty() || grant.project == project);
}

}  // namespace

std::string_view word(Extra extra) { return extra_words[static_cast<std::size_t>(extra)].word; }

std::optional<Extra> parse_extra(std::string_view word) {
  for (const auto& known : extra_words) {
    if (known.word == word) return known.extra;
  }
  return std::nullopt;
}

Rights Rights::everywhere(Role role) {
  Rights rights;
  rights.role_ = role;
  rights.extras_ = role == Role::admin;
  return rights;
}

Rights Rights::granted(Role role, std::vector<Grant> grants) {
  auto rights = everywhere(role).narrowed(std::move(grants));
  rights.extras_ = true;
  return rights;
}

Rights Rights::narrowed(std::vector<Grant> grants) const {
  auto rights = *this;
  rights.layers_.push_back(std::move(grants));
  return rights;
}

std::optional<Role> Rights::role_on(std::string_view host, std::span<const std::string> groups,
                                    std::string_view project) const {
  auto role = role_;
  for (const auto& layer : layers_) {
    auto highest = Role::executor;
    for (const auto& grant : layer) {
      if (covers(grant, host, groups, project)) highest = std::max(highest, grant.role);
    }
    role = std::min(role, highest);
  }
  if (role == Role::executor) return std::nullopt;
  return role;
}

bool Rights::sees_host(std::string_view host, std::span<const std::string> groups) const {
  if (role_ == Role::executor) return false;
  return std::ranges::all_of(layers_, [&](const Layer& layer) {
    return std::ranges::any_of(
        layer, [&](const Grant& grant) { return covers_host(grant, host, groups); });
  });
}

bool Rights::has(Extra extra, std::string_view host, std::span<const std::string> groups,
                 std::string_view project) const {
  if (!extras_ || !role_on(host, groups, project)) return false;
  return std::ranges::all_of(layers_, [&](const Layer& layer) {
    return std::ranges::any_of(layer, [&](const Grant& grant) {
      return covers(grant, host, groups, project) &&
             std::ranges::find(grant.extras, extra) != grant.extras.end();
    });
  });
}

std::unexpected<Error> role_missing(Role has, Role needed) {
  return fail(
      ErrorKind::denied, "role_missing",
      fmt::format("cannot do this as '{}': it needs the role '{}'", word(has), word(needed)),
      "ask an admin for that role");
}

}  // namespace gantry::access
