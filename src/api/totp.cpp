#include "access/access.hpp"
#include "api/handlers.hpp"

// The second factor of who signs in with a password.
namespace gantry::api {
namespace {

struct Proof {
  std::string code;
  Secret password;
};

Result<Proof> read_proof(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  Proof proof;
  proof.code = fields.required_text("code", {1, 32});
  proof.password = Secret{fields.required_text("password", {1, access::password::bytes_max})};
  if (auto read = fields.finish(); !read) return fail(read.error());
  return proof;
}

Result<Secret> read_password(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  Secret password{fields.required_text("password", {1, access::password::bytes_max})};
  if (auto read = fields.finish(); !read) return fail(read.error());
  return password;
}

}  // namespace

Answer begin_totp(Call& call) {
  auto begun = call.services.access.begin_totp(*call.identity);
  if (!begun) co_return fail(std::move(begun.error()));
  co_return json_reply(
      201, json::Object{{"secret", begun->secret.reveal()}, {"uri", begun->uri.reveal()}});
}

Answer confirm_totp(Call& call) {
  auto proof = co_await read_json(call, &read_proof);
  if (!proof) co_return fail(std::move(proof.error()));
  auto& access = call.services.access;
  auto made = co_await access.confirm_totp(*call.identity, std::move(proof->code),
                                           std::move(proof->password));
  if (!made) {
    call.retry_after = access.password_retry_after(call.identity->user);
    co_return fail(std::move(made.error()));
  }
  json::Array codes;
  for (const auto& each : *made) codes.emplace_back(each.reveal());
  co_return json_reply(200, json::Object{{"recovery_codes", std::move(codes)}});
}

Answer remove_own_totp(Call& call) {
  auto password = co_await read_json(call, &read_password);
  if (!password) co_return fail(std::move(password.error()));
  auto& access = call.services.access;
  const auto& user = call.identity->user;
  auto removed = co_await access.remove_totp(*call.identity, user, std::move(*password));
  if (!removed) {
    call.retry_after = access.password_retry_after(user);
    co_return fail(std::move(removed.error()));
  }
  co_return no_content();
}

Answer remove_user_totp(Call& call) {
  access::UserId user{call.id};
  if (call.identity->user == user) {
    co_return fail(ErrorKind::denied, "current_password_required",
                   "cannot remove your own second factor without the password",
                   "send it to DELETE /api/v1/me/totp");
  }
  auto removed = co_await call.services.access.remove_totp(*call.identity, user, Secret{});
  if (!removed) co_return fail(std::move(removed.error()));
  co_return no_content();
}

}  // namespace gantry::api
