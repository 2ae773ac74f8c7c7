#include "access/access.hpp"
#include "api/accounts.hpp"
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "api/read.hpp"

// The API tokens of who asks.
namespace gantry::api {
namespace {

json::Object token_json(const access::Token& token) {
  json::Array scopes;
  for (const auto& scope : token.scopes.words()) scopes.emplace_back(scope);
  return {{"id", token.id.text()},
          {"name", token.name},
          {"hint", token.hint},
          {"role", access::word(token.role)},
          {"scopes", std::move(scopes)},
          {"created_at", rfc3339(token.created_at)},
          {"expires_at", time_or_null(token.expires_at)},
          {"last_used_at", time_or_null(token.last_used_at)}};
}

Result<access::NewToken> read_token(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  access::NewToken token;
  token.name = fields.required_text("name", {1, 64});
  token.role = read_role(fields);
  auto scopes = access::Scopes::parse(fields.texts("scopes", access::all_scopes.size()));
  if (!scopes || scopes->empty()) {
    fields.refuse("scopes", "must hold some of 'executions', 'containers', 'system', 'access'");
  }
  token.scopes = scopes.value_or(access::Scopes{});
  if (auto expires_at = fields.text("expires_at")) {
    token.expires_at = parse_rfc3339(*expires_at);
    if (!token.expires_at) {
      fields.refuse("expires_at", "must be a time such as '2027-01-31T12:00:00Z'");
    }
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return token;
}

}  // namespace

Answer list_tokens(Call& call) {
  json::Array items;
  for (const auto& token : call.services.access.tokens(call.identity->user)) {
    items.push_back(token_json(token));
  }
  co_return json_reply(200, json::Object{{"items", std::move(items)}, {"next", nullptr}});
}

Answer create_token(Call& call) {
  auto wanted = co_await read_json(call, &read_token);
  if (!wanted) co_return fail(std::move(wanted.error()));
  auto made = co_await call.services.access.create_token(*call.identity, std::move(*wanted));
  if (!made) co_return fail(std::move(made.error()));
  co_return json_reply(
      201, json::Object{{"token", made->text.reveal()}, {"item", token_json(made->token)}});
}

Answer revoke_token(Call& call) {
  auto revoked =
      co_await call.services.access.revoke_token(*call.identity, access::TokenId{call.id});
  if (!revoked) co_return fail(std::move(revoked.error()));
  co_return no_content();
}

}  // namespace gantry::api
