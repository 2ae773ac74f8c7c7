#include "net/http_server_fake.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "net/endpoint.hpp"

#include <fmt/format.h>

namespace gantry::net::http {
namespace {

async::task<void> read_to_end(Stream& stream, std::string& all) {
  char piece[4096];
  while (auto count = co_await stream.read_some(piece)) all.append(piece, count);
}

}  // namespace

TestServer::TestServer(Handler handler, ServerLimits limits)
    : server_{loop_.executor(), limits, std::move(handler)},
      port_{value_or_throw(server_.listen("127.0.0.1:0"))},
      serving_{loop_.executor()} {
  serving_.spawn("server", server_.run());
}

TestServer::~TestServer() { loop_.run(serving_.close()); }

Connect TestServer::connect() const {
  auto endpoint = value_or_throw(Endpoint::parse(fmt::format("tcp://127.0.0.1:{}", port_)));
  return dialer(loop_.executor(), std::move(endpoint));
}

async::task<std::string> TestServer::say(std::string bytes) const {
  auto stream = co_await connect()();
  auto written = co_await async::attempt(stream->write(bytes));
  std::string answer;
  co_await async::attempt(
      async::with_deadline(Seconds{60}, "reading", read_to_end(*stream, answer)));
  co_return answer;
}

}  // namespace gantry::net::http
