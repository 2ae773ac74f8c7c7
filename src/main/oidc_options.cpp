#include "main/oidc_options.hpp"

#include "base/text.hpp"
#include "main/database_options.hpp"
#include "net/tls_files.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::main {
namespace {

std::unexpected<Error> refuse(std::string_view text, std::string_view where, std::string_view cause,
                              std::string remedy) {
  return fail(ErrorKind::invalid, "bad_setting",
              fmt::format("cannot use '{}' of {}: {}", text::one_line(text), where, cause),
              std::move(remedy));
}

/// The words of a list, whether it was given as one or with commas.
std::vector<std::string> list_of(const Settings& settings, std::string_view key) {
  std::vector<std::string> words;
  auto given = settings.find(key);
  if (given == settings.end()) return words;
  for (const auto& text : given->second.texts) {
    for (auto word : text::split(text, ',')) {
      if (auto bare = text::trimmed(word); !bare.empty()) words.emplace_back(bare);
    }
  }
  return words;
}

Result<std::vector<access::RoleRule>> roles_of(const Settings& settings) {
  std::vector<access::RoleRule> rules;
  for (const auto& text : list_of(settings, "oidc_roles")) {
    auto equals = text.rfind('=');
    auto role = equals == text.npos ? std::nullopt : access::parse_role(text.substr(equals + 1));
    if (!role || equals == 0) {
      return refuse(text, "oidc_roles", "it is not GROUP=ROLE",
                    "write it like ops=operator, with one of executor, viewer, operator, admin");
    }
    rules.push_back({text.substr(0, equals), *role});
  }
  return rules;
}

/// `GROUP=ROLE` or `GROUP/PROJECT=ROLE`.
Result<std::vector<access::Grant>> first_grants_of(const Settings& settings) {
  std::vector<access::Grant> grants;
  for (const auto& text : list_of(settings, "oidc_first_grants")) {
    auto equals = std::min(text.rfind('='), text.size());
    auto slash = std::min(text.find('/'), equals);
    auto role =
        access::parse_role(std::string_view{text}.substr(std::min(equals + 1, text.size())));
    access::Grant grant{.group = text.substr(0, slash)};
    if (slash < equals) grant.project = text.substr(slash + 1, equals - slash - 1);
    bool named = !grant.group.empty() && (slash == equals || !grant.project.empty());
    bool fits = role == access::Role::viewer || role == access::Role::operator_;
    if (!named || !fits) {
      return refuse(text, "oidc_first_grants", "it is not GROUP=ROLE or GROUP/PROJECT=ROLE",
                    "write it like staging=operator, with viewer or operator");
    }
    grant.role = *role;
    grants.push_back(std::move(grant));
  }
  return grants;
}

}  // namespace

Result<std::optional<OidcOptions>> oidc_options(const Settings& settings) {
  OidcOptions options;
  options.issuer = text_setting(settings, "oidc_issuer", "");
  if (options.issuer.empty()) return std::nullopt;
  options.client_id = text_setting(settings, "oidc_client_id", "");
  options.client_secret_file = text_setting(settings, "oidc_client_secret_file", "");
  options.redirect_url = text_setting(settings, "oidc_redirect_url", "");
  options.scopes = list_of(settings, "oidc_scopes");
  if (options.scopes.empty()) options.scopes = access::OidcSettings{}.scopes;
  options.groups_claim = text_setting(settings, "oidc_groups_claim", "groups");
  options.authorities = text_setting(settings, "oidc_ca", "");
  if (auto url = access::ProviderUrl::parse(options.issuer); !url) return fail(url.error());
  if (options.client_id.empty()) {
    return refuse(options.issuer, "oidc_issuer", "oidc_client_id is missing",
                  "set what the provider knows this server as");
  }
  auto back = access::ProviderUrl::parse(options.redirect_url);
  if (!back || back->path != "/api/v1/oidc/callback") {
    return refuse(options.redirect_url, "oidc_redirect_url",
                  "it is not this server's own address with /api/v1/oidc/callback",
                  "write it like https://gantry.example.org/api/v1/oidc/callback");
  }
  auto roles = roles_of(settings);
  if (!roles) return fail(roles.error());
  if (roles->empty()) {
    return refuse(options.issuer, "oidc_issuer", "oidc_roles is missing, so nobody could sign in",
                  "name the role of a group, or of everybody: *=viewer");
  }
  options.roles = std::move(*roles);
  auto grants = first_grants_of(settings);
  if (!grants) return fail(grants.error());
  options.first_grants = std::move(*grants);
  return options;
}

access::OidcSettings read_oidc(const OidcOptions& options) {
  access::OidcSettings settings{.issuer = options.issuer,
                                .client_id = options.client_id,
                                .client_secret = {},
                                .redirect_url = options.redirect_url,
                                .scopes = options.scopes,
                                .groups_claim = options.groups_claim,
                                .roles = options.roles,
                                .first_grants = options.first_grants,
                                .tls = {}};
  if (!options.client_secret_file.empty()) {
    settings.client_secret = value_or_throw(secret_line(options.client_secret_file));
  }
  settings.tls = value_or_throw(net::load_tls_client({.authorities = options.authorities}));
  return settings;
}

}  // namespace gantry::main
