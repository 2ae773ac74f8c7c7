#pragma once

#include "access/oidc.hpp"
#include "main/settings.hpp"

#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::main {

/// One setting of signing in at an identity provider, as a flag of `gantry serve`. Lists are
/// separated by commas there.
struct OidcSetting {
  std::string_view key;
  std::string_view flag;
  std::string_view help;
  std::string_view type;
};
inline constexpr std::array oidc_settings{
    OidcSetting{"oidc_issuer", "--oidc-issuer", "Let people sign in at this OpenID provider",
                "URL"},
    OidcSetting{"oidc_client_id", "--oidc-client-id", "What the provider knows this server as",
                "ID"},
    OidcSetting{"oidc_client_secret_file", "--oidc-client-secret-file",
                "File with the secret that goes with it", "FILE"},
    OidcSetting{"oidc_redirect_url", "--oidc-redirect-url",
                "Where it sends browsers back: https://NAME/api/v1/oidc/callback", "URL"},
    OidcSetting{"oidc_scopes", "--oidc-scopes", "What to ask for [openid,profile,email]", "WORDS"},
    OidcSetting{"oidc_groups_claim", "--oidc-groups-claim", "Where it says the groups [groups]",
                "NAME"},
    OidcSetting{"oidc_roles", "--oidc-roles",
                "Which role a group has, '*' for everybody: ops=operator,*=viewer", "GROUP=ROLE"},
    OidcSetting{"oidc_first_grants", "--oidc-first-grants",
                "Where alone newcomers may do what, until an admin says otherwise: a group of "
                "hosts, or a project on them [everywhere]",
                "GROUP[/PROJECT]=ROLE"},
    OidcSetting{"oidc_ca", "--oidc-ca", "Authorities to trust for the provider besides, PEM",
                "FILE"},
};

/// Syntax has been checked; the files have not been read.
struct OidcOptions {
  std::string issuer;
  std::string client_id;
  std::filesystem::path client_secret_file;  ///< Empty: a public client.
  std::string redirect_url;
  std::vector<std::string> scopes;
  std::string groups_claim;
  std::vector<access::RoleRule> roles;
  std::vector<access::Grant> first_grants;
  std::filesystem::path authorities;
};

/// Nothing without `oidc_issuer`. Refused: invalid, `bad_setting`.
Result<std::optional<OidcOptions>> oidc_options(const Settings& settings);
/// With what the files hold. Throws Failure for files that can not be read.
access::OidcSettings read_oidc(const OidcOptions& options);

}  // namespace gantry::main
