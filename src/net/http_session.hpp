#pragma once

#include "async/race.hpp"
#include "net/http_parser.hpp"
#include "net/http_server.hpp"
#include "net/input_buffer.hpp"
#include "net/watchdog.hpp"

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

/// One connection of the server and the request it is at.
namespace gantry::net::http {

class Session;

/// What all connections of a server share; outlives them.
struct SessionContext {
  async::Executor executor;
  ServerLimits limits;
  Handler handler;
  TrustedProxies trusted{};
  async::StopSignal closing{executor};
  std::list<Session*> sessions{};  ///< Whose state is the oldest comes first.
  /// Of connections that are not secure yet, the oldest first: whoever stops one ends it.
  std::list<async::StopSignal*> handshakes{};
  std::uint64_t held = 0;  ///< By the bodies of all exchanges, in bytes.
};

/// What a connection waits for its peer to do. Whoever is further down the list has come further.
enum class Waiting { request, head, body, taking, nothing };

/// Reads requests from one connection, hands them to the handler one after another, and closes it.
class Session {
 public:
  Session(SessionContext& shared, std::unique_ptr<Stream> connected, Peer from);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Serves request after request until the connection ends.
  async::task<void> serve();
  /// Closes the connection if no request is being served.
  void close_if_idle();
  /// Closes the connection that waits for its peer the longest: of those who ask nothing, or else
  /// of those who make it secure, or else of those who have come least far with their request.
  /// Answers whether there was one: a full server has room again then.
  static bool give_up_one(SessionContext& shared);

 private:
  friend class Exchange;
  friend struct Exchange::Impl;

  async::task<std::optional<RequestParser>> next_request();
  async::task<void> finish_head(RequestParser& parser, std::optional<Rejection>& bad);
  /// Whether the connection can serve another one.
  async::task<bool> serve_one(RequestParser parser);
  /// Says to the log what a handler threw: an error, unless the peer caused it.
  void report(Exchange::Impl& exchange, const Error& error) const;
  enum class Ending { returned, threw };
  /// Sends what the handler left unsaid; answers whether the connection can serve another request.
  async::task<bool> end_of(Exchange::Impl& exchange, Ending ending);
  async::task<void> refuse(Rejection rejection);
  async::task<void> skip_body(RequestParser& parser, std::size_t max);
  async::task<void> linger();
  std::optional<Rejection> feed(RequestParser& parser);
  /// Reads once; throws Failure when the peer has gone.
  async::task<void> fill();
  async::task<void> write(std::string_view bytes);
  void wait_for(Waiting what);

  SessionContext& shared_;
  std::list<Session*>::iterator place_;
  Peer peer_;
  std::unique_ptr<Stream> stream_;
  std::optional<Watchdog> watchdog_;
  InputBuffer input_;
  Waiting waiting_ = Waiting::request;
  bool broken_ = false;  ///< A write has failed, or is under way.
};

struct Exchange::Impl {
  enum class State { waiting, answered, streaming, upgraded };

  Impl(Session& its_session, RequestParser its_parser)
      : session{its_session},
        parser{std::move(its_parser)},
        peer{session.shared_.trusted.origin(session.peer_, parser.head())} {}
  ~Impl() { session.shared_.held -= held; }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  bool expects_continue();
  /// Whether what is left of the body can not be skipped.
  bool undrainable();
  bool will_close();
  void begin_answer(State next);
  /// Status line and headers; `framing` says where the body ends.
  std::string write_head(const ResponseHead& head, std::string_view framing);
  /// Refuses, exhausted, when others hold too much for so many bytes more.
  Result<> room_for(std::uint64_t bytes) const;
  Result<> hold(std::uint64_t bytes);
  /// Until the body is complete or larger than `max`, or there is no room for it. Holds what has
  /// come.
  async::task<void> read_body(Bytes max);
  /// The answer to the upgrade of RFC 6455, or why there is none.
  std::expected<std::string, Rejection> upgrade_answer();

  Session& session;
  RequestParser parser;
  Peer peer;
  State state = State::waiting;
  bool continued = false;
  bool peer_left = false;
  std::uint64_t held = 0;              ///< Bytes that are counted in the session's context.
  Result<> room = ok;                  ///< For the body.
  std::optional<Rejection> rejection;  ///< What the server itself answers.
};

}  // namespace gantry::net::http
