#include "net/http_connection.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "net/prefixed_stream.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::net::http {
namespace {

/// A request that must not be repeated is not put on a connection that the server may have closed
/// meanwhile: dialling anew is cheaper than not knowing whether it was carried out.
constexpr auto trusted_idle = Seconds{1};

async::task<void> wait_for_room(Pool& pool) {
  while (pool.busy >= Pool::busy_max) co_await pool.freed.wait();
}

Failure broken(std::string_view doing, std::string_view cause) {
  return Failure{{ErrorKind::unavailable,
                  "connection_broken",
                  fmt::format("cannot finish {}: {}", doing, cause),
                  {}}};
}

}  // namespace

Lease::Lease(std::shared_ptr<Pool> pool) : pool_{std::move(pool)} { ++pool_->busy; }
Lease::Lease(Lease&&) noexcept = default;
Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  release();
  pool_ = std::move(other.pool_);
  connection_ = std::move(other.connection_);
  return *this;
}
Lease::~Lease() { release(); }

void Lease::release() {
  connection_.reset();
  if (!pool_) return;
  --pool_->busy;
  pool_->freed.notify();
  pool_.reset();
}

async::task<Lease> Lease::take(std::shared_ptr<Pool> pool, From from, Milliseconds limit) {
  if (pool->busy >= Pool::busy_max) {
    co_await async::with_deadline(limit, "waiting for a free connection", wait_for_room(*pool));
  }
  Lease lease{pool};
  auto& idle = pool->idle;
  bool usable = from != From::fresh && !idle.empty() &&
                (from == From::idle || steady_now() - idle.back()->idle_since < trusted_idle);
  if (usable) {
    lease.connection_ = std::move(idle.back());
    idle.pop_back();
    lease->reused = true;
    lease->answered = false;
  } else {
    auto stream = co_await pool->connect();
    lease.connection_ = std::make_unique<Connection>(pool->executor, std::move(stream));
  }
  co_return lease;
}

void Lease::give_back() {
  if (pool_->idle.size() < Pool::idle_max) {
    connection_->watchdog.rest();
    connection_->input.shrink();
    connection_->idle_since = steady_now();
    pool_->idle.push_back(std::move(connection_));
  }
  release();
}

std::unique_ptr<Stream> Lease::detach() {
  auto connection = std::move(connection_);
  release();
  auto stream = std::move(connection->stream);
  if (connection->input.empty()) return stream;
  return prefixed_stream(std::string{connection->input.data()}, std::move(stream));
}

async::task<void> read_more(Connection& connection, ResponseParser& parser, Milliseconds limit,
                            std::string_view doing) {
  if (connection.input.full()) {
    throw Failure{{ErrorKind::too_large,
                   "head_too_large",
                   fmt::format("cannot finish {}: the answer's head is too large", doing),
                   {}}};
  }
  connection.watchdog.allow(limit);
  auto count = co_await async::attempt(connection.input.fill(*connection.stream));
  if (connection.watchdog.expired()) {
    throw Failure{{ErrorKind::timed_out,
                   "timed_out",
                   fmt::format("cannot finish {}: nothing came for {} ms", doing, limit.count()),
                   {}}};
  }
  if (!count) throw broken(doing, count.error().message);
  if (*count == 0) {
    if (!parser.finish()) throw broken(doing, "the server closed the connection");
    co_return;
  }
  connection.answered = true;
  feed_input(connection, parser, doing);
}

std::size_t feed_input(Connection& connection, ResponseParser& parser, std::string_view doing) {
  auto used = parser.feed(connection.input.data());
  if (!used) {
    throw Failure{
        {ErrorKind::unavailable,
         "not_http",
         fmt::format("cannot finish {}: the answer is not HTTP ({})", doing, used.error().cause),
         {}}};
  }
  connection.input.consume(*used);
  return *used;
}

void end_exchange(Lease& lease, const ResponseParser& parser) {
  if (!lease) return;
  bool reusable =
      parser.done() && parser.keep_alive() && lease->input.empty() && !lease->watchdog.expired();
  if (reusable) {
    lease.give_back();
  } else {
    auto closed = std::move(lease);
  }
}

}  // namespace gantry::net::http
