#pragma once

#include "cli/api_client.hpp"
#include "cli/commands.hpp"
#include "cli/sse.hpp"

#include <functional>
#include <string>

/// Answers that go on for as long as their server likes.
namespace gantry::cli {

/// Hands over each event of a stream until it ends. Refused: `stream_broken` (unavailable) for an
/// event that is too large and for a connection that breaks off, and what `show` refuses.
async::task<Result<>> each_event_of(net::http::StreamedResponse& stream, EventParser& parser,
                                    std::string doing,
                                    std::function<Result<>(const ServerEvent&)> show);

/// As `each_event_of`, for a stream that says with the event `end` that it is whole. Refused also:
/// `stream_broken` when it stops without, and `server_stopping` and `not_allowed` when there would
/// have been more.
async::task<Result<>> each_event_to_end(net::http::StreamedResponse& stream, std::string doing,
                                        std::function<Result<>(const ServerEvent&)> show);

/// Copies an answer of the type `accept` to standard output as it comes, and answers 0. Refused:
/// `stream_broken` when it breaks off.
async::task<Result<int>> copy_text(Context& context, ApiClient& server, std::string doing,
                                   std::string path, std::string accept);

}  // namespace gantry::cli
