#pragma once

#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "net/endpoint.hpp"
#include "net/http_client.hpp"

#include <compare>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A client of the Docker Engine API (https://docs.docker.com/engine/api/), one file per resource.
/// A daemon's refusal is a Result; an engine that can not be reached is a Failure, so a caller
/// that wants both as a value writes `async::attempt(start_container(…))`.
namespace gantry::engine {

/// A version of the Engine API: `1.41`.
struct ApiVersion {
  unsigned major = 0;
  unsigned minor = 0;

  static std::optional<ApiVersion> parse(std::string_view text);
  std::string text() const;
  auto operator<=>(const ApiVersion&) const = default;
};

/// What this client is written against: nothing older is spoken, nothing newer is known.
inline constexpr ApiVersion oldest_api{1, 41};
inline constexpr ApiVersion newest_api{1, 51};

/// What a request is about: completes `cannot <verb> <thing> '<name>': …`.
struct Doing {
  std::string verb;
  std::string thing;
  std::string name;

  std::string text() const;
};

/// One request, before it is encoded: nobody's text reaches the engine's path as it is.
struct Request {
  Doing doing;
  std::string method = "GET";
  /// Path segments after `/v<version>`; each is percent-encoded.
  std::vector<std::string> path;
  std::vector<std::pair<std::string, std::string>> query;
  std::optional<json::Value> body;
  net::http::Headers headers;
  /// How large a whole answer may be, and how long the engine may think.
  Bytes answer_max{4U << 20U};
  Milliseconds patience{60'000};
};

struct Answer {
  unsigned status = 200;
  std::string body;
};

/// A body of unknown length on its way to the engine: the next piece, empty at the end.
using Source = std::function<async::task<std::string>()>;
/// A Source of bytes that are already here.
Source source_of(std::string bytes);

/// The connection to one engine. Negotiates the API version before the first request and again
/// after the engine could not be reached or has changed. Not thread-safe: it belongs to the loop.
///
/// Throws Failure when the engine is not there, with one of the codes
///   engine_not_running        the socket is there, nobody listens
///   engine_permission_denied  the socket may not be opened
///   engine_socket_missing     no such socket
///   engine_not_an_engine      something answers, but not a Docker Engine API
///   engine_too_old, engine_too_new   no API version both sides speak
///   engine_unreachable        any other way a connection fails or breaks off
///   engine_timed_out          no answer in time
///   engine_answer_too_large   over the cap
class Client {
 public:
  /// `endpoint` is for the Host header and for texts; `connect` does the dialling.
  Client(async::Executor executor, net::Connect connect, net::Endpoint endpoint);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const net::Endpoint& endpoint() const { return endpoint_; }
  /// Which version is spoken, if that is known by now.
  std::optional<ApiVersion> api_version() const { return negotiated_; }
  /// Asks the engine (GET /_ping) and remembers the version both sides speak.
  async::task<ApiVersion> negotiate();

  /// The whole exchange. 2xx and 304 are answers, everything else an Error in the daemon's words.
  async::task<Result<Answer>> call(Request request);
  /// As `call`, with the body parsed as JSON (tolerant, limited depth).
  async::task<Result<json::Value>> call_json(Request request);
  /// Answers when the head is there; the body is read by the caller.
  async::task<Result<net::http::StreamedResponse>> stream(Request request);
  /// As `stream`, with a request body that comes in pieces.
  async::task<Result<net::http::StreamedResponse>> upload(Request request, Source source);
  /// Takes over the connection (attach, exec): raw bytes in both directions.
  async::task<Result<std::unique_ptr<net::Stream>>> hijack(Request request);
  /// Closes idle connections and forgets the negotiated version.
  void reset();

 private:
  async::task<net::http::RequestHead> head_of(const Request& request);
  Error refused(const Doing& doing, unsigned status, std::string_view body);
  async::task<Error> refused(Doing doing, net::http::StreamedResponse response);
  [[noreturn]] void broken(const Doing& doing, const Error& error);

  net::Endpoint endpoint_;
  std::optional<ApiVersion> negotiated_;
  std::unique_ptr<net::http::Client> http_;
};

}  // namespace gantry::engine
