#include "api/execution_json.hpp"
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "async/deadline.hpp"
#include "executions/executions.hpp"

#include <fmt/format.h>

// What happens in an execution, as server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
namespace gantry::api {
namespace {

using executions::Happening;
using Follower = executions::Executions::Follower;

/// How soon a stream notices that its reader may not read any more.
constexpr Milliseconds look_up{2'000};
/// A comment goes out after so many silent looks, so that nobody in between hangs up.
constexpr int looks_per_heartbeat = 7;

std::string event(std::string_view name, const json::Value& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, json_text(data));
}

std::string_view word(sandbox::OutputStream stream) {
  return stream == sandbox::OutputStream::standard_output ? "stdout" : "stderr";
}

/// Turns happenings into frames; keeps what it takes to cut output at characters.
class Frames {
 public:
  std::string of(const Happening& happening) {
    switch (happening.kind) {
      case Happening::Kind::progress:
        return event("progress", json::Object{{"message", happening.text}});
      case Happening::Kind::state:
        return event("state", json::Object{{"state", executions::word(happening.state)}});
      case Happening::Kind::output:
        return output(happening.stream, border(happening.stream).take(happening.bytes));
      case Happening::Kind::verdict:
        return rest(sandbox::OutputStream::standard_output) +
               rest(sandbox::OutputStream::standard_error);
    }
    return {};
  }

 private:
  CharacterBorder& border(sandbox::OutputStream stream) {
    return stream == sandbox::OutputStream::standard_output ? out_ : err_;
  }
  std::string rest(sandbox::OutputStream stream) { return output(stream, border(stream).rest()); }
  static std::string output(sandbox::OutputStream stream, std::string_view bytes) {
    return bytes.empty() ? std::string{} : event(word(stream), output_json(bytes));
  }

  CharacterBorder out_;
  CharacterBorder err_;
};

/// The next happening, or nothing after a while; `ended` when there will be none any more, or the
/// server is stopping.
struct Look {
  std::optional<Happening> happening;
  bool ended = false;
};

async::task<void> wait_for_next(Follower& follower, Look& look) {
  look.happening = co_await follower.next();
  look.ended = !look.happening;
}

/// Lets the look end when the server is stopping, or after a while.
async::task<void> end_look(Call& call, Look& look) {
  if (co_await async::race(async::pause(look_up), call.exchange.server_closing()) ==
      async::Winner::second) {
    look.ended = true;
  }
}

async::task<Look> look(Call& call, Follower& follower) {
  Look look;
  co_await async::race(wait_for_next(follower, look), end_look(call, look));
  co_return look;
}

async::task<void> stream(Call& call, Follower& follower) {
  Frames frames;
  int silent_looks = 0;
  while (call.services.access.still_valid(*call.identity)) {
    auto seen = co_await look(call, follower);
    if (seen.ended) break;
    if (!seen.happening) {
      if (++silent_looks % looks_per_heartbeat == 0) co_await call.exchange.send(":\n\n");
      continue;
    }
    silent_looks = 0;
    auto size = seen.happening->bytes.size();
    auto frame = co_await compute(call, size, [&] { return frames.of(*seen.happening); });
    if (seen.happening->kind == Happening::Kind::verdict) {
      const auto& record = follower.record();
      auto work = [&] { return event("verdict", execution_json(record)); };
      frame += co_await compute(call, weight(record), work);
    }
    if (!frame.empty()) co_await call.exchange.send(std::move(frame));
  }
  co_await call.exchange.finish_stream();
}

}  // namespace

Answer get_execution_events(Call& call) {
  auto follower = co_await call.services.executions.follow(executions::ExecutionId{call.id});
  if (!follower) co_return fail(std::move(follower.error()));
  net::http::ResponseHead head{.status = 200, .headers = {{"Content-Type", "text/event-stream"}}};
  add_security_headers(head.headers);
  co_await call.exchange.begin_stream(std::move(head));
  auto winner = co_await async::race(stream(call, *follower), call.exchange.peer_gone());
  call.abandoned = winner == async::Winner::second;
  co_return answered_already();
}

}  // namespace gantry::api
