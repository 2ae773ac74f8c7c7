#include "access/identity.hpp"

namespace gantry::access {
namespace {

struct RoleWord {
  Role role;
  std::string_view word;
};
constexpr std::array role_words{
    RoleWord{Role::executor, "executor"}, RoleWord{Role::viewer, "viewer"},
    RoleWord{Role::operator_, "operator"}, RoleWord{Role::admin, "admin"}};
static_assert(role_words.size() == all_roles.size());

struct ScopeWord {
  Scope scope;
  std::string_view word;
};
constexpr std::array scope_words{
    ScopeWord{Scope::executions, "executions"}, ScopeWord{Scope::containers, "containers"},
    ScopeWord{Scope::system, "system"}, ScopeWord{Scope::access, "access"}};
static_assert(scope_words.size() == all_scopes.size());

}  // namespace

std::string_view word(Role role) { return role_words[static_cast<std::size_t>(role)].word; }

std::optional<Role> parse_role(std::string_view word) {
  for (const auto& known : role_words) {
    if (known.word == word) return known.role;
  }
  return std::nullopt;
}

std::string_view word(Scope scope) { return scope_words[static_cast<std::size_t>(scope)].word; }

std::optional<Scope> parse_scope(std::string_view word) {
  for (const auto& known : scope_words) {
    if (known.word == word) return known.scope;
  }
  return std::nullopt;
}

Scopes Scopes::all() {
  Scopes scopes;
  for (auto scope : all_scopes) scopes.add(scope);
  return scopes;
}

std::optional<Scopes> Scopes::parse(const std::vector<std::string>& words) {
  Scopes scopes;
  for (const auto& word : words) {
    auto scope = parse_scope(word);
    if (!scope) return std::nullopt;
    scopes.add(*scope);
  }
  return scopes;
}

std::vector<std::string> Scopes::words() const {
  std::vector<std::string> words;
  for (auto scope : all_scopes) {
    if (has(scope)) words.emplace_back(word(scope));
  }
  return words;
}

}  // namespace gantry::access
