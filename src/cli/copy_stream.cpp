#include "cli/copy_stream.hpp"

#include <utility>

#include <fmt/format.h>

namespace gantry::cli {
namespace {

/// A container may be silent for as long as it likes.
constexpr Milliseconds any_silence{0};

}  // namespace

async::task<Result<>> each_event_of(net::http::StreamedResponse& stream, EventParser& parser,
                                    std::string doing,
                                    std::function<Result<>(const ServerEvent&)> show) {
  while (true) {
    auto bytes = co_await stream.read(any_silence);
    if (bytes.empty()) co_return ok;
    if (!parser.feed(bytes)) {
      co_return fail(ErrorKind::unavailable, "stream_broken",
                     fmt::format("cannot {}: an event is too large", doing), "try again");
    }
    while (auto event = parser.next()) {
      if (auto shown = show(*event); !shown) co_return fail(shown.error());
    }
  }
}

async::task<Result<int>> copy_text(Context& context, ApiClient& server, std::string doing,
                                   std::string path, std::string accept) {
  auto stream = co_await server.stream(std::move(doing), std::move(path), std::move(accept));
  if (!stream) co_return fail(stream.error());
  while (true) {
    auto bytes = co_await stream->read(any_silence);
    if (bytes.empty()) co_return 0;
    context.terminal.out(bytes);
  }
}

}  // namespace gantry::cli
