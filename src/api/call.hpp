#pragma once

#include "access/identity.hpp"
#include "api/api.hpp"
#include "api/reply.hpp"
#include "api/target.hpp"
#include "async/race.hpp"
#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "executions/admission.hpp"
#include "executions/record.hpp"
#include "net/http_server.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gantry::api {

/// One request on its way through the API, with all that its handler may use.
struct Call {
  net::http::Exchange& exchange;
  Services& services;
  Bytes body_max{};
  std::string id;    ///< What stands in the place of `{id}` in the route's path,
  std::string part;  ///< and in that of a second such name.
  Query query;
  /// Who asks; absent on open routes, and where anonymous use is allowed.
  std::optional<access::Identity> identity;
  /// Goes into Retry-After when the answer is a 429.
  Seconds retry_after{1};
  /// The peer has gone away: nobody waits for an answer.
  bool abandoned = false;

  /// The name that goes into records.
  std::string who() const { return identity ? identity->name : "anonymous"; }
  /// Whose executions these are: an id, which is not given anew as a name may be.
  std::string account() const { return identity ? identity->user.text() : "anonymous"; }
  /// On whose account programs run.
  executions::Caller caller() const {
    bool by_token = identity && identity->how == access::How::token;
    auto logins = identity ? sandbox::Logins::stored : sandbox::Logins::none;
    if (!by_token) return {.user = who(), .token = {}, .logins = logins, .user_id = account()};
    auto bound = [](const std::optional<std::int64_t>& max) {
      return max ? static_cast<std::size_t>(*max) : executions::Caller::unbounded;
    };
    return {.user = who(),
            .token = identity->credential,
            .running_max = bound(identity->limits.executions_max),
            .queued_max = bound(identity->limits.queue_max),
            .user_id = account()};
  }
  /// Whose executions they may see and cancel: admins everybody's, all others their own.
  executions::Reach reach() const {
    bool admin = identity && identity->at_least(access::Role::admin);
    return admin ? executions::Reach::everybodys() : own();
  }
  /// What they may see and do on which hosts, as of now: ask anew after a wait.
  access::Rights rights() const {
    return identity ? services.access.rights(*identity) : access::Rights{};
  }
  /// For what is nobody else's business, admins included: typing to a program.
  executions::Reach own() const { return executions::Reach::own(account()); }
  std::string_view header(std::string_view name) const {
    return exchange.request().headers.get(name);
  }
};

/// Work on more than this happens beside the event loop.
inline constexpr Bytes long_work{256U << 10U};

/// Runs `work`, on a worker when it is about more than `long_work`.
template <class Work>
async::task<std::invoke_result_t<Work>> compute(Call& call, std::size_t bytes, Work work) {
  if (bytes <= long_work.count) co_return work();
  co_return co_await call.services.workers.run(std::move(work));
}

/// The body has been understood: its memory and its share of what the server holds are free.
inline void forget_body(Call& call, std::string& body) {
  std::string{}.swap(body);
  call.exchange.let_go();
}

/// Reads the body as strict JSON and hands it to `read`, a function of one json::Value that
/// answers a Result.
template <class Read>
async::task<std::invoke_result_t<Read, const json::Value&>> read_json(Call& call, Read read) {
  auto body = co_await call.exchange.body(call.body_max);
  if (!body) co_return fail(std::move(body.error()));
  auto work = [&]() -> std::invoke_result_t<Read, const json::Value&> {
    auto value = json::parse(*body, json::Keys::strict);
    if (!value) return fail(std::move(value.error()));
    return read(*value);
  };
  co_return co_await compute(call, body->size(), work);
}

/// Waits for `work`, unless the peer goes away first: then `abandoned` is set and nothing comes.
template <class T>
async::task<std::optional<T>> unless_abandoned(Call& call, async::task<T> work) {
  std::optional<T> value;
  auto winner =
      co_await async::race(async::detail::keep(std::move(work), value), call.exchange.peer_gone());
  if (winner == async::Winner::second) call.abandoned = true;
  co_return value;
}

}  // namespace gantry::api
