#include "executions/executions.hpp"

#include "api/execution_json.hpp"
#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/json_text.hpp"
#include "api/submissions.hpp"

#include <fmt/format.h>

// Programs run in sandboxes.
namespace gantry::api {
namespace {

using executions::ExecutionId;
using executions::Order;
using executions::Record;

async::task<Reply> execution_reply(Call& call, unsigned status, Record record) {
  auto message = told_message(call, record);
  auto work = [&] { return json_text(execution_json(record, message)); };
  co_return json_reply(status, co_await compute(call, weight(record), work));
}

/// The answer is that of an earlier request with the same key.
void mark_repeated(Reply& reply) { reply.headers.set("Idempotency-Replayed", "true"); }

json::Object wrong_item(const Error& error) {
  return {{"execution", nullptr}, {"error", error_json(error)}};
}

/// An execution of a repeated batch that is not kept any more.
Error deleted(const ExecutionId& id) {
  return {ErrorKind::not_found, "no_such_execution",
          fmt::format("cannot find execution '{}': it has ended and was deleted", id.text()),
          "the oldest executions are deleted; keep more with keep_count, keep_bytes or keep_days"};
}

/// A program of a repeated batch that this server took only later.
Error refused_before() {
  return {ErrorKind::conflict, "refused_before",
          "cannot take the program: it was refused when the batch came first",
          "send it with a new key"};
}

/// Each program's record or mistake, in the order of the request. The programs of a repeated batch
/// are judged by today's bounds, which say nothing about what they became.
json::Object batch_json(const std::vector<Result<executions::Submission>>& programs,
                        const executions::Receipt& receipt) {
  json::Array items;
  bool in_places = receipt.ids.size() == programs.size();
  auto id = receipt.ids.begin();
  auto record = receipt.records.begin();
  for (const auto& program : programs) {
    bool taken = id != receipt.ids.end() && !id->text().empty() && (in_places || program);
    if (!taken) {
      items.emplace_back(wrong_item(program ? refused_before() : program.error()));
      if (in_places) ++id;
      continue;
    }
    bool kept = record != receipt.records.end() && record->id == *id;
    items.emplace_back(
        kept ? json::Object{{"execution", execution_item_json(*record++)}, {"error", nullptr}}
             : wrong_item(deleted(*id)));
    ++id;
  }
  json::Value batch = receipt.batch.empty() ? json::Value(nullptr) : json::Value(receipt.batch);
  return {{"batch", std::move(batch)}, {"items", std::move(items)}};
}

std::size_t weight(const executions::Receipt& receipt) {
  constexpr std::size_t item_bytes = 1'000;
  return receipt.records.size() * item_bytes;
}

}  // namespace

Answer list_executions(Call& call) {
  auto limit = call.query.integer("limit", 1, 200).value_or(50);
  auto cursor = call.query.text("cursor");
  auto batch = call.query.text("batch");
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  if (cursor && !valid_id(*cursor)) {
    co_return fail(ErrorKind::invalid, "invalid_cursor",
                   "cannot list executions: parameter 'cursor' is none of ours",
                   "send the 'next' of the page before");
  }
  executions::Listing listing{
      .limit = static_cast<int>(limit), .cursor = cursor.value_or(""), .batch = batch.value_or("")};
  auto page = co_await call.services.executions.list(std::move(listing), call.reach());
  json::Array items;
  for (const auto& record : page.items) items.push_back(execution_item_json(record));
  json::Value next = page.next ? json::Value(*page.next) : json::Value(nullptr);
  co_return json_reply(200, json::Object{{"items", std::move(items)}, {"next", std::move(next)}});
}

Answer create_execution(Call& call) {
  auto wait = call.query.boolean("wait").value_or(false);
  auto cancel = call.query.boolean("cancel_on_disconnect").value_or(false);
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto request = co_await read_order(call, Order::Kind::single);
  if (!request) co_return fail(std::move(request.error()));

  Order order{.caller = call.caller(), .submissions = {}, .key = std::move(request->key)};
  order.submissions.push_back(std::move(*request->programs.front()));
  if (wait) order.told = Order::Told::verdict;
  auto receipt = co_await place(call, std::move(order));
  if (!receipt) co_return fail(std::move(receipt.error()));
  auto& record = receipt->records.front();
  auto location = fmt::format("/api/v1/executions/{}", record.id.text());
  if (!wait) {
    auto reply = co_await execution_reply(call, 202, std::move(record));
    reply.headers.set("Location", location);
    if (receipt->done == executions::Receipt::Done::before) mark_repeated(reply);
    co_return reply;
  }
  auto& executions = call.services.executions;
  // It is theirs by its key, also where an earlier version has not written down whose it is.
  auto theirs = executions::Reach::everybodys();
  auto finished = co_await unless_abandoned(call, executions.wait(record.id, theirs));
  if (!finished) {
    // It may have ended in this moment, which is as well.
    if (cancel) (void)co_await executions.cancel(record.id, theirs);
    co_return answered_already();
  }
  if (!*finished) co_return fail(std::move(finished->error()));
  auto reply = co_await execution_reply(call, 200, std::move(**finished));
  reply.headers.set("Location", location);
  if (receipt->done == executions::Receipt::Done::before) mark_repeated(reply);
  co_return reply;
}

Answer create_batch(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto request = co_await read_order(call, Order::Kind::batch);
  if (!request) co_return fail(std::move(request.error()));

  Order order{.caller = call.caller(),
              .submissions = {},
              .kind = Order::Kind::batch,
              .key = std::move(request->key)};
  for (std::size_t i = 0; i < request->programs.size(); ++i) {
    auto& program = request->programs[i];
    if (program) {
      order.submissions.push_back(std::move(*program));
    } else {
      order.refused.push_back(i);
    }
  }
  executions::Receipt receipt;
  if (order.key || !order.submissions.empty()) {
    auto placed = co_await place(call, std::move(order));
    if (!placed) co_return fail(std::move(placed.error()));
    receipt = std::move(*placed);
  }
  auto work = [&] { return json_text(batch_json(request->programs, receipt)); };
  auto reply = json_reply(202, co_await compute(call, weight(receipt), work));
  if (receipt.done == executions::Receipt::Done::before) mark_repeated(reply);
  co_return reply;
}

Answer get_execution(Call& call) {
  auto record = co_await call.services.executions.find(ExecutionId{call.id}, call.reach());
  if (!record) co_return fail(std::move(record.error()));
  co_return co_await execution_reply(call, 200, std::move(*record));
}

Answer cancel_execution(Call& call) {
  auto& executions = call.services.executions;
  ExecutionId id{call.id};
  if (auto cancelled = co_await executions.cancel(id, call.reach()); !cancelled) {
    co_return fail(std::move(cancelled.error()));
  }
  co_await call.services.access.record({.actor = call.who(),
                                        .action = "execution.cancel",
                                        .target = id.text(),
                                        .outcome = "ok",
                                        .details = {}});
  auto record = co_await executions.find(id, call.reach());
  if (!record) co_return fail(std::move(record.error()));
  co_return co_await execution_reply(call, 202, std::move(*record));
}

}  // namespace gantry::api
