#include "cli/api_client.hpp"

#include "async/attempt.hpp"
#include "base/text.hpp"
#include "cli/local_server.hpp"
#include "net/websocket_client.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace gantry::cli {
namespace {

constexpr Bytes refusal_max{1U << 20U};
constexpr Bytes socket_message_max{4U << 20U};
constexpr std::size_t token_max = 4096;
/// A program may wait in the queue before its own time begins.
constexpr Milliseconds relay_patience{3'600'000};

net::http::ClientLimits limits() {
  net::http::ClientLimits limits;
  limits.body_max = Bytes{128U << 20U};
  return limits;
}

ErrorKind kind_of(unsigned status) {
  for (auto kind : {ErrorKind::invalid, ErrorKind::unauthenticated, ErrorKind::denied,
                    ErrorKind::not_found, ErrorKind::conflict, ErrorKind::too_large,
                    ErrorKind::exhausted, ErrorKind::unavailable, ErrorKind::timed_out}) {
    if (static_cast<unsigned>(traits(kind).http_status) == status) return kind;
  }
  return status < 500 ? ErrorKind::invalid : ErrorKind::internal;
}

/// Whether an address is of this machine.
bool is_here(std::string_view url) {
  return url.contains("//127.") || url.contains("//localhost") || url.contains("//[::1]");
}

/// The token of a file, without the line's end.
Result<Secret> read_token(const std::filesystem::path& path) {
  std::ifstream file{path};
  std::string text(token_max, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  auto token = text::trimmed(text);
  if (token.empty()) {
    return fail(ErrorKind::not_found, "no_token_file",
                fmt::format("cannot read token file '{}'", path.string()),
                "set GANTRY_TOKEN to an API token, or name another file with --token-file");
  }
  return Secret{std::string{token}};
}

}  // namespace

Result<net::Endpoint> server_endpoint(const std::string& url) {
  auto refuse = [&](std::string_view cause, std::string remedy) {
    return fail(ErrorKind::invalid, "bad_server",
                fmt::format("cannot use server '{}': {}", text::one_line(url), cause),
                std::move(remedy));
  };
  constexpr auto form = "write it as http://127.0.0.1:5920 or https://gantry.example.org";
  constexpr std::string_view plain = "http://";
  constexpr std::string_view secure = "https://";
  bool tls = url.starts_with(secure);
  if (!tls && !url.starts_with(plain)) {
    return refuse("it begins neither with http:// nor with https://", form);
  }
  auto rest = url.substr(tls ? secure.size() : plain.size());
  if (rest.ends_with('/')) rest.pop_back();
  bool has_port = rest.find(':', rest.starts_with('[') ? rest.find(']') : 0) != rest.npos;
  auto usual_port = tls ? ":443" : ":80";
  auto endpoint = net::Endpoint::parse(
      fmt::format("{}://{}{}", tls ? "tls" : "tcp", rest, has_port ? "" : usual_port));
  if (!endpoint) return refuse("it is not a host and a port", form);
  return *endpoint;
}

/// An address, not a name that looks like one: `127.example.org` is somebody's.
bool is_local(const net::Endpoint& endpoint) {
  in_addr address{};
  bool loopback = ::inet_pton(AF_INET, endpoint.host().c_str(), &address) == 1 &&
                  ntohl(address.s_addr) >> 24U == 127;
  return loopback || endpoint.host() == "localhost" || endpoint.host() == "::1";
}

Error problem_of(const std::string& doing, unsigned status, std::string_view body) {
  Error error{
      kind_of(status),
      fmt::format("http_{}", status),
      fmt::format("cannot {}: the server answered {} {}", doing, status, net::http::reason(status)),
      {}};
  auto value = json::parse(body, json::Keys::tolerant);
  if (!value) return error;
  json::Fields fields{*value, "", json::Keys::tolerant};
  auto code = fields.text("code");
  auto detail = fields.text("detail", {0, 1U << 16U});
  auto remedy = fields.text("remedy", {0, 1U << 16U});
  if (code) error.code = *code;
  // The server's sentences are complete where they follow our grammar.
  if (detail && detail->starts_with("cannot ")) {
    error.message = *detail;
  } else if (detail) {
    error.message = fmt::format("cannot {}: {}", doing, *detail);
  }
  error.remedy = remedy.value_or("");
  return error;
}

Result<std::unique_ptr<ApiClient>> ApiClient::open(const Context& context,
                                                   const ServerAccess& access) {
  auto endpoint = server_endpoint(access.url);
  if (!endpoint) return fail(endpoint.error());
  Credential credential{.token = access.token};
  if (credential.token.empty()) {
    credential.place = access.token_file.string();
    if (access.token_file_kind == ServerAccess::TokenFile::named) {
      auto read = read_token(access.token_file);
      if (!read) return fail(read.error());
      credential.token = std::move(*read);
    } else if (is_local(*endpoint)) {
      take_local_token(credential, *endpoint, access);
    }
  }
  return std::make_unique<ApiClient>(Passkey{}, context.executor, *endpoint, access.url,
                                     std::move(credential));
}

void ApiClient::take_local_token(Credential& credential, net::Endpoint& endpoint,
                                 const ServerAccess& access) {
  for (const auto& file : {access.token_file, access.service_token_file}) {
    if (file.empty()) continue;
    // The token first: a server that starts writes its addresses before it.
    auto token = read_token(file);
    if (!token) continue;
    auto urls = read_local_addresses(file);
    if (auto listed = listed_endpoint(endpoint, urls)) {
      endpoint = std::move(*listed);
      credential = {.token = std::move(*token), .place = file.string()};
      return;
    }
    if (credential.withheld) continue;
    credential.place = file.string();
    credential.withheld = urls.empty() ? std::string{} : urls.front();
  }
}

ApiClient::ApiClient(Passkey, async::Executor executor, net::Endpoint endpoint, std::string url,
                     Credential credential)
    : url_{std::move(url)},
      credential_{std::move(credential)},
      http_{executor, net::dialer(executor, endpoint), endpoint.host_header(), limits()} {}

net::http::RequestHead ApiClient::head(std::string method, std::string path) const {
  net::http::RequestHead head;
  head.method = std::move(method);
  head.target = std::move(path);
  head.headers.set("Accept", "application/json");
  if (!credential_.token.empty()) {
    head.headers.set("Authorization", fmt::format("Bearer {}", credential_.token.reveal()));
  }
  return head;
}

Error ApiClient::not_there(const Error& cause) const {
  Error error = cause;
  error.code = "server_unreachable";
  auto why = cause.code == "not_listening" ? std::string{"nothing listens there"} : cause.message;
  error.message = fmt::format("cannot reach the server at '{}': {}", url_, why);
  const auto& withheld = credential_.withheld;
  if (cause.code == "tls_unknown_authority") {
    error.remedy = "let SSL_CERT_FILE name its authority's certificate";
  } else if (withheld && !withheld->empty()) {
    error.remedy = fmt::format("name the server of '{}' with '--server {}', or start this one",
                               credential_.place, *withheld);
  } else if (!cause.code.starts_with("tls_")) {
    error.remedy = is_here(url_) ? "start it with 'gantry serve' (or './dev run' in a clone), or "
                                   "name another with --server"
                                 : "check the address and that the server runs there, or name "
                                   "another with --server or --context";
  }
  return error;
}

Error ApiClient::refused(const std::string& doing, unsigned status, std::string_view body) const {
  auto error = problem_of(doing, status, body);
  if (error.kind != ErrorKind::unauthenticated) return error;
  const auto& [token, place, withheld] = credential_;
  if (withheld && withheld->empty()) {
    error.message = fmt::format(
        "cannot {}: the token in '{}' was not sent to '{}': its server does not say that it "
        "listens there",
        doing, place, url_);
    error.remedy =
        "start that server anew if it is of an older version, or give this one's token with "
        "--token-file or GANTRY_TOKEN";
  } else if (withheld) {
    error.message =
        fmt::format("cannot {}: the token in '{}' was not sent to '{}': its server listens at '{}'",
                    doing, place, url_, *withheld);
    error.remedy = fmt::format(
        "name that server with '--server {}', or give this one's token with --token-file or "
        "GANTRY_TOKEN",
        *withheld);
  } else if (token.empty()) {
    error.message = fmt::format("cannot {}: no token; '{}' can not be read", doing, place);
    error.remedy =
        "run this as the user who runs the server (the packaged service: as root), or set "
        "GANTRY_TOKEN to an API token made in the console";
  } else if (place.empty()) {
    error.message = fmt::format("cannot {}: the server does not know the token", doing);
    error.remedy = "make an API token in the console and set GANTRY_TOKEN to it";
  } else {
    error.message = fmt::format("cannot {}: the server at '{}' does not know the token in '{}'",
                                doing, url_, place);
    error.remedy = "see whether that file belongs to this server (--data-dir), or set GANTRY_TOKEN";
  }
  return error;
}

async::task<Result<json::Value>> ApiClient::call(std::string doing, net::http::RequestHead head,
                                                 std::string body) {
  return call(std::move(doing), std::move(head), std::move(body), limits());
}

async::task<Result<json::Value>> ApiClient::call(std::string doing, net::http::RequestHead head,
                                                 std::string body, net::http::ClientLimits limits) {
  auto response = co_await async::attempt(http_.send(std::move(head), std::move(body), limits));
  if (!response) co_return fail(not_there(response.error()));
  auto status = response->head.status;
  if (status < 200 || status > 299) co_return fail(refused(doing, status, response->body));
  if (response->body.empty()) co_return json::Value{};
  auto value = json::parse(response->body, json::Keys::tolerant, {.bytes_max = 128U << 20U});
  if (!value) {
    co_return fail(
        ErrorKind::unavailable, "not_gantry",
        fmt::format("cannot {}: what answers at '{}' is not a Gantry server", doing, url_),
        "name the right one with --server");
  }
  co_return value;
}

async::task<Result<json::Value>> ApiClient::get(std::string doing, std::string path) {
  return call(std::move(doing), head("GET", std::move(path)), {});
}

async::task<Result<json::Value>> ApiClient::post(std::string doing, std::string path,
                                                 json::Value body) {
  return send(std::move(doing), "POST", std::move(path), std::move(body));
}

async::task<Result<json::Value>> ApiClient::remove(std::string doing, std::string path) {
  return send(std::move(doing), "DELETE", std::move(path), {});
}

async::task<Result<json::Value>> ApiClient::send(std::string doing, std::string method,
                                                 std::string path,
                                                 std::optional<json::Value> body) {
  auto request = head(std::move(method), std::move(path));
  if (!body) return call(std::move(doing), std::move(request), {});
  request.headers.set("Content-Type", "application/json");
  return call(std::move(doing), std::move(request), json::serialize(*body));
}

async::task<Result<json::Value>> ApiClient::post_patiently(std::string doing, std::string path,
                                                           json::Value body,
                                                           Milliseconds patience) {
  auto request = head("POST", std::move(path));
  request.headers.set("Content-Type", "application/json");
  auto patient = limits();
  patient.head = patience;
  return call(std::move(doing), std::move(request), json::serialize(body), patient);
}

async::task<Result<net::WebSocket>> ApiClient::websocket(std::string doing, std::string path) {
  auto opened = co_await async::attempt(net::open_websocket(http_, head("GET", std::move(path)),
                                                            {.message_max = socket_message_max}));
  if (!opened) co_return fail(not_there(opened.error()));
  if (!opened->socket) co_return fail(refused(doing, opened->status, opened->refusal));
  co_return std::move(*opened->socket);
}

async::task<Result<std::string>> ApiClient::relay(std::string path, std::string message) {
  auto request = head("POST", std::move(path));
  request.headers.set("Content-Type", "application/json");
  request.headers.set("Accept", "application/json, text/event-stream");
  auto patient = limits();
  patient.head = relay_patience;
  auto response =
      co_await async::attempt(http_.send(std::move(request), std::move(message), patient));
  if (!response) co_return fail(not_there(response.error()));
  auto status = response->head.status;
  bool is_rpc = response->head.headers.get("Content-Type") == "application/json";
  if (status == 202) co_return std::string{};
  if ((status == 200 || status == 400) && is_rpc) co_return std::move(response->body);
  co_return fail(refused("pass the message on", status, response->body));
}

async::task<Result<net::http::StreamedResponse>> ApiClient::events(std::string doing,
                                                                   std::string path,
                                                                   std::string after) {
  auto request = head("GET", std::move(path));
  request.headers.set("Accept", "text/event-stream");
  if (!after.empty()) request.headers.set("Last-Event-ID", std::move(after));
  return stream(std::move(doing), std::move(request));
}

async::task<Result<net::http::StreamedResponse>> ApiClient::stream(std::string doing,
                                                                   std::string path,
                                                                   std::string accept) {
  auto request = head("GET", std::move(path));
  request.headers.set("Accept", accept);
  return stream(std::move(doing), std::move(request));
}

async::task<Result<net::http::StreamedResponse>> ApiClient::stream(std::string doing,
                                                                   net::http::RequestHead request) {
  auto response = co_await async::attempt(http_.stream(std::move(request)));
  if (!response) co_return fail(not_there(response.error()));
  auto status = response->head().status;
  if (status == 200) co_return std::move(*response);
  std::string body;
  while (body.size() < refusal_max.count) {
    auto piece = co_await response->read(Milliseconds{10'000});
    if (piece.empty()) break;
    body += piece;
  }
  co_return fail(refused(doing, status, body));
}

}  // namespace gantry::cli
