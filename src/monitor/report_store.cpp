#include "monitor/report_store.hpp"

#include "base/json.hpp"
#include "storage/migrations.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

namespace gantry::monitor::report_store {
namespace {

constexpr std::array migrations{storage::Migration{1, "reports of hosts", R"(
  CREATE TABLE doctor_reports (
    host_id text PRIMARY KEY,
    made_at bigint NOT NULL,
    outcomes text NOT NULL
  ))"}};

/// `{way, outcomes: [{id, title, state, summary, at}]}`
std::string text_of(const KeptReport& report) {
  json::Array all;
  for (const auto& one : report.outcomes) {
    all.push_back(json::Object{{"id", one.id},
                               {"title", one.title},
                               {"state", doctor::word(one.state)},
                               {"summary", one.summary},
                               {"at", one.at.time_since_epoch().count()}});
  }
  json::Object kept{{"way", report.way}, {"outcomes", std::move(all)}};
  return json::serialize(json::Value(std::move(kept)));
}

std::optional<std::vector<Outcome>> outcomes_of(const json::Array& items) {
  std::vector<Outcome> outcomes;
  for (const auto& item : items) {
    json::Fields fields{item, "", json::Keys::tolerant};
    auto state = doctor::parse_state(fields.required_text("state"));
    auto at = fields.integer("at", {0, std::numeric_limits<std::int64_t>::max()});
    Outcome outcome{.id = fields.required_text("id"),
                    .title = fields.required_text("title"),
                    .state = state.value_or(doctor::State::unseen),
                    .summary = fields.required_text("summary"),
                    .at = WallTime{Milliseconds{at.value_or(0)}}};
    if (!state || !at || !fields.finish()) return std::nullopt;
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

std::optional<KeptReport> report_of(WallTime at, const std::string& text) {
  auto value = json::parse(text, json::Keys::tolerant);
  if (!value || !value->is_object()) return std::nullopt;
  json::Fields fields{*value, "", json::Keys::tolerant};
  KeptReport report{.at = at, .way = fields.required_text("way"), .outcomes = {}};
  const auto* items = fields.array("outcomes", outcomes_max);
  auto outcomes = items == nullptr ? std::nullopt : outcomes_of(*items);
  if (!outcomes || !fields.finish()) return std::nullopt;
  report.outcomes = std::move(*outcomes);
  return report;
}

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "monitor", migrations);
}

std::optional<KeptReport> find(storage::Transaction& transaction, const fleet::HostId& host) {
  auto rows = transaction.query(
      "SELECT made_at, outcomes FROM doctor_reports WHERE host_id = $1 LIMIT 1", host);
  if (rows.empty()) return std::nullopt;
  return report_of(rows.front().time(0), rows.front().text(1));
}

void put(storage::Transaction& transaction, const fleet::HostId& host, const KeptReport& report) {
  transaction.execute(
      "INSERT INTO doctor_reports (host_id, made_at, outcomes) VALUES ($1, $2, $3) "
      "ON CONFLICT (host_id) DO UPDATE SET made_at = excluded.made_at, "
      "outcomes = excluded.outcomes",
      host, report.at, text_of(report));
}

void keep_only(storage::Transaction& transaction, const std::vector<fleet::HostId>& hosts) {
  for (const auto& row : transaction.query("SELECT host_id FROM doctor_reports LIMIT 10000")) {
    auto host = row.id<fleet::HostId>(0);
    if (std::ranges::find(hosts, host) != hosts.end()) continue;
    transaction.execute("DELETE FROM doctor_reports WHERE host_id = $1", host);
  }
}

}  // namespace gantry::monitor::report_store
