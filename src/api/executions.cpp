#include "executions/executions.hpp"

#include "api/execution_json.hpp"
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "api/limits.hpp"

#include <fmt/format.h>

// Programs run in sandboxes.
namespace gantry::api {
namespace {

using executions::ExecutionId;
using executions::Record;

struct Submission {
  sandbox::Program program;
  sandbox::Policy policy;
};

Result<Submission> read_submission(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  Submission submission;
  submission.program = sandbox::read_program(fields);
  const auto* limits = fields.member("limits");
  auto policy = sandbox::read_policy(limits == nullptr ? json::Value(json::Object{}) : *limits);
  if (policy) {
    submission.policy = *policy;
  } else {
    fields.adopt(std::move(policy.error()));
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return submission;
}

async::task<Reply> execution_reply(Call& call, unsigned status, Record record) {
  auto work = [&] { return json_text(execution_json(record)); };
  co_return json_reply(status, co_await compute(call, weight(record), work));
}

}  // namespace

Answer list_executions(Call& call) {
  auto limit = call.query.integer("limit", 1, 200).value_or(50);
  auto cursor = call.query.text("cursor");
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  if (cursor && !valid_id(*cursor)) {
    co_return fail(ErrorKind::invalid, "invalid_cursor",
                   "cannot list executions: parameter 'cursor' is none of ours",
                   "send the 'next' of the page before");
  }
  auto page = co_await call.services.executions.list(limit, cursor.value_or(""));
  if (!page) co_return fail(std::move(page.error()));
  json::Array items;
  for (const auto& record : page->items) items.push_back(execution_item_json(record));
  json::Value next = page->next ? json::Value(*page->next) : json::Value(nullptr);
  co_return json_reply(200, json::Object{{"items", std::move(items)}, {"next", std::move(next)}});
}

Answer create_execution(Call& call) {
  auto wait = call.query.boolean("wait").value_or(false);
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto submission = co_await read_json(call, &read_submission);
  if (!submission) co_return fail(std::move(submission.error()));

  auto fits = check_limits(submission->policy, call.services.link.view());
  if (!fits) co_return fail(std::move(fits.error()));
  auto& executions = call.services.executions;
  auto record =
      co_await executions.submit(call.who(), std::move(submission->program), submission->policy);
  if (!record) co_return fail(std::move(record.error()));
  auto location = fmt::format("/api/v1/executions/{}", record->id.text());
  if (!wait) {
    auto reply = co_await execution_reply(call, 202, std::move(*record));
    reply.headers.set("Location", location);
    co_return reply;
  }
  auto finished = co_await unless_abandoned(call, executions.wait(record->id));
  if (!finished) co_return answered_already();
  if (!*finished) co_return fail(std::move(finished->error()));
  auto reply = co_await execution_reply(call, 200, std::move(**finished));
  reply.headers.set("Location", location);
  co_return reply;
}

Answer get_execution(Call& call) {
  auto record = co_await call.services.executions.find(ExecutionId{call.id});
  if (!record) co_return fail(std::move(record.error()));
  co_return co_await execution_reply(call, 200, std::move(*record));
}

Answer cancel_execution(Call& call) {
  auto& executions = call.services.executions;
  ExecutionId id{call.id};
  if (auto cancelled = co_await executions.cancel(id); !cancelled) {
    co_return fail(std::move(cancelled.error()));
  }
  auto record = co_await executions.find(id);
  if (!record) co_return fail(std::move(record.error()));
  co_return co_await execution_reply(call, 202, std::move(*record));
}

}  // namespace gantry::api
