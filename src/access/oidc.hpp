#pragma once

#include "access/attempts.hpp"
#include "access/identity.hpp"
#include "access/jwt.hpp"
#include "access/rights.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/sealer.hpp"
#include "base/secret.hpp"
#include "net/http_client.hpp"
#include "net/tls.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::access {

/// Which role a group of the provider has here.
struct RoleRule {
  std::string group;  ///< `*`: everybody whom the provider lets in.
  Role role;
};

/// An address of the provider: `https://…`, or `http://` on this machine's loopback.
struct ProviderUrl {
  net::http::RequestHead head() const { return {"GET", path, {}}; }

  bool tls = true;
  std::string host;  ///< With its brackets, when it is an IPv6 address.
  std::uint16_t port = 443;
  std::string path;  ///< With the query; begins with a slash.

  /// Refused: `bad_provider_url` (invalid).
  static Result<ProviderUrl> parse(std::string_view text);
};

/// How people sign in at an OpenID provider.
struct OidcSettings {
  std::string issuer;
  std::string client_id;
  Secret client_secret;      ///< Empty: a public client.
  std::string redirect_url;  ///< `https://gantry.example/api/v1/oidc/callback`
  std::vector<std::string> scopes = {"openid", "profile", "email"};
  std::string groups_claim = "groups";
  std::vector<RoleRule> roles;
  /// What restricts those who come for the first time, of groups of hosts.
  std::vector<Grant> first_grants = {};
  std::optional<net::TlsClient> tls;  ///< Whom to trust; none: those whom the system trusts.
};

/// Somebody whom the provider vouches for.
struct Vouched {
  std::string issuer;
  std::string subject;  ///< The only thing that names them for good.
  std::string name;     ///< What they would like to be called.
  Role role;            ///< The highest that their groups have.
  /// What restricts them when they come for the first time; empty: nothing does.
  std::vector<Grant> first_grants = {};
};

/// Signs people in by OpenID Connect: the authorization code flow with PKCE (RFC 6749, RFC 7636,
/// OpenID Connect Core 1.0). State, nonce and verifier are bound to the browser by a sealed cookie,
/// and each is good once, for ten minutes. What is fetched has deadlines and size limits; redirects
/// are not followed. Belongs to the event loop.
class Oidc {
 public:
  /// How addresses are dialled: the door for tests.
  using Dial = std::function<net::Connect(const ProviderUrl& url)>;

  Oidc(async::Executor executor, OidcSettings settings, Clock clock, Sealer sealer, Dial dial = {});

  struct Start {
    std::string url;  ///< Where the browser goes.
    Secret cookie;    ///< What it brings back.
  };
  /// Of the address, so many are begun in 10 minutes and not brought to an end; an empty one is not
  /// counted, nor what fails by the provider or for want of room. Refused: `provider_unreachable`,
  /// `provider_mistaken` (unavailable), `oidc_busy`, `too_many_attempts` (exhausted).
  async::task<Result<Start>> start(std::string address = {});

  /// What the provider sent the browser back with.
  struct Return {
    std::string code;
    std::string state;
    std::string issuer;  ///< RFC 9207; empty: not said.
    std::string cookie;
    std::string address = {};  ///< Where the browser is.
  };
  /// Refused: `oidc_state` (denied: not begun by this browser, over, or used), `oidc_refused`
  /// (denied: the provider does not take the code), `bad_token`, `oidc_no_role` (denied), and as
  /// `start`.
  async::task<Result<Vouched>> finish(Return returned);

 private:
  struct Provider {
    ProviderUrl token;
    ProviderUrl keys;
    std::string authorization;
    bool secret_in_body = false;
    WallTime read_at;
  };
  struct Flow {
    std::string state;
    std::string nonce;
    std::string verifier;
  };

  Result<> count(const std::string& address);
  async::task<Result<Start>> begin();
  async::task<Result<Vouched>> vouch(Return returned);
  async::task<Result<Provider>> discover();
  async::task<Result<json::Value>> fetch(ProviderUrl url, net::http::RequestHead request,
                                         std::string body);
  async::task<Result<std::string>> redeem(Provider provider, std::string code,
                                          std::string verifier);
  async::task<Result<json::Object>> claims_of(Provider provider, std::string token);
  async::task<Result<>> read_keys(const Provider& provider);
  Result<Flow> open_flow(const Return& returned);
  Result<Vouched> judge(const json::Object& claims, const std::string& nonce) const;
  std::optional<Role> role_of(const json::Object& claims) const;

  async::Executor executor_;
  OidcSettings settings_;
  Clock clock_;
  Sealer sealer_;
  Dial dial_;
  std::optional<Provider> provider_;
  jwt::Keys keys_;
  WallTime keys_read_at_;
  std::map<std::string, WallTime> used_states_;  ///< Digests, until they would be over anyway.
  std::size_t underway_ = 0;
  Attempts by_address_;
};

}  // namespace gantry::access
