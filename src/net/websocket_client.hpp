#pragma once

#include "async/task.hpp"
#include "net/http_client.hpp"
#include "net/websocket.hpp"

#include <optional>
#include <string>

namespace gantry::net {

/// What a server says to somebody who wants a WebSocket.
struct WebSocketAnswer {
  std::optional<WebSocket> socket;  ///< Nothing: it was refused,
  unsigned status = 0;              ///< with this status
  std::string refusal;              ///< and this body.
};

/// Opens a WebSocket by an HTTP client, which dials and brings the credentials that stand in
/// `head`. Throws Failure when no answer can be had, and `connection_refused` (unavailable) when
/// the answer is not one of RFC 6455.
async::task<WebSocketAnswer> open_websocket(http::Client& client, http::RequestHead head,
                                            WebSocketLimits limits);

}  // namespace gantry::net
