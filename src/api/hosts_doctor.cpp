#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "doctor/report.hpp"

// Why a host can not be used, and what has changed since somebody asked last.
namespace gantry::api {
namespace {

json::Value outcome_json(const std::optional<monitor::Outcome>& outcome) {
  if (!outcome) return nullptr;
  return json::Object{{"state", doctor::word(outcome->state)},
                      {"summary", outcome->summary},
                      {"at", rfc3339(outcome->at)}};
}

json::Object examination_json(const std::string& host, const monitor::Examination& examination) {
  json::Array changes;
  for (const auto& change : examination.changes) {
    changes.push_back(json::Object{{"id", change.either().id},
                                   {"title", change.either().title},
                                   {"before", outcome_json(change.before)},
                                   {"after", outcome_json(change.after)}});
  }
  json::Object out{{"host", host},
                   {"report", doctor::json_of(examination.report)},
                   {"since", nullptr},
                   {"changes", std::move(changes)}};
  if (examination.since) out["since"] = rfc3339(*examination.since);
  return out;
}

}  // namespace

Answer get_host_doctor(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto host = host_for(call, access::Role::operator_);
  if (!host) co_return fail(std::move(host.error()));
  auto examined = co_await unless_abandoned(call, call.services.doctors.examine(*host));
  if (!examined) co_return answered_already();
  if (!*examined) co_return fail(std::move(examined->error()));
  co_return json_reply(200, examination_json((*host)->name(), **examined));
}

}  // namespace gantry::api
