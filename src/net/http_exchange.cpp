#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/text.hpp"
#include "net/http_session.hpp"
#include "net/prefixed_stream.hpp"
#include "net/websocket_impl.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gantry::net::http {
namespace {

/// A body up to this size travels in one write with its head.
constexpr std::size_t joined_body_max = 16U << 10U;
/// Larger ones in pieces, so that the limit on a write is one on progress.
constexpr std::size_t write_max = 256U << 10U;
constexpr std::uint64_t drain_max = 64U << 10U;
/// Smaller bodies are not counted.
constexpr std::uint64_t uncounted_max = 64U << 10U;

bool is_bodiless(unsigned status) { return status < 200 || status == 204 || status == 304; }

Failure failure_of(const Rejection& rejection) {
  auto kind = rejection.status == 408 ? ErrorKind::timed_out : ErrorKind::invalid;
  return Failure{{kind, "bad_request", "cannot read the request: " + rejection.cause, {}}};
}

}  // namespace

bool Exchange::Impl::expects_continue() {
  return parser.version() == Version::http_1_1 && parser.head().headers.has("Expect");
}

bool Exchange::Impl::undrainable() {
  if (parser.done()) return false;
  bool may_not_come = expects_continue() && !continued;
  return may_not_come || parser.content_length().value_or(0) > drain_max;
}

bool Exchange::Impl::will_close() {
  return session.shared_.closing.stopped() || parser.version() == Version::http_1_0 ||
         !parser.keep_alive() || undrainable();
}

void Exchange::Impl::begin_answer(State next) {
  if (state != State::waiting) {
    throw Failure{{ErrorKind::internal,
                   "answered_twice",
                   "cannot answer the request: it was answered before",
                   {}}};
  }
  state = next;
}

std::string Exchange::Impl::write_head(const ResponseHead& head, std::string_view framing) {
  auto out = fmt::format("HTTP/1.1 {} {}\r\n", head.status, reason(head.status));
  value_or_throw(append_fields(out, head.headers));
  out.append(framing);
  if (will_close()) out.append("Connection: close\r\n");
  return out.append("\r\n");
}

Result<> Exchange::Impl::room_for(std::uint64_t bytes) const {
  const auto& shared = session.shared_;
  if (shared.held + bytes <= shared.limits.held_max.count) return ok;
  return fail(
      ErrorKind::exhausted, "server_full",
      fmt::format("cannot serve the request: other requests leave no room for {} bytes", bytes),
      "try again after the time that Retry-After tells");
}

Result<> Exchange::Impl::hold(std::uint64_t bytes) {
  auto there = room_for(bytes);
  if (!there) return there;
  session.shared_.held += bytes;
  held += bytes;
  return ok;
}

const RequestHead& Exchange::request() const { return impl_.parser.head(); }
const Peer& Exchange::peer() const { return impl_.peer; }

async::task<Result<std::string>> Exchange::body(Bytes max) {
  auto& parser = impl_.parser;
  auto over = [&] {
    return fail(
        ErrorKind::too_large, "body_too_large",
        fmt::format("cannot take the request: its body is larger than {} bytes", max.count));
  };
  auto declared = parser.content_length().value_or(0);
  if (declared > max.count) co_return over();
  // Not taken yet: what is only announced must not keep others out.
  if (declared > uncounted_max) impl_.room = impl_.room_for(declared);
  if (!impl_.room) co_return fail(impl_.room.error());
  auto& session = impl_.session;
  if (!parser.done() && session.input_.empty() && impl_.expects_continue() && !impl_.continued) {
    co_await session.write("HTTP/1.1 100 Continue\r\n\r\n");
  }
  impl_.continued = true;
  if (!parser.done() && !session.input_.empty()) impl_.rejection = session.feed(parser);
  if (!parser.done() && !impl_.rejection) {
    session.wait_for(Waiting::body);
    auto read = co_await async::attempt(async::with_deadline(
        session.shared_.limits.body, "sending the request's body", impl_.read_body(max)));
    session.wait_for(Waiting::nothing);
    bool late = !read && read.error().kind == ErrorKind::timed_out;
    if (late) impl_.rejection = Rejection{408, read.error().message};
    if (!read && !late) {
      impl_.peer_left = true;
      throw Failure{read.error()};
    }
  }
  if (impl_.rejection) throw failure_of(*impl_.rejection);
  if (!impl_.room) {
    // What there is of it is not kept while the refusal is on its way.
    parser.body() = {};
    let_go();
    co_return fail(impl_.room.error());
  }
  if (parser.body().size() > max.count) co_return over();
  co_return std::move(parser.body());
}

