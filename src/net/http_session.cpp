#include "net/http_session.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::net::http {
namespace {

/// A body that nobody wanted is read up to here, so that the connection can be kept.
constexpr std::size_t drain_max = 64U << 10U;
/// A connection that is closed while the peer still sends: closing at once would reset it, and the
/// peer might never see the answer.
constexpr std::size_t linger_max = 4U << 20U;
constexpr auto linger_limit = Seconds{1};

std::string problem(const Rejection& rejection) {
  auto title = reason(rejection.status);
  auto body =
      fmt::format(R"({{"type":"about:blank","title":{},"status":{},"detail":{}}})",
                  text::json_quoted(title), rejection.status, text::json_quoted(rejection.cause));
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: application/problem+json\r\n"
      "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
      rejection.status, title, body.size(), body);
}

std::string request_name(RequestParser& parser) {
  const auto& head = parser.head();
  return text::one_line(text::shortened(fmt::format("{} {}", head.method, head.target), 200));
}

}  // namespace

Session::Session(SessionContext& shared, std::unique_ptr<Stream> connected, Peer from)
    : shared_{shared}, peer_{std::move(from)}, stream_{std::move(connected)} {
  watchdog_.emplace(shared.executor, *stream_);
  place_ = shared_.sessions.insert(shared_.sessions.end(), this);
}

Session::~Session() { shared_.sessions.erase(place_); }

void Session::close_if_idle() {
  if (waiting_ == Waiting::request) stream_->close();
}

bool Session::give_up_one(SessionContext& shared) {
  Session* least = nullptr;
  for (auto* session : shared.sessions) {
    if (least == nullptr || session->waiting_ < least->waiting_) least = session;
    if (least->waiting_ == Waiting::request) break;
  }
  bool asks_nothing = least != nullptr && least->waiting_ == Waiting::request;
  auto handshake = std::ranges::find_if_not(shared.handshakes, &async::StopSignal::stopped);
  if (!asks_nothing && handshake != shared.handshakes.end()) {
    (*handshake)->stop();
    return true;
  }
  if (least == nullptr || least->waiting_ == Waiting::nothing) return false;
  least->waiting_ = Waiting::nothing;
  least->stream_->close();
  return true;
}

void Session::wait_for(Waiting what) {
  waiting_ = what;
  shared_.sessions.splice(shared_.sessions.end(), shared_.sessions, place_);
}

async::task<void> Session::serve() {
  for (;;) {
    auto parser = co_await next_request();
    if (!parser || !co_await serve_one(std::move(*parser))) co_return;
  }
}

async::task<std::optional<RequestParser>> Session::next_request() {
  if (input_.empty()) {
    if (shared_.closing.stopped()) co_return std::nullopt;
    wait_for(Waiting::request);
    input_.shrink();
    watchdog_->allow(shared_.limits.idle);
    auto count = co_await async::attempt(input_.fill(*stream_));
    if (!count || *count == 0) co_return std::nullopt;
    watchdog_->rest();
  }
  wait_for(Waiting::head);
  RequestParser parser{shared_.limits.head_max};
  auto bad = feed(parser);
  if (!bad && !parser.head_done()) {
    auto finished = co_await async::attempt(async::with_deadline(
        shared_.limits.head, "sending the request's head", finish_head(parser, bad)));
    if (!finished && finished.error().kind != ErrorKind::timed_out) co_return std::nullopt;
    if (!finished) bad = Rejection{408, finished.error().message};
  }
  wait_for(Waiting::nothing);
  if (!bad) co_return parser;
  co_await refuse(std::move(*bad));
  co_return std::nullopt;
}

async::task<void> Session::finish_head(RequestParser& parser, std::optional<Rejection>& bad) {
  while (!bad && !parser.head_done()) {
    co_await fill();
    bad = feed(parser);
  }
}

std::optional<Rejection> Session::feed(RequestParser& parser) {
  auto used = parser.feed(input_.data());
  if (!used) return std::move(used.error());
  input_.consume(*used);
  return std::nullopt;
}

async::task<void> Session::fill() {
  auto count = input_.full() ? 0 : co_await input_.fill(*stream_);
  if (count != 0) co_return;
  throw Failure{{ErrorKind::unavailable, "peer_gone", "the peer closed the connection", {}}};
}

async::task<void> Session::write(std::string_view bytes) {
  watchdog_->allow(shared_.limits.write);
  broken_ = true;
  wait_for(Waiting::taking);
  co_await stream_->write(bytes);
  wait_for(Waiting::nothing);
  broken_ = false;
  watchdog_->rest();
}

async::task<bool> Session::serve_one(RequestParser parser) {
  Exchange::Impl impl{*this, std::move(parser)};
  Exchange exchange{impl};
  auto handled = co_await async::attempt(shared_.handler(exchange));
  if (!handled) report(impl, handled.error());
  co_return co_await end_of(impl, handled ? Ending::returned : Ending::threw);
}

void Session::report(Exchange::Impl& exchange, const Error& error) const {
  bool ours = error.kind == ErrorKind::internal;
  bool upgraded = exchange.state == Exchange::Impl::State::upgraded;
  bool peers_doing = broken_ || exchange.peer_left || exchange.rejection || (upgraded && !ours);
  auto line =
      fmt::format("cannot answer '{}': {}", request_name(exchange.parser), error.sentence());
  log::write(peers_doing ? log::Level::debug : log::Level::error, line);
}

async::task<bool> Session::end_of(Exchange::Impl& exchange, Ending ending) {
  using State = Exchange::Impl::State;
  if (broken_ || exchange.peer_left || exchange.state == State::upgraded) co_return false;
  if (exchange.state == State::waiting) {
    if (ending == Ending::returned) {
      log::error("the handler of '{}' gave no answer", request_name(exchange.parser));
    }
    auto rejection = exchange.rejection.value_or(Rejection{500, "the server failed"});
    co_await refuse(std::move(rejection));
    co_return false;
  }
  // A streamed body that was not finished ends here; without its last chunk the peer can tell.
  if (ending == Ending::threw || exchange.state == State::streaming) co_return false;
  auto& parser = exchange.parser;
  if (exchange.will_close()) {
    if (!parser.done()) co_await linger();
    co_return false;
  }
  if (parser.done()) co_return true;
  auto skipped = co_await async::attempt(async::with_deadline(
      shared_.limits.body, "sending the request's body", skip_body(parser, drain_max)));
  co_return skipped&& parser.done();
}

async::task<void> Session::skip_body(RequestParser& parser, std::size_t max) {
  for (std::size_t skipped = 0; !parser.done() && skipped <= max;) {
    if (input_.empty()) co_await fill();
    auto before = input_.data().size();
    if (feed(parser)) co_return;
    skipped += parser.body().size();
    parser.body().clear();
    if (input_.data().size() == before) co_await fill();
  }
}

async::task<void> Session::refuse(Rejection rejection) {
  auto written = co_await async::attempt(write(problem(rejection)));
  if (written) co_await linger();
}

static async::task<void> discard(Stream& stream, InputBuffer& input) {
  for (std::size_t seen = 0; seen < linger_max;) {
    input.consume(input.data().size());
    auto count = co_await input.fill(stream);
    if (count == 0) co_return;
    seen += count;
  }
}

async::task<void> Session::linger() {
  stream_->finish_writing();
  co_await async::attempt(async::with_deadline(linger_limit, "closing", discard(*stream_, input_)));
}

}  // namespace gantry::net::http
