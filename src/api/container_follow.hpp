#pragma once

#include "api/call.hpp"
#include "api/host_access.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// What answers that go on for long share: they end with the right to them, with the server, and
/// with their reader.
namespace gantry::api {

/// The next of something, or nothing after a while.
template <class T>
struct Glance {
  std::optional<T> news;
  bool ended = false;    ///< There will be none any more.
  bool closing = false;  ///< The server is about to stop.
};

namespace detail {

inline constexpr Milliseconds glance_max{2'000};

template <class T>
async::task<void> take_next(async::task<std::optional<T>> next, Glance<T>& glance) {
  glance.news = co_await std::move(next);
  glance.ended = !glance.news;
}

template <class T>
async::task<void> end_glance(Call& call, Glance<T>& glance) {
  auto winner = co_await async::race(async::pause(glance_max), call.exchange.server_closing());
  glance.closing = winner == async::Winner::second;
}

}  // namespace detail

/// Waits for `next` for 2 s at most; `next` is cancelled then and asked again later.
template <class T>
async::task<Glance<T>> glance(Call& call, async::task<std::optional<T>> next) {
  Glance<T> glance;
  co_await async::race(detail::take_next(std::move(next), glance),
                       detail::end_glance(call, glance));
  co_return glance;
}

/// Whether the caller still may see it: what lets them in, and what it allows, can end meanwhile.
bool may_still_see(const Call& call, const FoundContainer& container);

/// Begins an answer of server-sent events, or of plain text.
async::task<void> begin_events(Call& call);
/// `event: <name>`, with JSON.
std::string event_frame(std::string_view name, const json::Value& data);
/// Why what is followed is not told any further, though there may be more.
inline constexpr std::string_view server_stopping = "server_stopping";
inline constexpr std::string_view not_allowed = "not_allowed";
/// The event `end`, which every stream that is followed has unless it breaks off.
std::string end_frame(std::string_view reason);
/// Sends it, counted as held by this exchange; false when there is no room for it.
async::task<bool> send_held(Call& call, std::string piece);

/// Runs `work`, which answers by itself, until it ends or the peer goes.
async::task<void> until_peer_gone(Call& call, async::task<void> work);

}  // namespace gantry::api
