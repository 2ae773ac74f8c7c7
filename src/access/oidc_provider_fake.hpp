#pragma once

#include "access/oidc.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "net/scripted_server_fake.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;

namespace gantry::access {

/// An OpenID provider that answers with whatever tokens a test wants. It gives out codes, checks
/// the verifier that belongs to each, and takes each once.
class TestProvider {
 public:
  static constexpr std::string_view issuer = "https://id.example/realm";
  static constexpr std::string_view client_id = "gantry";

  TestProvider();

  /// Settings that fit, with `ops` as operators and `staff` as viewers.
  static OidcSettings settings();
  Oidc::Dial dial();

  /// What the browser brings back from the address that Oidc::start gave.
  struct Granted {
    std::string code;
    std::string state;
  };
  Granted grant(const std::string& url);

  /// Changes the claims of every token from now on.
  std::function<void(json::Object& claims)> change_claims;
  /// Changes the header before it is signed.
  std::function<void(json::Object& header)> change_header;
  /// What signs: RS256, ES256, or another word that is tried on.
  std::string algorithm = "RS256";
  /// What the key `rs` of the key set signs with; another one makes signatures wrong.
  enum class Signer { own, stranger } signer = Signer::own;
  /// Called with a token before it is handed out.
  std::function<std::string(std::string token)> change_token;
  /// The provider's key set, changeable.
  json::Object key_set() const;

  WallTime now{Milliseconds{1'790'000'000'000}};
  net::ScriptedServer& server() { return server_; }
  /// The RSA key's public half in PEM: what confused verifiers take for an HMAC's secret.
  std::string public_pem() const;

 private:
  using Key = std::shared_ptr<evp_pkey_st>;
  struct Code {
    std::string challenge;
    std::string nonce;
    bool used = false;
  };

  net::ScriptedServer::Reply redeem(const net::ScriptedServer::Seen& request);
  std::string token_for(const Code& code) const;
  std::string signature_of(std::string_view text) const;

  Key rsa_;
  Key stranger_;
  Key ec_;
  std::map<std::string, Code> codes_;
  net::ScriptedServer server_;
};

}  // namespace gantry::access
