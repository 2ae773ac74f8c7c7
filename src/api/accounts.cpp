#include "api/accounts.hpp"

#include "access/access.hpp"
#include "api/cookie.hpp"
#include "api/handlers.hpp"

// First run, signing in and out, and who is signed in.
namespace gantry::api {
namespace {

struct Owner {
  Secret secret;
  std::string name;
  Secret password;
};

struct Credentials {
  std::string name;
  Secret password;
  std::string code;
};

Result<Owner> read_owner(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  Owner owner;
  owner.secret = Secret{fields.required_text("secret", {1, 128})};
  owner.name = fields.required_text("name", {1, 64});
  owner.password = Secret{fields.required_text("password", {1, access::password::bytes_max})};
  if (auto read = fields.finish(); !read) return fail(read.error());
  return owner;
}

Result<Credentials> read_credentials(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  Credentials credentials;
  credentials.name = fields.required_text("name", {1, 64});
  credentials.password = Secret{fields.required_text("password", {1, access::password::bytes_max})};
  credentials.code = fields.text("code", {1, 32}).value_or("");
  if (auto read = fields.finish(); !read) return fail(read.error());
  return credentials;
}

struct PasswordChange {
  Secret current;
  Secret next;
};

Result<PasswordChange> read_password_change(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  PasswordChange change;
  change.current = Secret{fields.required_text("current", {1, access::password::bytes_max})};
  change.next = Secret{fields.required_text("new", {1, access::password::bytes_max})};
  if (auto read = fields.finish(); !read) return fail(read.error());
  if (auto fit = access::password::check_new(change.next, "new"); !fit) return fail(fit.error());
  return change;
}

json::Object me_json(const access::Access& access, const access::Identity& identity) {
  return {{"user", user_json(identity.user, identity.name, identity.role)},
          {"restricted", access.rights(identity).restricted()},
          {"totp", access.has_totp(identity.user)}};
}

/// What the request says besides name and password.
access::Brought brought_by(const Call& call) {
  const auto& peer = call.exchange.peer();
  auto device = find_cookie(call.exchange.request().headers,
                            device_cookie_name(peer.transport, peer.listener_port));
  return {.agent = std::string{call.header("User-Agent")},
          .code = {},
          .device = std::string{device.value_or("")}};
}

Reply signed_in(const Call& call, const access::SignedIn& signed_in) {
  auto reply = json_reply(201, me_json(call.services.access, signed_in.identity));
  add_session(call, signed_in, reply);
  return reply;
}

}  // namespace

json::Object user_json(const access::UserId& id, std::string_view name, access::Role role) {
  return {{"id", id.text()}, {"name", name}, {"role", access::word(role)}};
}

void add_session(const Call& call, const access::SignedIn& signed_in, Reply& reply) {
  const auto& peer = call.exchange.peer();
  auto lifetime =
      std::chrono::duration_cast<Seconds>(signed_in.expires_at - call.services.clock.now());
  reply.headers.add("Set-Cookie",
                    session_cookie(peer.transport, peer.listener_port, signed_in.cookie, lifetime));
  reply.headers.add("Set-Cookie",
                    device_cookie(peer.transport, peer.listener_port, signed_in.device));
}

access::Role read_role(json::Fields& fields) {
  auto role = access::parse_role(fields.required_text("role"));
  if (!role) fields.refuse("role", "must be 'executor', 'viewer', 'operator' or 'admin'");
  return role.value_or(access::Role::viewer);
}

Answer get_setup(Call& call) {
  co_return json_reply(200, json::Object{{"needed", call.services.access.setup_needed()}});
}

Answer create_owner(Call& call) {
  auto owner = co_await read_json(call, &read_owner);
  if (!owner) co_return fail(std::move(owner.error()));
  auto created = co_await call.services.access.create_owner(
      std::move(owner->secret), std::move(owner->name), std::move(owner->password),
      call.exchange.peer().address, brought_by(call));
  if (!created) co_return fail(std::move(created.error()));
  co_return signed_in(call, *created);
}

Answer create_session(Call& call) {
  auto credentials = co_await read_json(call, &read_credentials);
  if (!credentials) co_return fail(std::move(credentials.error()));
  auto& access = call.services.access;
  const auto& address = call.exchange.peer().address;
  auto brought = brought_by(call);
  brought.code = std::move(credentials->code);
  auto opened = co_await access.sign_in(credentials->name, std::move(credentials->password),
                                        address, brought);
  if (!opened) {
    call.retry_after = access.retry_after(credentials->name, address, brought.device);
    co_return fail(std::move(opened.error()));
  }
  co_return signed_in(call, *opened);
}

Answer end_session(Call& call) {
  co_await call.services.access.sign_out(*call.identity);
  auto reply = no_content();
  const auto& peer = call.exchange.peer();
  reply.headers.add("Set-Cookie", cleared_cookie(peer.transport, peer.listener_port));
  co_return reply;
}

Answer get_me(Call& call) {
  co_return json_reply(200, me_json(call.services.access, *call.identity));
}

Answer change_own_password(Call& call) {
  auto change = co_await read_json(call, &read_password_change);
  if (!change) co_return fail(std::move(change.error()));
  const auto& identity = *call.identity;
  if (identity.how != access::How::session) {
    co_return fail(ErrorKind::denied, "session_required",
                   "cannot change the password with a token: that takes a session",
                   "sign in with the current password");
  }
  auto& access = call.services.access;
  auto changed = co_await access.change_password(
      identity, identity.user, std::move(change->current), std::move(change->next));
  if (!changed) {
    call.retry_after = access.password_retry_after(identity.user);
    co_return fail(std::move(changed.error()));
  }
  co_return no_content();
}

}  // namespace gantry::api
