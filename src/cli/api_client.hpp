#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "base/secret.hpp"
#include "cli/commands.hpp"
#include "net/endpoint.hpp"
#include "net/http_client.hpp"
#include "net/websocket.hpp"

#include <memory>
#include <optional>
#include <string>

namespace gantry::cli {

/// `http://127.0.0.1:5920` as something to dial. Refuses other schemes, and paths.
Result<net::Endpoint> server_endpoint(const std::string& url);
/// Whether the server is on this machine, so that this machine's token file is meant for it.
bool is_local(const net::Endpoint& endpoint);
/// What an answer that is no success says: its problem document, or its status in words.
/// `doing` completes `cannot …`.
Error problem_of(const std::string& doing, unsigned status, std::string_view body);

/// The server's API as the commands use it. Failures to reach it are thrown with what to do.
class ApiClient {
  struct Passkey {};
  struct Credential {
    Secret token;
    std::string place;  ///< The file it comes from; empty: it was given.
    /// Where the server of `place` listens, when its token is not sent because that is not where
    /// this client asks; empty: it does not say.
    std::optional<std::string> withheld;
  };

 public:
  /// Refuses an address or a token that can not be used.
  static Result<std::unique_ptr<ApiClient>> open(const Context& context,
                                                 const ServerAccess& access);
  /// Only `open` can call it.
  ApiClient(Passkey, async::Executor executor, net::Endpoint endpoint, std::string url,
            Credential credential);

  async::task<Result<json::Value>> get(std::string doing, std::string path);
  async::task<Result<json::Value>> post(std::string doing, std::string path, json::Value body);
  async::task<Result<json::Value>> remove(std::string doing, std::string path);
  /// Any method; without a body when there is none.
  async::task<Result<json::Value>> send(std::string doing, std::string method, std::string path,
                                        std::optional<json::Value> body);
  /// As `post`, where the server may take so long to answer.
  async::task<Result<json::Value>> post_patiently(std::string doing, std::string path,
                                                  json::Value body, Milliseconds patience);
  /// A WebSocket, with the same credential.
  async::task<Result<net::WebSocket>> websocket(std::string doing, std::string path);
  /// Answers when the head is there; `accept` is the media type that is asked for.
  async::task<Result<net::http::StreamedResponse>> stream(std::string doing, std::string path,
                                                          std::string accept);
  /// A JSON-RPC message in JSON, handed on as it is; the answer as it came, empty when the server
  /// has nothing to say to it. Waits for as long as a program may take.
  async::task<Result<std::string>> relay(std::string path, std::string message);
  /// An event stream, from its start or from what follows the event `after`.
  async::task<Result<net::http::StreamedResponse>> events(std::string doing, std::string path,
                                                          std::string after = {});

 private:
  /// Sends the token of a server of this machine to none but that one.
  static void take_local_token(Credential& credential, net::Endpoint& endpoint,
                               const ServerAccess& access);
  net::http::RequestHead head(std::string method, std::string path) const;
  async::task<Result<net::http::StreamedResponse>> stream(std::string doing,
                                                          net::http::RequestHead head);
  async::task<Result<json::Value>> call(std::string doing, net::http::RequestHead head,
                                        std::string body);
  async::task<Result<json::Value>> call(std::string doing, net::http::RequestHead head,
                                        std::string body, net::http::ClientLimits limits);
  Error not_there(const Error& cause) const;
  Error refused(const std::string& doing, unsigned status, std::string_view body) const;

  std::string url_;
  Credential credential_;
  net::http::Client http_;
};

}  // namespace gantry::cli
