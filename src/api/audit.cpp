#include "access/access.hpp"
#include "api/container_log_query.hpp"
#include "api/handlers.hpp"

#include <limits>

// What was done, by whom, and whether the record of it is whole.
namespace gantry::api {
namespace {

json::Object record_json(const access::AuditRecord& record) {
  const auto& entry = record.entry;
  auto details = json::parse(entry.details, json::Keys::tolerant);
  bool readable = details && details->is_object();
  return {{"sequence", record.sequence},
          {"at", rfc3339(record.at)},
          {"actor", entry.actor},
          {"action", entry.action},
          {"target", entry.target},
          {"outcome", entry.outcome},
          {"details", readable ? std::move(*details) : json::Value(nullptr)},
          {"previous_hash", record.previous_hash},
          {"hash", record.hash}};
}

}  // namespace

Answer list_audit(Call& call) {
  auto limit = call.query.integer("limit", 1, 500).value_or(100);
  auto cursor = call.query.text("cursor").value_or("");
  access::AuditFilter filter{.actor = call.query.text("actor").value_or(""),
                             .action = call.query.text("action").value_or(""),
                             .target = call.query.text("target").value_or("")};
  auto since = read_moment(call, "since");
  auto until = read_moment(call, "until");
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  if (!since) co_return fail(std::move(since.error()));
  if (!until) co_return fail(std::move(until.error()));
  filter.since = *since;
  filter.until = *until;
  auto page = co_await call.services.access.audit_page(limit, std::move(cursor), std::move(filter));
  if (!page) co_return fail(std::move(page.error()));
  json::Array items;
  for (const auto& record : page->items) items.push_back(record_json(record));
  json::Value next = page->next ? json::Value(*page->next) : json::Value(nullptr);
  co_return json_reply(200, json::Object{{"items", std::move(items)}, {"next", std::move(next)}});
}

Answer export_audit(Call& call) {
  auto last = call.query.integer("after", 0, std::numeric_limits<int>::max()).value_or(0);
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto& access = call.services.access;
  // Read before the head goes out, so that a database that is away is still told as an error.
  auto records = co_await access.audit_after(last);
  co_await access.record(
      {call.who(), "audit.export", "audit", "ok", json::serialize(json::Object{{"after", last}})});
  net::http::ResponseHead head{.status = 200, .headers = {}};
  head.headers.set("Content-Type", "application/x-ndjson");
  head.headers.set("Content-Disposition", "attachment; filename=\"gantry-audit.jsonl\"");
  add_security_headers(head.headers);
  co_await call.exchange.begin_stream(std::move(head));
  while (!records.empty()) {
    std::string lines;
    for (const auto& record : records) lines += json::serialize(record_json(record)) + '\n';
    co_await call.exchange.send(std::move(lines));
    if (!access.still_valid(*call.identity)) {
      throw Failure{{ErrorKind::denied, "signed_out", "cannot go on with the export", {}}};
    }
    records = co_await access.audit_after(records.back().sequence);
  }
  co_await call.exchange.finish_stream();
  co_return answered_already();
}

Answer check_audit(Call& call) {
  auto check = co_await call.services.access.verify_audit();
  auto broken = check.broken_at ? json::Value(*check.broken_at) : json::Value(nullptr);
  auto reason = check.broken_at ? json::Value(check.reason) : json::Value(nullptr);
  co_return json_reply(200, json::Object{{"records", check.records},
                                         {"broken_at", std::move(broken)},
                                         {"reason", std::move(reason)}});
}

}  // namespace gantry::api
