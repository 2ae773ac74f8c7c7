#pragma once

#include "base/error.hpp"
#include "base/json.hpp"
#include "sandbox/policy.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// How much of everything programs may ask for: by server, by role, by API token.
namespace gantry::sandbox {

/// What one mode may be, by the words of the API.
struct Choice {
  std::string_view field;                 ///< `network`
  std::vector<std::string_view> allowed;  ///< `none`, `outbound`
  std::string_view usual;
};

/// A wish for one limit where a request says nothing: what a compiler needs, for one.
using UsualLimits = std::vector<std::pair<std::string, double>>;

/// The least, the most and the usual of every limit, and what every mode may be. A value.
class PolicyBounds {
 public:
  /// As shipped.
  PolicyBounds();
  /// What the code itself can do: no server goes beyond it.
  static PolicyBounds widest();

  std::span<const Bound> numbers() const { return numbers_; }
  std::span<const Choice> modes() const { return modes_; }
  /// By a name that there is, `cpus`.
  const Bound& number(std::string_view field) const;

  /// Reads the `limits` object of a request. `cpu_time_ms` follows `wall_time_ms` when it is
  /// absent and no default of its own was configured. Refuses unknown fields, wrong types and
  /// values outside their bounds, naming both bounds or all allowed words (`invalid_field`).
  Result<Policy> read(const json::Value& limits) const;

  /// These, changed by an object such as
  ///   {"wall_time_ms": {"min": 1, "max": 5000, "default": 1000},
  ///    "network": {"allowed": ["none"], "default": "none"}}
  /// in which everything is optional; a default that is not given moves between its new bounds.
  /// Refuses what lies outside of `within`; `where` names the object in errors.
  Result<PolicyBounds> changed(const json::Value& change, const PolicyBounds& within,
                               const std::string& where) const;
  /// The same within these: what a role or a token may have. Widening is refused.
  Result<PolicyBounds> narrowed(const json::Value& change, const std::string& where) const {
    return changed(change, *this, where);
  }
  /// As `narrowed`, for what was accepted when these may have been wider: whatever has become too
  /// wide counts as these are now. Refuses only what was never sound.
  Result<PolicyBounds> met(const json::Value& accepted) const;

  /// These with at most `max` of one limit: an engine has only so many processors.
  PolicyBounds capped(std::string_view field, double max) const;
  /// These with usual values of at least so much, as far as the bounds go.
  PolicyBounds preferring(const UsualLimits& wishes) const;

 private:
  enum class Fit { refuse, clamp };
  Result<PolicyBounds> changed(const json::Value& change, const PolicyBounds& within,
                               const std::string& where, Fit fit) const;
  const Choice& mode(std::string_view field) const;

  std::vector<Bound> numbers_;
  std::vector<Choice> modes_;
  /// `cpu_time_ms` has no default of its own.
  bool cpu_time_follows_ = true;
};

/// The bounds of one server: for everybody, and for roles that have less.
class ServerBounds {
 public:
  ServerBounds() = default;
  /// Reads `[limits]` of gantry.toml: changes as in PolicyBounds::changed and, in `roles`, such
  /// changes by role, which only narrow. `roles` are the roles that there are.
  static Result<ServerBounds> read(const json::Value& limits,
                                   std::span<const std::string_view> roles);

  const PolicyBounds& everybody() const { return everybody_; }
  /// Those of `everybody` for a role that has none of its own.
  const PolicyBounds& of(std::string_view role) const;

 private:
  PolicyBounds everybody_;
  std::map<std::string, PolicyBounds, std::less<>> roles_;
};

}  // namespace gantry::sandbox
