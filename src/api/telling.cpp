#include "api/telling.hpp"

#include "async/deadline.hpp"

namespace gantry::api {
namespace {

using executions::Happening;
using Follower = executions::Executions::Follower;

constexpr Milliseconds look_up{2'000};

std::string_view word(sandbox::Stage stage) {
  return stage == sandbox::Stage::compile ? "compile" : "run";
}

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

json::Object state_json(const Happening& happening) {
  json::Object state{{"state", executions::word(happening.state)}};
  if (happening.state == executions::State::running) state["stage"] = word(happening.stage);
  return state;
}

}  // namespace

async::task<Look> look(Call& call, Follower& follower) {
  Look look;
  co_await async::race(wait_for_next(follower, look), end_look(call, look));
  co_return look;
}

Telling::Border& Telling::border(const Happening& happening) {
  auto stage = happening.stage == sandbox::Stage::run ? 2U : 0U;
  auto stream = happening.stream == sandbox::OutputStream::standard_error ? 1U : 0U;
  return borders_[stage + stream];
}

void Telling::add_output(std::vector<Event>& events, const Border& border, std::string_view bytes) {
  if (bytes.empty()) return;
  auto json = output_json(bytes);
  if (border.stage == sandbox::Stage::compile) json["stage"] = word(border.stage);
  events.emplace_back(border.name, std::move(json));
}

std::vector<Telling::Event> Telling::of(const Happening& happening, const std::string& message) {
  std::vector<Event> events;
  switch (happening.kind) {
    case Happening::Kind::progress:
      events.emplace_back("progress", json::Object{{"message", happening.text}});
      break;
    case Happening::Kind::state:
      events.emplace_back("state", state_json(happening));
      break;
    case Happening::Kind::output: {
      auto& kept = border(happening);
      add_output(events, kept, kept.bytes.take(happening.bytes));
      break;
    }
    case Happening::Kind::verdict:
      for (auto& kept : borders_) add_output(events, kept, kept.bytes.rest());
      events.emplace_back("verdict", execution_json(follower_.record(), message));
      break;
  }
  return events;
}

std::size_t Telling::weight(const Happening& happening) const {
  if (happening.kind == Happening::Kind::verdict) return api::weight(follower_.record());
  return happening.bytes.size();
}

Result<bool> read_cancel_on_disconnect(Call& call) {
  auto cancel = call.query.boolean("cancel_on_disconnect").value_or(false);
  if (auto read = call.query.finish(); !read) return fail(read.error());
  if (cancel && !(call.identity && call.identity->may_execute())) {
    return fail(ErrorKind::denied, "role_missing",
                "cannot cancel the execution when you leave: that needs the role 'executor'",
                "ask an admin for that role, or leave out 'cancel_on_disconnect'");
  }
  return cancel;
}

}  // namespace gantry::api
