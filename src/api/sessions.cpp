#include "access/access.hpp"
#include "api/handlers.hpp"

#include <fmt/format.h>

// Where people are signed in, and ending that.
namespace gantry::api {
namespace {

Reply list_of(const Call& call, const access::UserId& user) {
  json::Array items;
  for (const auto& session : call.services.access.sessions(user)) {
    bool current = call.identity->how == access::How::session &&
                   call.identity->credential == session.id.text();
    items.push_back(json::Object{{"id", session.id.text()},
                                 {"address", session.address},
                                 {"agent", session.agent},
                                 {"created_at", rfc3339(session.created_at)},
                                 {"last_used_at", rfc3339(session.last_used_at)},
                                 {"current", current}});
  }
  return json_reply(200, json::Object{{"items", std::move(items)}, {"next", nullptr}});
}

}  // namespace

Answer list_own_sessions(Call& call) { co_return list_of(call, call.identity->user); }

Answer end_own_session(Call& call) {
  auto ended = co_await call.services.access.end_session(*call.identity, call.identity->user,
                                                         access::SessionId{call.id});
  if (!ended) co_return fail(std::move(ended.error()));
  co_return no_content();
}

Answer list_user_sessions(Call& call) {
  access::UserId user{call.id};
  if (!call.services.access.user(user)) {
    co_return fail(ErrorKind::not_found, "no_such_user",
                   fmt::format("cannot find user '{}'", call.id));
  }
  co_return list_of(call, user);
}

Answer end_user_session(Call& call) {
  auto ended = co_await call.services.access.end_session(*call.identity, access::UserId{call.id},
                                                         access::SessionId{call.part});
  if (!ended) co_return fail(std::move(ended.error()));
  co_return no_content();
}

}  // namespace gantry::api
