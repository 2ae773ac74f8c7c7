#pragma once

#include "access/identity.hpp"
#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::access {

/// What a grant of every host names as its group; no group can be called so.
inline constexpr std::string_view every_group = "*";

/// What a role below admin does not include, and a grant may give besides.
enum class Extra {
  unmask,      ///< To read the values of a container's environment that look secret.
  recordings,  ///< To read and remove what was recorded of other people's terminals.
};
inline constexpr std::array all_extras{Extra::unmask, Extra::recordings};

/// `unmask`, `recordings`.
std::string_view word(Extra extra);
/// Nothing for any other word.
std::optional<Extra> parse_extra(std::string_view word);

/// What somebody may do on some hosts. Exactly one of `group` and `host` is not empty.
struct Grant {
  std::string group;         ///< All hosts of this group; `*`: all hosts there are and will be.
  std::string host;          ///< One host: its id in tables, its name in Rights and in the API.
  std::string project;       ///< Only the objects of this Compose project; empty: the whole host.
  Role role = Role::viewer;  ///< `viewer` or `operator`; holds as far as the user's own role does.
  std::vector<Extra> extras;

  bool operator==(const Grant&) const = default;
};

/// What one identity may do where: the one place that decides it. A value, cheap to ask for
/// (Access::rights); streams ask for it anew whenever they tell something. What somebody may not
/// see does not exist for them: 404, and absent from lists, totals, events, metrics and errors.
class Rights {
 public:
  /// No host at all.
  Rights() = default;
  /// Every host, as somebody of this role: `executor` sees none even so.
  static Rights everywhere(Role role);
  /// Only where one of the grants says so, and nowhere more than `role`.
  static Rights granted(Role role, std::vector<Grant> grants);
  /// The same, and nowhere more than these grants: what an API token has of its user's. They add no
  /// extras that are not there without them.
  Rights narrowed(std::vector<Grant> grants) const;

  /// What they may do to an object on a host: to one of a Compose project, or, with an empty
  /// `project`, to the host as a whole and to what belongs to no project (its images, networks,
  /// other containers). Nothing: it does not exist for them. Never `executor`.
  std::optional<Role> role_on(std::string_view host, std::span<const std::string> groups,
                              std::string_view project) const;
  /// Whether they know that the host is there: they see all of it, or some project on it.
  bool sees_host(std::string_view host, std::span<const std::string> groups) const;
  /// Whether they have this, too, where `role_on` is something. Admins have all.
  bool has(Extra extra, std::string_view host, std::span<const std::string> groups,
           std::string_view project) const;
  /// Whether there may be objects that they do not see: then totals are counted for them alone.
  bool restricted() const { return role_ == Role::executor || !layers_.empty(); }

  bool operator==(const Rights&) const = default;

 private:
  using Layer = std::vector<Grant>;

  Role role_ = Role::executor;
  /// Whether they have extras as far as every layer gives them.
  bool extras_ = false;
  /// One of each must match: those of the user, those of the token.
  std::vector<Layer> layers_;
};

/// The refusal for somebody who sees an object and may not do this to it: `role_missing` (denied).
std::unexpected<Error> role_missing(Role has, Role needed);

}  // namespace gantry::access
