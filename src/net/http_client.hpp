#pragma once

#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "net/http.hpp"
#include "net/stream.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gantry::net::http {

/// How long each phase may take and how much may come back.
struct ClientLimits {
  /// From the request's first byte to the end of the response's head.
  Milliseconds head = Milliseconds{30'000};
  /// Between two reads of a body.
  Milliseconds idle = Milliseconds{30'000};
  Bytes head_max{64U << 10U};
  /// Of a body that is read whole; streamed bodies are limited by who reads them.
  Bytes body_max{64U << 20U};
};

struct Response {
  ResponseHead head;
  std::string body;
};

/// A response whose body arrives as it comes. Destroying it before the end closes the connection.
class StreamedResponse {
 public:
  StreamedResponse(StreamedResponse&&) noexcept;
  StreamedResponse& operator=(StreamedResponse&&) noexcept;
  ~StreamedResponse();

  const ResponseHead& head() const;
  /// The next piece (at most 64 KiB), de-chunked; empty at the end. `idle` overrides the limit
  /// between two reads (zero: none, for event streams that may be silent).
  async::task<std::string> read(Milliseconds idle);

 private:
  friend class Client;
  struct State;
  explicit StreamedResponse(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The raw connection after `101 Switching Protocols` (or Docker's `200` on a hijacked attach):
/// bytes that came with the head are handed out first.
struct Upgraded {
  ResponseHead head;
  std::unique_ptr<Stream> stream;
};

/// An HTTP/1.1 client of one server, over whatever `Connect` dials. Keeps idle connections for
/// reuse, opens more as needed (bounded), follows no redirect, decompresses nothing.
/// A request on a reused connection that the server had just closed is repeated once on a fresh
/// one when no byte of an answer came and the method is safe to repeat (GET, HEAD).
/// Throws Failure (unavailable, timed_out, too_large) when no answer can be had; every status
/// is an answer.
class Client {
 public:
  Client(async::Executor executor, Connect connect, std::string host_header,
         ClientLimits limits = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// The whole exchange; `body` is sent with its length.
  async::task<Response> send(RequestHead request, std::string body = {});
  /// As `send`, with its own limits.
  async::task<Response> send(RequestHead request, std::string body, ClientLimits limits);
  /// Answers as soon as the head is there.
  async::task<StreamedResponse> stream(RequestHead request, std::string body = {});
  /// As `stream`, sending a body of unknown length in chunks: `next` gives the next piece, empty
  /// at the end.
  async::task<StreamedResponse> upload(RequestHead request,
                                       std::function<async::task<std::string>()> next);
  /// Sends `Connection: Upgrade` and `Upgrade: <protocol>`. On 101 or 200 the stream is handed
  /// over; on any other status `stream` is null and `refusal` holds the answer's body.
  struct UpgradeAnswer {
    Upgraded upgraded;
    std::string refusal;
  };
  async::task<UpgradeAnswer> upgrade(RequestHead request, std::string protocol,
                                     std::string body = {});
  /// Closes what is idle.
  void close_idle();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::net::http
