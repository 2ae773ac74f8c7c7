#include "api/piston.hpp"

#include "api/guard.hpp"
#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/json_text.hpp"
#include "api/limits.hpp"
#include "api/place.hpp"
#include "base/text.hpp"

// Piston's plain routes. Its WebSocket is in piston_connect.cpp.
namespace gantry::api {
namespace {

using executions::Executions;
using piston::Job;
using piston::Story;

Result<Job> parse_job(const std::string& body, const sandbox::Languages& languages,
                      const sandbox::PolicyBounds& bounds) {
  auto value = json::parse(body, json::Keys::tolerant);
  if (!value) return fail(std::move(value.error()));
  return piston::read_job(*value, languages, bounds);
}

Reply message_reply(unsigned status, std::string_view message) {
  return json_reply(status, json::Object{{"message", message}});
}

async::task<Story> hear(Executions::Follower& follower) {
  Story story;
  while (auto happening = co_await follower.next()) story.add(*happening);
  co_return story;
}

/// What Piston answers to a job: its result, or 500 where there is none.
async::task<Reply> result_reply(Call& call, const Job& job, const Story& story,
                                const executions::Record& record) {
  if (!record.outcome) co_return message_reply(503, "the server is stopping");
  const auto& outcome = *record.outcome;
  if (outcome.verdict == sandbox::Verdict::infrastructure_error) {
    co_return message_reply(500, told_message(call, record));
  }
  auto size = story.run.both.size() + story.compile.both.size();
  auto work = [&] { return piston::result_text(job, story, outcome); };
  co_return json_reply(200, co_await compute(call, size, work));
}

}  // namespace

Answer piston_execute(Call& call) {
  bool json = text::iequals(media_type(call.exchange.request()), "application/json");
  if (!json || !call.header("Content-Encoding").empty()) {
    co_return message_reply(415, "requests must be of type application/json");
  }
  auto body = co_await call.exchange.body(call.body_max);
  if (!body) co_return fail(std::move(body.error()));
  auto bounds = bounds_for(call);
  auto job = co_await compute(call, body->size(),
                              [&] { return parse_job(*body, call.services.languages, bounds); });
  forget_body(call, *body);
  if (!job && job.error().code == "path_escapes") {
    co_return message_reply(500, job.error().message);
  }
  if (!job) co_return fail(std::move(job.error()));

  auto& executions = call.services.executions;
  auto record = co_await place(call, std::move(job->submission));
  if (!record) co_return fail(std::move(record.error()));
  auto follower = co_await executions.follow(record->id, call.own());
  if (!follower) co_return fail(std::move(follower.error()));
  auto story = co_await unless_abandoned(call, hear(*follower));
  if (!story) {
    (void)co_await executions.cancel(record->id, call.own());  // nobody else knows of it
    co_return answered_already();
  }
  co_return co_await result_reply(call, *job, *story, follower->record());
}

Answer piston_runtimes(Call& call) {
  co_return json_reply(200, json::Value(piston::runtimes_json(call.services.languages)));
}

Answer piston_packages(Call& call) {
  co_return json_reply(200, json::Value(piston::packages_json(call.services.languages)));
}

}  // namespace gantry::api
