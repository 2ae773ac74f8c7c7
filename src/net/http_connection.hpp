#pragma once

#include "async/event.hpp"
#include "net/http_client.hpp"
#include "net/http_parser.hpp"
#include "net/input_buffer.hpp"
#include "net/watchdog.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The client's connections: one exchange at a time each, kept for the next.
namespace gantry::net::http {

/// A connection to the server, with what was read from it too early.
struct Connection {
  Connection(const async::Executor& executor, std::unique_ptr<Stream> connected)
      : stream{std::move(connected)}, watchdog{executor, *stream} {}

  std::unique_ptr<Stream> stream;
  InputBuffer input;
  Watchdog watchdog;
  SteadyTime idle_since;
  bool reused = false;
  bool answered = false;  ///< A byte came since the request was sent.
};

/// Connections that wait for a request, and how many are busy. Shared by the client and by the
/// streamed responses that outlive it.
struct Pool {
  Pool(async::Executor loop, Connect dial)
      : executor{std::move(loop)}, connect{std::move(dial)}, freed{executor} {}

  static constexpr std::size_t idle_max = 16;
  static constexpr std::size_t busy_max = 256;

  async::Executor executor;
  Connect connect;
  std::vector<std::unique_ptr<Connection>> idle;
  std::size_t busy = 0;
  async::Event freed;
};

/// A connection while it serves one exchange. Destroying the lease closes the connection.
class Lease {
 public:
  enum class From { idle, recently_used, fresh };
  /// Takes an idle connection, if `from` allows, or dials.
  static async::task<Lease> take(std::shared_ptr<Pool> pool, From from, Milliseconds limit);

  Lease(Lease&&) noexcept;
  Lease& operator=(Lease&&) noexcept;
  ~Lease();

  Connection& operator*() const { return *connection_; }
  Connection* operator->() const { return connection_.get(); }
  explicit operator bool() const { return connection_ != nullptr; }
  /// The exchange ended properly: the connection may serve another.
  void give_back();
  /// The connection leaves HTTP; what was read ahead is handed out first.
  std::unique_ptr<Stream> detach();

 private:
  explicit Lease(std::shared_ptr<Pool> pool);
  void release();

  std::shared_ptr<Pool> pool_;
  std::unique_ptr<Connection> connection_;
};

/// An exchange whose response's head has come.
struct Answer {
  Lease lease;
  ResponseParser parser;
};

/// Feeds the parser what was read already and answers how much it took; throws Failure when that
/// is not HTTP.
std::size_t feed_input(Connection& connection, ResponseParser& parser, std::string_view doing);
/// Reads once and feeds the parser. Throws Failure: timed_out after `limit` (zero: none),
/// unavailable when the connection broke.
async::task<void> read_more(Connection& connection, ResponseParser& parser, Milliseconds limit,
                            std::string_view doing);
/// Gives the connection back if it can serve another request.
void end_exchange(Lease& lease, const ResponseParser& parser);

}  // namespace gantry::net::http
