#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "net/endpoint.hpp"
#include "net/look_up.hpp"
#include "net/socket_stream.hpp"

#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

namespace gantry::net {
namespace asio = boost::asio;
namespace {

constexpr auto dial_limit = Seconds{10};

/// To connect to a plain file or a folder is refused as if nobody listened there.
bool is_no_socket(const Endpoint& endpoint) {
  struct stat status{};
  return endpoint.scheme() == Endpoint::Scheme::unix_socket &&
         ::stat(endpoint.path().c_str(), &status) == 0 && !S_ISSOCK(status.st_mode);
}

/// The five causes people must tell apart.
Error explain(const Endpoint& endpoint, const boost::system::error_code& cause) {
  auto refusal = [&](std::string code, std::string_view why, std::string remedy) {
    return Error{ErrorKind::unavailable, std::move(code),
                 fmt::format("cannot connect to '{}': {}", endpoint.text(), why),
                 std::move(remedy)};
  };
  namespace errc = boost::system::errc;
  if (cause == errc::no_such_file_or_directory) {
    return refusal("socket_missing", "there is no such socket",
                   "start the service that makes it, or name the right path");
  }
  if (cause == errc::permission_denied || cause == errc::operation_not_permitted) {
    return refusal("socket_permission", "permission denied",
                   "let this user into the group that owns the socket; "
                   "'gantry doctor' shows how");
  }
  if (is_no_socket(endpoint)) {
    return refusal("not_a_socket", "it is not a socket", "name the socket itself");
  }
  if (cause == errc::connection_refused || cause == errc::not_a_socket) {
    return refusal("not_listening", "nothing listens there",
                   endpoint.scheme() == Endpoint::Scheme::unix_socket
                       ? "start the service"
                       : "start the service there, and check that it listens on this address");
  }
  return refusal("unreachable", cause.message(), "check the address and the network between");
}

async::task<std::unique_ptr<Stream>> dial_unix(const Endpoint& endpoint) {
  asio::local::stream_protocol::socket socket{co_await asio::this_coro::executor};
  boost::system::error_code broken;
  co_await socket.async_connect({endpoint.path()},
                                asio::redirect_error(asio::use_awaitable, broken));
  if (broken == asio::error::operation_aborted) throw boost::system::system_error{broken};
  if (broken) throw Failure{explain(endpoint, broken)};
  co_return socket_stream(std::move(socket));
}

/// Each name by a process of its own: Asio's resolver asks for all of them on one thread, where a
/// name server that does not answer would hold up the way to every other host, and our own end.
async::task<std::vector<asio::ip::tcp::endpoint>> endpoints_of(const Endpoint& endpoint) {
  std::vector<asio::ip::tcp::endpoint> endpoints;
  for (const auto& address : co_await look_up(endpoint.host(), {"getent", "ahosts", "--"})) {
    endpoints.emplace_back(address, endpoint.port());
  }
  co_return endpoints;
}

async::task<std::unique_ptr<Stream>> dial_tcp(const Endpoint& endpoint) {
  auto endpoints = co_await endpoints_of(endpoint);
  asio::ip::tcp::socket socket{co_await asio::this_coro::executor};
  boost::system::error_code broken;
  co_await asio::async_connect(socket, endpoints,
                               asio::redirect_error(asio::use_awaitable, broken));
  if (broken == asio::error::operation_aborted) throw boost::system::system_error{broken};
  if (broken) throw Failure{explain(endpoint, broken)};
  co_return socket_stream(std::move(socket));
}

async::task<std::unique_ptr<Stream>> dial(Endpoint endpoint, std::optional<TlsClient> tls) {
  if (endpoint.scheme() == Endpoint::Scheme::ssh) {
    throw Failure{{ErrorKind::invalid, "needs_tunnel",
                   fmt::format("cannot connect to '{}': only hosts of the fleet are reached by SSH",
                               endpoint.text()),
                   "add it with 'gantry hosts add'"}};
  }
  auto work =
      endpoint.scheme() == Endpoint::Scheme::unix_socket ? dial_unix(endpoint) : dial_tcp(endpoint);
  auto stream =
      co_await async::attempt(async::with_deadline(dial_limit, "connecting", std::move(work)));
  if (stream && !tls) co_return std::move(*stream);
  if (stream) co_return co_await tls_connect(std::move(*stream), *tls, endpoint.host());
  auto error = stream.error();
  if (error.kind == ErrorKind::timed_out) {
    error = {ErrorKind::timed_out, "unreachable",
             fmt::format("cannot connect to '{}': no answer within 10 s", endpoint.text()),
             "check the address and the network between"};
  }
  throw Failure{std::move(error)};
}

}  // namespace

Connect dialer(async::Executor, Endpoint endpoint, std::optional<TlsClient> tls) {
  if (endpoint.scheme() != Endpoint::Scheme::tls) tls.reset();
  if (endpoint.scheme() == Endpoint::Scheme::tls && !tls) tls = value_or_throw(TlsClient::make({}));
  return [endpoint = std::move(endpoint), tls = std::move(tls)] { return dial(endpoint, tls); };
}

}  // namespace gantry::net
