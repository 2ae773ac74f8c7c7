#include "net/http_client.hpp"

#include "async/attempt.hpp"
#include "base/text.hpp"
#include "net/http_connection.hpp"

#include <functional>

#include <fmt/format.h>

namespace gantry::net::http {
namespace {

/// A body up to this size travels in one write with its head.
constexpr std::size_t joined_body_max = 16U << 10U;
constexpr Bytes refusal_max{1U << 20U};

using NextPiece = std::function<async::task<std::string>()>;

/// What is sent: the head as bytes, and what becomes of the body.
struct Outgoing {
  std::string name;  ///< `GET /path`, for messages.
  std::string head;
  std::string body;
  NextPiece next;  ///< Set: the body is sent in chunks, as it comes.
  bool repeatable = false;
  ResponseParser::Body answer = ResponseParser::Body::expected;
};

std::string request_name(const RequestHead& request) {
  return text::one_line(text::shortened(fmt::format("{} {}", request.method, request.target), 200));
}

/// The head without its last empty line.
Result<std::string> write_head(const RequestHead& request, std::string_view host) {
  if (!is_token(request.method) || !is_target(request.target)) {
    return fail(ErrorKind::invalid, "bad_request_line",
                fmt::format("cannot send request '{}': its method or target holds a character "
                            "that HTTP forbids",
                            request_name(request)));
  }
  auto out = fmt::format("{} {} HTTP/1.1\r\n", request.method, request.target);
  if (!request.headers.has("Host")) out.append("Host: ").append(host).append("\r\n");
  if (auto appended = append_fields(out, request.headers); !appended) return fail(appended.error());
  return out;
}

Result<Outgoing> prepare(const RequestHead& request, std::string body, std::string_view host) {
  auto head = write_head(request, host);
  if (!head) return fail(std::move(head.error()));
  bool wants_length = !body.empty() || request.method == "POST" || request.method == "PUT" ||
                      request.method == "PATCH";
  if (wants_length) head->append(fmt::format("Content-Length: {}\r\n", body.size()));
  return Outgoing{.name = request_name(request),
                  .head = std::move(*head),
                  .body = std::move(body),
                  .next = {},
                  .repeatable = request.method == "GET" || request.method == "HEAD",
                  .answer = request.method == "HEAD" ? ResponseParser::Body::none
                                                     : ResponseParser::Body::expected};
}

async::task<void> write_message(Connection& connection, const Outgoing& outgoing,
                                const ClientLimits& limits) {
  connection.watchdog.allow(limits.head);
  if (outgoing.body.size() <= joined_body_max) {
    co_await connection.stream->write(outgoing.head + outgoing.body);
  } else {
    co_await connection.stream->write(outgoing.head);
    co_await connection.stream->write(outgoing.body);
  }
  if (!outgoing.next) co_return;
  for (;;) {
    connection.watchdog.rest();
    auto piece = co_await outgoing.next();
    connection.watchdog.allow(limits.idle);
    if (piece.empty()) break;
    co_await connection.stream->write(chunk(piece));
  }
  co_await connection.stream->write(last_chunk);
}

/// Reads until a response's head is there that is not an interim one.
async::task<ResponseParser> read_head(Connection& connection, const Outgoing& outgoing,
                                      const ClientLimits& limits) {
  auto latest = steady_now() + limits.head;
  for (;;) {
    ResponseParser parser{limits.head_max, outgoing.answer};
    if (!connection.input.empty()) feed_input(connection, parser, outgoing.name);
    while (!parser.head_done()) {
      auto left = std::chrono::ceil<Milliseconds>(latest - steady_now());
      co_await read_more(connection, parser, std::max(left, Milliseconds{1}), outgoing.name);
    }
    auto status = parser.head().status;
    if (status >= 200 || status == 101) co_return parser;
  }
}

/// One attempt on one connection.
async::task<ResponseParser> ask(Connection& connection, const Outgoing& outgoing,
                                const ClientLimits& limits) {
  auto written = co_await async::attempt(write_message(connection, outgoing, limits));
  // A server may refuse a large body before it has read it, and close: its answer counts.
  bool may_have_answered = !outgoing.body.empty() || outgoing.next;
  if (!written && (connection.watchdog.expired() || !may_have_answered)) {
    auto kind = connection.watchdog.expired() ? ErrorKind::timed_out : written.error().kind;
    auto code = kind == ErrorKind::timed_out ? "timed_out" : written.error().code;
    throw Failure{{kind,
                   std::move(code),
                   fmt::format("cannot send {}: {}", outgoing.name, written.error().message),
                   {}}};
  }
  co_return co_await read_head(connection, outgoing, limits);
}

/// Hands the parser what was read ahead, then reads on until a piece of the body is there.
async::task<void> next_piece(Connection& connection, ResponseParser& parser, Milliseconds idle) {
  constexpr std::string_view doing = "reading the answer's body";
  while (parser.body().empty() && !parser.done()) {
    bool fed = !connection.input.empty() && feed_input(connection, parser, doing) != 0;
    if (!fed) co_await read_more(connection, parser, idle, doing);
  }
}

}  // namespace

struct Client::Impl {
  std::shared_ptr<Pool> pool;  // also held by streamed responses
  std::string host;
  ClientLimits limits;

