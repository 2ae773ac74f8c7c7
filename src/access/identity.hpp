#pragma once

#include "base/clock.hpp"
#include "base/id.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::access {

using UserId = Id<struct UserTag>;
using TokenId = Id<struct TokenTag>;
using SessionId = Id<struct SessionTag>;

/// What somebody may do. `executor` runs programs in sandboxes and sees no host; of the others each
/// may do what the ones before it may, and from `operator` on run programs, too.
enum class Role { executor, viewer, operator_, admin };
inline constexpr std::array all_roles{Role::executor, Role::viewer, Role::operator_, Role::admin};

/// Whether somebody of this role may run programs.
constexpr bool may_execute(Role role) { return role != Role::viewer; }
/// Whether somebody of role `has` may do all that `wanted` may: an executor's role is not part of a
/// viewer's.
constexpr bool includes(Role has, Role wanted) {
  return has >= wanted && (wanted != Role::executor || may_execute(has));
}

/// `executor`, `viewer`, `operator`, `admin`: as in JSON and in the database.
std::string_view word(Role role);
/// Nothing for any other word.
std::optional<Role> parse_role(std::string_view word);

/// The parts of the API that a token opens.
enum class Scope { executions, containers, system, access };
inline constexpr std::array all_scopes{Scope::executions, Scope::containers, Scope::system,
                                       Scope::access};

/// `executions`, `containers`, `system`, `access`.
std::string_view word(Scope scope);
/// Nothing for any other word.
std::optional<Scope> parse_scope(std::string_view word);

/// A set of scopes.
class Scopes {
 public:
  Scopes() = default;
  static Scopes all();
  /// Nothing when one of the words is no scope.
  static std::optional<Scopes> parse(const std::vector<std::string>& words);

  void add(Scope scope) { bits_ |= bit(scope); }
  bool has(Scope scope) const { return (bits_ & bit(scope)) != 0; }
  bool empty() const { return bits_ == 0; }
  /// Whether every scope of `other` is in here.
  bool covers(const Scopes& other) const { return (other.bits_ & ~bits_) == 0; }
  /// In the order of `all_scopes`.
  std::vector<std::string> words() const;
  bool operator==(const Scopes&) const = default;

 private:
  static std::uint32_t bit(Scope scope) { return 1U << static_cast<unsigned>(scope); }
  std::uint32_t bits_ = 0;
};

/// By what somebody is known.
enum class How {
  session,  ///< a browser's cookie
  token,    ///< an API token
  local,    ///< the token that this process left in its data directory
};

/// What an API token may have of what its user may: less, never more.
struct TokenLimits {
  /// Narrower limits of programs, a JSON object; whoever made the token has judged it. Empty: the
  /// role's own.
  std::string policy;
  std::optional<std::int64_t> executions_max;  ///< Of its programs at once.
  std::optional<std::int64_t> queue_max;       ///< Of its programs that wait.

  bool any() const { return !policy.empty() || executions_max || queue_max; }
  bool operator==(const TokenLimits&) const = default;
};

/// Who asks. A value: what it allows may have ended since (Access::still_valid).
struct Identity {
  UserId user;  ///< `local` for How::local
  std::string name;
  Role role = Role::viewer;
  Scopes scopes;
  How how = How::session;
  std::string credential;  ///< the session's or token's id, never its text; empty for How::local
  TokenLimits limits = {};

  bool at_least(Role wanted) const { return role >= wanted; }
  bool may_execute() const { return access::may_execute(role); }
};

/// Whether somebody may come in. Who is disabled keeps name, role and tokens for later.
enum class Standing { active, disabled };

struct User {
  UserId id;
  std::string name;
  Role role = Role::viewer;
  WallTime created_at;
  Standing standing = Standing::active;
};

/// An API token, without its text.
struct Token {
  TokenId id;
  UserId user;
  std::string name;
  std::string hint;  ///< its first characters, to recognise it: `gantry_3f9a…`
  Role role = Role::viewer;
  Scopes scopes;
  WallTime created_at;
  std::optional<WallTime> expires_at;
  std::optional<WallTime> last_used_at;  ///< kept to the minute
  TokenLimits limits = {};
};

}  // namespace gantry::access
