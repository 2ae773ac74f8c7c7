#include "engine/client.hpp"

#include "async/attempt.hpp"
#include "base/encoding.hpp"
#include "base/text.hpp"
#include "engine/refusal.hpp"

#include <charconv>

#include <fmt/format.h>

namespace gantry::engine {
namespace {

/// Engines under load take their time; what may take longer says so in its Request.
constexpr Milliseconds patience_of_streams{60'000};
constexpr Bytes refusal_max{64U << 10U};
constexpr Milliseconds refusal_patience{10'000};

async::task<std::unique_ptr<net::Stream>> dial(net::Connect connect, net::Endpoint endpoint) {
  auto stream = co_await async::attempt(connect());
  if (!stream) throw Failure{unreachable(endpoint, stream.error())};
  co_return std::move(*stream);
}

struct Pieces {
  std::string bytes;
};

async::task<std::string> take(std::shared_ptr<Pieces> pieces) {
  co_return std::exchange(pieces->bytes, {});
}

std::string target_of(const Request& request, ApiVersion version) {
  auto target = fmt::format("/v{}", version.text());
  for (const auto& segment : request.path) {
    target += '/';
    target += encoding::percent(segment);
  }
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    target += fmt::format("{}{}={}", separator, name, encoding::percent(value));
    separator = '&';
  }
  return target;
}

std::string body_of(const Request& request) {
  return request.body ? json::serialize(*request.body) : std::string{};
}

bool is_answer(unsigned status) { return (status >= 200 && status < 300) || status == 304; }

}  // namespace

std::optional<ApiVersion> ApiVersion::parse(std::string_view text) {
  ApiVersion version;
  auto dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  auto number = [](std::string_view digits, unsigned& into) {
    if (digits.empty() || digits.size() > 4) return false;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    return error == std::errc{} && end == digits.data() + digits.size();
  };
  if (!number(text.substr(0, dot), version.major)) return std::nullopt;
  if (!number(text.substr(dot + 1), version.minor)) return std::nullopt;
  return version;
}

std::string ApiVersion::text() const { return fmt::format("{}.{}", major, minor); }

std::string Doing::text() const {
  auto shown = text::shortened(text::one_line(name), 128);
  return name.empty() ? fmt::format("{} {}", verb, thing)
                      : fmt::format("{} {} '{}'", verb, thing, shown);
}

Source source_of(std::string bytes) {
  auto pieces = std::make_shared<Pieces>(std::move(bytes));
  return [pieces] { return take(pieces); };
}

Client::Client(async::Executor executor, net::Connect connect, net::Endpoint endpoint)
    : endpoint_{std::move(endpoint)} {
  net::http::ClientLimits limits;
  limits.head = patience_of_streams;
  auto dial_engine = [connect = std::move(connect), where = endpoint_] {
    return dial(connect, where);
  };
  http_ = std::make_unique<net::http::Client>(std::move(executor), std::move(dial_engine),
                                              endpoint_.host_header(), limits);
}

Client::~Client() = default;

void Client::reset() {
  negotiated_.reset();
  http_->close_idle();
}

/// Turns what the HTTP client threw into the engine's terms, and throws that.
void Client::broken(const Doing& doing, const Error& error) {
  reset();
  if (is_of_the_way(error)) throw Failure{error};
  auto translated = error;
  switch (error.kind) {
    case ErrorKind::timed_out:
      translated.code = "engine_timed_out";
      if (translated.remedy.empty()) {
        translated.remedy =
            "see whether the engine works on its own machine; restart it if it hangs";
      }
      break;
    case ErrorKind::too_large:
      translated.code = "engine_answer_too_large";
      break;
    default:
      translated.code = "engine_unreachable";
      break;
  }
  translated.message =
      fmt::format("cannot {} on '{}': {}", doing.text(), endpoint_.text(), error.message);
  throw Failure{translated};
}

async::task<net::http::RequestHead> Client::head_of(const Request& request) {
  auto version = negotiated_.value_or(ApiVersion{});
  if (!negotiated_) version = co_await negotiate();
  net::http::RequestHead head;
  head.method = request.method;
  head.target = target_of(request, version);
  head.headers = request.headers;
  if (request.body) head.headers.set("Content-Type", "application/json");
  co_return head;
}

Error Client::refused(const Doing& doing, unsigned status, std::string_view body) {
  // The engine was changed under us: the next request asks again what it speaks.
  if (refuses_version(status, body)) negotiated_.reset();
  return refusal(doing, status, body);
}

async::task<Error> Client::refused(Doing doing, net::http::StreamedResponse response) {
  auto status = response.head().status;
  std::string body;
  while (body.size() < refusal_max.count) {
    auto piece = co_await async::attempt(response.read(refusal_patience));
    if (!piece || piece->empty()) break;
    body += *piece;
  }
  co_return refused(doing, status, body);
}

async::task<Result<Answer>> Client::call(Request request) {
  net::http::ClientLimits limits;
  limits.head = request.patience;
  limits.body_max = request.answer_max;
  auto body = body_of(request);
  // Twice at most: a refused version is negotiated anew, and nothing has happened by then.
  for (bool again = true;; again = false) {
    auto head = co_await head_of(request);
    auto response = co_await async::attempt(http_->send(std::move(head), body, limits));
    if (!response) broken(request.doing, response.error());
    auto status = response->head.status;
    if (is_answer(status)) co_return Answer{status, std::move(response->body)};
    auto error = refused(request.doing, status, response->body);
    if (!again || negotiated_) co_return fail(std::move(error));
  }
}

async::task<Result<json::Value>> Client::call_json(Request request) {
  auto doing = request.doing;
  json::Limits limits{.depth_max = 32, .bytes_max = request.answer_max.count};
  auto answer = co_await call(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  auto value = json::parse(answer->body, json::Keys::tolerant, limits);
  if (!value) {
    co_return fail(ErrorKind::unavailable, "engine_answer_malformed",
                   fmt::format("cannot {}: the engine's answer is malformed: {}", doing.text(),
                               value.error().message),
                   "check that the endpoint is a Docker engine");
  }
  co_return std::move(*value);
}

async::task<Result<net::http::StreamedResponse>> Client::stream(Request request) {
  auto head = co_await head_of(request);
  auto response = co_await async::attempt(http_->stream(std::move(head), body_of(request)));
  if (!response) broken(request.doing, response.error());
  if (is_answer(response->head().status)) co_return std::move(*response);
  co_return fail(co_await refused(std::move(request.doing), std::move(*response)));
}

async::task<Result<net::http::StreamedResponse>> Client::upload(Request request, Source source) {
  auto head = co_await head_of(request);
  auto response = co_await async::attempt(http_->upload(std::move(head), std::move(source)));
  if (!response) broken(request.doing, response.error());
  if (is_answer(response->head().status)) co_return std::move(*response);
  co_return fail(co_await refused(std::move(request.doing), std::move(*response)));
}

async::task<Result<std::unique_ptr<net::Stream>>> Client::hijack(Request request) {
  auto head = co_await head_of(request);
  auto answer = co_await async::attempt(http_->upgrade(std::move(head), "tcp", body_of(request)));
  if (!answer) broken(request.doing, answer.error());
  if (answer->upgraded.stream) co_return std::move(answer->upgraded.stream);
  co_return fail(refused(request.doing, answer->upgraded.head.status, answer->refusal));
}

}  // namespace gantry::engine