  async::task<Answer> begin(const Outgoing& outgoing, ClientLimits limits) const;
};

async::task<Answer> Client::Impl::begin(const Outgoing& outgoing, ClientLimits its_limits) const {
  auto from = outgoing.repeatable ? Lease::From::idle : Lease::From::recently_used;
  auto lease = co_await Lease::take(pool, from, its_limits.head);
  auto answer = co_await async::attempt(ask(*lease, outgoing, its_limits));
  bool stale = !answer && outgoing.repeatable && lease->reused && !lease->answered &&
               !lease->watchdog.expired();
  if (stale) {
    lease = co_await Lease::take(pool, Lease::From::fresh, its_limits.head);
    answer = co_await async::attempt(ask(*lease, outgoing, its_limits));
  }
  co_return Answer{std::move(lease), value_or_throw(std::move(answer))};
}

static async::task<std::string> read_whole(Answer& answer, Bytes max, Milliseconds idle) {
  auto& parser = answer.parser;
  auto refuse = [&] {
    return Failure{{ErrorKind::too_large,
                    "answer_too_large",
                    fmt::format("cannot read the answer: it is larger than {} bytes", max.count),
                    {}}};
  };
  if (!parser.done() && parser.content_length().value_or(0) > max.count) throw refuse();
  std::string body;
  while (!parser.done()) {
    co_await next_piece(*answer.lease, parser, idle);
    if (body.size() + parser.body().size() > max.count) throw refuse();
    if (body.empty()) {
      body = std::move(parser.body());
    } else {
      body += parser.body();
    }
    parser.body().clear();
  }
  end_exchange(answer.lease, parser);
  co_return body;
}

Client::Client(async::Executor executor, Connect connect, std::string host_header,
               ClientLimits limits)
    : impl_{std::make_unique<Impl>(
          Impl{std::make_shared<Pool>(std::move(executor), std::move(connect)),
               std::move(host_header), limits})} {}
Client::~Client() = default;

async::task<Response> Client::send(RequestHead request, std::string body) {
  return send(std::move(request), std::move(body), impl_->limits);
}

async::task<Response> Client::send(RequestHead request, std::string body, ClientLimits limits) {
  auto outgoing = value_or_throw(prepare(request, std::move(body), impl_->host));
  outgoing.head.append("\r\n");
  auto answer = co_await impl_->begin(outgoing, limits);
  auto whole = co_await read_whole(answer, limits.body_max, limits.idle);
  co_return Response{std::move(answer.parser.head()), std::move(whole)};
}

struct StreamedResponse::State {
  Answer answer;
};

StreamedResponse::StreamedResponse(std::unique_ptr<State> state) : state_{std::move(state)} {}
StreamedResponse::StreamedResponse(StreamedResponse&&) noexcept = default;
StreamedResponse& StreamedResponse::operator=(StreamedResponse&&) noexcept = default;
StreamedResponse::~StreamedResponse() = default;

const ResponseHead& StreamedResponse::head() const { return state_->answer.parser.head(); }

async::task<std::string> StreamedResponse::read(Milliseconds idle) {
  auto& [lease, parser] = state_->answer;
  if (!parser.done()) co_await next_piece(*lease, parser, idle);
  if (parser.done() && lease) end_exchange(lease, parser);
  co_return std::exchange(parser.body(), {});
}

async::task<StreamedResponse> Client::stream(RequestHead request, std::string body) {
  auto outgoing = value_or_throw(prepare(request, std::move(body), impl_->host));
  outgoing.head.append("\r\n");
  auto answer = co_await impl_->begin(outgoing, impl_->limits);
  co_return StreamedResponse{
      std::make_unique<StreamedResponse::State>(StreamedResponse::State{std::move(answer)})};
}

async::task<StreamedResponse> Client::upload(RequestHead request, NextPiece next) {
  auto head = value_or_throw(write_head(request, impl_->host));
  head.append("Transfer-Encoding: chunked\r\n\r\n");
  Outgoing outgoing{
      .name = request_name(request), .head = std::move(head), .body = {}, .next = std::move(next)};
  auto answer = co_await impl_->begin(outgoing, impl_->limits);
  co_return StreamedResponse{
      std::make_unique<StreamedResponse::State>(StreamedResponse::State{std::move(answer)})};
}

async::task<Client::UpgradeAnswer> Client::upgrade(RequestHead request, std::string protocol,
                                                   std::string body) {
  request.headers.set("Upgrade", protocol);
  auto outgoing = value_or_throw(prepare(request, std::move(body), impl_->host));
  outgoing.head.append("Connection: Upgrade\r\n\r\n");
  outgoing.repeatable = false;
  auto answer = co_await impl_->begin(outgoing, impl_->limits);
  auto head = std::move(answer.parser.head());
  if (head.status == 101 || head.status == 200) {
    co_return UpgradeAnswer{{std::move(head), answer.lease.detach()}, {}};
  }
  auto refusal = co_await read_whole(answer, refusal_max, impl_->limits.idle);
  co_return UpgradeAnswer{{std::move(head), nullptr}, std::move(refusal)};
}

void Client::close_idle() { impl_->pool->idle.clear(); }

}  // namespace gantry::net::http