async::task<void> Exchange::Impl::read_body(Bytes max) {
  const auto& body = parser.body();
  std::uint64_t counted = 0;
  while (!parser.done() && !rejection && body.size() <= max.count) {
    co_await session.fill();
    rejection = session.feed(parser);
    if (body.size() <= uncounted_max || body.size() > max.count) continue;
    room = hold(body.size() - counted);
    if (!room) co_return;
    counted = body.size();
  }
}

Result<> Exchange::hold(Bytes bytes) {
  if (bytes.count <= uncounted_max) return ok;
  return impl_.hold(bytes.count);
}

void Exchange::let_go() { impl_.session.shared_.held -= std::exchange(impl_.held, 0); }

async::task<void> Exchange::respond(ResponseHead head, std::string body) {
  bool bodiless = is_bodiless(head.status);
  auto framing = bodiless ? std::string{} : fmt::format("Content-Length: {}\r\n", body.size());
  auto message = impl_.write_head(head, framing);
  impl_.begin_answer(Impl::State::answered);
  if (bodiless || request().method == "HEAD") body.clear();
  if (body.size() <= joined_body_max) {
    co_await impl_.session.write(message.append(body));
    co_return;
  }
  co_await impl_.session.write(message);
  for (std::string_view rest{body}; !rest.empty();) {
    auto piece = rest.substr(0, write_max);
    co_await impl_.session.write(piece);
    rest.remove_prefix(piece.size());
  }
}

async::task<void> Exchange::begin_stream(ResponseHead head) {
  bool chunked = impl_.parser.version() == Version::http_1_1;
  auto message = impl_.write_head(head, chunked ? "Transfer-Encoding: chunked\r\n" : "");
  impl_.begin_answer(Impl::State::streaming);
  co_await impl_.session.write(message);
}

async::task<void> Exchange::send(std::string piece) {
  CHECK(impl_.state == Impl::State::streaming);
  if (piece.empty() || request().method == "HEAD") co_return;
  bool chunked = impl_.parser.version() == Version::http_1_1;
  co_await impl_.session.write(chunked ? chunk(piece) : piece);
}

async::task<void> Exchange::finish_stream() {
  CHECK(impl_.state == Impl::State::streaming);
  bool chunked = impl_.parser.version() == Version::http_1_1 && request().method != "HEAD";
  if (chunked) co_await impl_.session.write(last_chunk);
  impl_.state = Impl::State::answered;
}

bool Exchange::answered() const { return impl_.state != Impl::State::waiting; }

async::task<void> Exchange::peer_gone() {
  for (;;) {
    auto read = co_await async::attempt(impl_.session.fill());
    if (!read) break;
  }
  impl_.peer_left = true;
}

async::task<void> Exchange::server_closing() { return impl_.session.shared_.closing.wait(); }

std::expected<std::string, Rejection> Exchange::Impl::upgrade_answer() {
  const auto& head = parser.head();
  const auto& fields = head.headers;
  if (head.method != "GET" || !parser.done() || parser.version() != Version::http_1_1) {
    return std::unexpected{Rejection{400, "a WebSocket begins with a GET without a body"}};
  }
  if (!has_token(fields.get("Connection"), "upgrade") ||
      !has_token(fields.get("Upgrade"), "websocket")) {
    return std::unexpected{Rejection{426, "only a WebSocket can be had here"}};
  }
  if (fields.get("Sec-WebSocket-Version") != "13") {
    return std::unexpected{Rejection{426, "the only WebSocket version spoken here is 13"}};
  }
  auto accept = websocket_accept(fields.get("Sec-WebSocket-Key"));
  if (!accept || fields.count("Sec-WebSocket-Key") != 1) {
    return std::unexpected{Rejection{400, "Sec-WebSocket-Key is not 16 bytes of base64"}};
  }
  return fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: {}\r\n\r\n",
      *accept);
}

async::task<WebSocket> Exchange::accept_websocket(WebSocketLimits limits) {
  auto answer = impl_.upgrade_answer();
  if (!answer) {
    impl_.rejection = std::move(answer.error());
    throw failure_of(*impl_.rejection);
  }
  impl_.begin_answer(Impl::State::upgraded);
  auto& session = impl_.session;
  co_await session.write(*answer);
  session.watchdog_.reset();
  auto stream = std::move(session.stream_);
  if (!session.input_.empty()) {
    stream = prefixed_stream(std::string{session.input_.data()}, std::move(stream));
  }
  co_return make_websocket(session.shared_.executor, std::move(stream), WebSocketRole::server,
                           limits);
}

}  // namespace gantry::net::http
