#pragma once

#include "base/error.hpp"
#include "net/http.hpp"
#include "net/stream.hpp"

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::net {

/// An HTTP server that does what a test wrote down. It lives in memory behind `connect()`, runs no
/// task of its own and parses requests with the real parser:
///
///   ScriptedServer server;
///   server.expect("GET", "/_ping").reply(200, "OK");
///   http::Client client{executor, server.connect(), "localhost"};
///
/// A request that nothing expects is answered 500 and listed in `unexpected()`.
/// Must outlive the connections made to it.
class ScriptedServer {
 public:
  /// A request as it arrived.
  struct Seen {
    std::string method;
    std::string target;
    http::Headers headers;
    std::string body;
  };
  struct Reply {
    unsigned status = 200;
    std::string body;
    http::Headers headers;
  };
  class Connection;

  /// What is done when an expected request comes. Without any of these: 200 without a body.
  /// It stays valid as long as the server.
  class Script {
   public:
    /// An answer with its Content-Length.
    Script& reply(unsigned status, std::string body = {}, http::Headers headers = {});
    /// The answer is computed from the request.
    Script& reply_with(std::function<Reply(const Seen&)> compute);
    /// A chunked body; the client reads the pieces one by one.
    Script& stream(unsigned status, std::vector<std::string> pieces, http::Headers headers = {});
    /// After `stream` or `upgrade`: the body stays open, for `push` and `finish`.
    Script& stay_open();
    /// `101 Switching Protocols` (or 200); then `pieces` come raw, and the peer's end follows them
    /// unless it stays open.
    Script& upgrade(unsigned status, std::vector<std::string> pieces, http::Headers headers = {});
    /// After `upgrade`: called with what the client sends; what it answers is sent back.
    Script& on_bytes(std::function<std::string(std::string_view)> answer);
    /// After `upgrade`: called when the client has finished writing; its answer is sent back.
    Script& on_finish(std::function<std::string()> answer);
    /// These bytes instead of an answer; the client reads the pieces one by one.
    Script& raw(std::vector<std::string> pieces);
    /// Closes the connection when the answer so far has been read (also in mid-body).
    Script& then_close();
    /// Never answers.
    Script& hang();
    /// Serves every further request like it, too (otherwise one).
    Script& always();

    /// One more piece of a body that stays open, on the connection that got this answer last.
    void push(std::string piece);
    /// The end of a body that stays open.
    void finish();
    /// How many requests it answered.
    std::size_t used() const { return used_; }

   private:
    friend class ScriptedServer;
    friend class Connection;
    enum class Form { fixed, computed, chunked, upgraded, raw, silent };

    std::string method_;
    std::string target_;
    Form form_ = Form::fixed;
    Reply reply_;
    std::function<Reply(const Seen&)> compute_;
    std::vector<std::string> pieces_;
    std::function<std::string(std::string_view)> on_bytes_;
    std::function<std::string()> on_finish_;
    bool stay_open_ = false;
    bool then_close_ = false;
    bool always_ = false;
    std::size_t used_ = 0;
    Connection* last_ = nullptr;
  };

  ScriptedServer();
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  /// `target` matches exactly, query included; without a `?` it matches any query; with a `*` at
  /// its end it matches everything that begins so. Scripts are used up in the order they were made.
  Script& expect(std::string method, std::string target);

  Connect connect();
  /// From now on `connect()` throws this Failure; `accept_connections` ends it.
  void refuse_connections(Error error);
  void accept_connections();
  /// Breaks every open connection, as a restart would.
  void drop_connections();

  const std::vector<Seen>& seen() const { return seen_; }
  /// `METHOD target` of requests that no script expected.
  const std::vector<std::string>& unexpected() const { return unexpected_; }
  /// How often somebody connected.
  std::size_t connections() const { return connections_; }
  /// How many connections the client has not closed.
  std::size_t open_connections() const { return open_.size(); }

 private:
  friend class Connection;
  Script* find(const Seen& request);
  async::task<std::unique_ptr<Stream>> dial();

  std::list<Script> scripts_;
  std::vector<Seen> seen_;
  std::vector<std::string> unexpected_;
  std::vector<Connection*> open_;
  std::size_t connections_ = 0;
  std::unique_ptr<Error> refusal_;
};

}  // namespace gantry::net
