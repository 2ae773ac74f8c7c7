#include "access/access.hpp"
#include "api/handlers.hpp"

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
          {"hash", record.hash}};
}

}  // namespace

Answer list_audit(Call& call) {
  auto limit = call.query.integer("limit", 1, 500).value_or(100);
  auto cursor = call.query.text("cursor").value_or("");
  access::AuditFilter filter{.actor = call.query.text("actor").value_or(""),
                             .action = call.query.text("action").value_or(""),
                             .target = call.query.text("target").value_or("")};
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto page = co_await call.services.access.audit_page(limit, std::move(cursor), std::move(filter));
  if (!page) co_return fail(std::move(page.error()));
  json::Array items;
  for (const auto& record : page->items) items.push_back(record_json(record));
  json::Value next = page->next ? json::Value(*page->next) : json::Value(nullptr);
  co_return json_reply(200, json::Object{{"items", std::move(items)}, {"next", std::move(next)}});
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
