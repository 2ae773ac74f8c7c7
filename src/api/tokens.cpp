#include "access/access.hpp"
#include "api/accounts.hpp"
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "api/limits.hpp"
#include "api/read.hpp"

// The API tokens of who asks.
namespace gantry::api {
namespace {

// As the settings of the same names.
constexpr json::IntegerBounds executions_bounds{1, 256};
constexpr json::IntegerBounds queue_bounds{1, 100'000};

json::Value number_or_null(const std::optional<std::int64_t>& number) {
  return number ? json::Value(*number) : json::Value(nullptr);
}

json::Value policy_json(const access::TokenLimits& limits) {
  if (limits.policy.empty()) return nullptr;
  auto policy = json::parse(limits.policy, json::Keys::tolerant);
  return policy ? std::move(*policy) : json::Value(nullptr);
}

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
          {"last_used_at", time_or_null(token.last_used_at)},
          {"limits", policy_json(token.limits)},
          {"executions_max", number_or_null(token.limits.executions_max)},
          {"queue_max", number_or_null(token.limits.queue_max)}};
}

/// Judged by what its role may have: a violation names the field and both bounds.
Result<access::NewToken> read_token(const Call& call, const json::Value& value) {
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
  token.limits.executions_max = fields.integer("executions_max", executions_bounds);
  token.limits.queue_max = fields.integer("queue_max", queue_bounds);
  if (const auto* limits = fields.member("limits")) {
    auto narrowed = bounds_of(call.services, token.role).narrowed(*limits, "limits");
    if (!narrowed) fields.adopt(narrowed.error());
    bool empty = limits->is_object() && limits->get_object().empty();
    if (!empty) token.limits.policy = json::serialize(*limits);
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
  auto wanted = co_await read_json(
      call, [&call](const json::Value& value) { return read_token(call, value); });
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
