#include "cli/copy_stream.hpp"

#include "async/attempt.hpp"
#include "base/json.hpp"

#include <utility>

#include <fmt/format.h>

namespace gantry::cli {
namespace {

/// A container may be silent for as long as it likes.
constexpr Milliseconds any_silence{0};

Error broken(const std::string& doing, std::string_view cause) {
  return {ErrorKind::unavailable, "stream_broken",
          fmt::format("cannot {} to the end: {}", doing, cause), "try again"};
}

/// The next bytes of it; none: that was all.
async::task<Result<std::string>> next_piece(net::http::StreamedResponse& stream,
                                            const std::string& doing) {
  auto bytes = co_await async::attempt(stream.read(any_silence));
  if (!bytes) co_return fail(broken(doing, "the server has broken off"));
  co_return std::move(*bytes);
}

/// What `end` says: whether all has been told, or why not.
Result<> told_all(const std::string& doing, const std::string& data) {
  auto value = json::parse(data, json::Keys::tolerant);
  if (!value) return fail(value.error());
  auto reason = json::Fields{*value, "end", json::Keys::tolerant}.text("reason").value_or("");
  if (reason == "server_stopping") {
    return fail(ErrorKind::unavailable, "server_stopping",
                fmt::format("cannot {} any further: the server stops", doing),
                "try again when it is back");
  }
  if (reason == "not_allowed") {
    return fail(ErrorKind::denied, "not_allowed",
                fmt::format("cannot {} any further: you may not see it any more", doing),
                "ask an admin for the right, or use another token");
  }
  return ok;
}

}  // namespace

async::task<Result<>> each_event_of(net::http::StreamedResponse& stream, EventParser& parser,
                                    std::string doing,
                                    std::function<Result<>(const ServerEvent&)> show) {
  while (true) {
    auto bytes = co_await next_piece(stream, doing);
    if (!bytes) co_return fail(bytes.error());
    if (bytes->empty()) co_return ok;
    if (!parser.feed(*bytes)) co_return fail(broken(doing, "an event is too large"));
    while (auto event = parser.next()) {
      if (auto shown = show(*event); !shown) co_return fail(shown.error());
    }
  }
}

async::task<Result<>> each_event_to_end(net::http::StreamedResponse& stream, std::string doing,
                                        std::function<Result<>(const ServerEvent&)> show) {
  EventParser parser;
  bool ended = false;
  auto told = co_await each_event_of(stream, parser, doing, [&](const ServerEvent& event) {
    auto shown = show(event);
    if (!shown || event.name != "end") return shown;
    ended = true;
    return told_all(doing, event.data);
  });
  if (!told) co_return fail(told.error());
  if (!ended) co_return fail(broken(doing, "the server has broken off"));
  co_return ok;
}

async::task<Result<int>> copy_text(Context& context, ApiClient& server, std::string doing,
                                   std::string path, std::string accept) {
  auto stream = co_await server.stream(doing, std::move(path), std::move(accept));
  if (!stream) co_return fail(stream.error());
  while (true) {
    auto bytes = co_await next_piece(*stream, doing);
    if (!bytes) co_return fail(bytes.error());
    if (bytes->empty()) co_return 0;
    context.terminal.out(*bytes);
  }
}

}  // namespace gantry::cli
