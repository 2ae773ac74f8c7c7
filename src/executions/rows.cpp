#include "executions/rows.hpp"

#include "base/json.hpp"

namespace gantry::executions::store {
namespace {

constexpr std::int64_t whole_max = std::int64_t{1} << 52U;
constexpr std::size_t many = 100'000;

template <class T>
json::Value or_null(const std::optional<T>& value) {
  return value ? json::Value(*value) : json::Value(nullptr);
}

std::vector<std::string> command_from(const std::string& text) {
  std::vector<std::string> command;
  auto value = json::parse(text, json::Keys::tolerant);
  if (!value || !value->is_array()) return command;
  for (const auto& word : value->get_array()) {
    if (word.is_string()) command.emplace_back(word.get_string());
  }
  return command;
}

std::optional<int> narrow(std::optional<std::int64_t> number) {
  if (!number) return std::nullopt;
  return static_cast<int>(*number);
}

std::optional<sandbox::StageOutcome> stage_from(const std::string& text) {
  auto value = json::parse(text, json::Keys::tolerant);
  if (text.empty() || !value) return std::nullopt;
  json::Fields fields{*value, "", json::Keys::tolerant};
  auto whole = [&](std::string_view key) { return fields.integer(key, {0, whole_max}); };
  auto truncated = whole("truncated").value_or(0);
  sandbox::StageOutcome stage;
  stage.verdict = sandbox::verdict_from(fields.text("verdict").value_or(""))
                      .value_or(sandbox::Verdict::infrastructure_error);
  stage.exit_code = narrow(whole("exit_code"));
  stage.signal = narrow(whole("signal"));
  stage.message = fields.text("message", {0, many}).value_or("");
  stage.wall_time = Microseconds{whole("wall_us").value_or(0)};
  stage.cpu_time = Microseconds{whole("cpu_us").value_or(0)};
  stage.memory_peak_bytes = static_cast<std::uint64_t>(whole("memory_peak_bytes").value_or(0));
  stage.output_truncated = (truncated & 1) != 0;
  stage.errors_truncated = (truncated & 2) != 0;
  return stage;
}

std::vector<ArtifactItem> artifacts_from(const std::string& text) {
  std::vector<ArtifactItem> artifacts;
  auto value = json::parse(text, json::Keys::tolerant);
  if (text.empty() || !value || !value->is_array()) return artifacts;
  for (const auto& item : value->get_array()) {
    json::Fields fields{item, "", json::Keys::tolerant};
    artifacts.push_back(
        {.path = fields.text("path").value_or(""),
         .size = static_cast<std::uint64_t>(fields.integer("size", {0, whole_max}).value_or(0))});
  }
  return artifacts;
}

sandbox::Outcome outcome_of(const storage::Row& row, sandbox::Verdict verdict) {
  auto truncated = row.integer(19);
  sandbox::Outcome outcome{{
      .verdict = verdict,
      .exit_code = narrow(row.integer_or_null(7)),
      .signal = narrow(row.integer_or_null(8)),
      .message = row.text(9),
      .wall_time = Microseconds{row.integer(12)},
      .cpu_time = Microseconds{row.integer(13)},
      .memory_peak_bytes = static_cast<std::uint64_t>(row.integer(14)),
      .output_truncated = (truncated & 1) != 0,
      .errors_truncated = (truncated & 2) != 0,
  }};
  outcome.served_image = row.text(10);
  outcome.warm = row.integer(11) != 0;
  outcome.executor = row.text(18);
  outcome.compile = stage_from(row.text(20));
  outcome.error_code = row.text(24);
  return outcome;
}

}  // namespace

std::string stage_text(const std::optional<sandbox::StageOutcome>& stage) {
  if (!stage) return {};
  return json::serialize(json::Object{
      {"verdict", sandbox::word(stage->verdict)},
      {"exit_code", or_null(stage->exit_code)},
      {"signal", or_null(stage->signal)},
      {"message", stage->message},
      {"wall_us", stage->wall_time.count()},
      {"cpu_us", stage->cpu_time.count()},
      {"memory_peak_bytes", stage->memory_peak_bytes},
      {"truncated", (stage->output_truncated ? 1 : 0) + (stage->errors_truncated ? 2 : 0)}});
}

std::string artifacts_text(const std::vector<ArtifactItem>& artifacts) {
  if (artifacts.empty()) return {};
  json::Array items;
  for (const auto& artifact : artifacts) {
    items.emplace_back(json::Object{{"path", artifact.path}, {"size", artifact.size}});
  }
  return json::serialize(items);
}

Record record_of(const storage::Row& row) {
  Record record;
  record.id = row.id<ExecutionId>(0);
  record.owner = row.text(1);
  record.language = row.text(2);
  record.image = row.text(3);
  record.command = command_from(row.text(4));
  record.state = state_from(row.text(5)).value_or(State::finished);
  if (auto verdict = sandbox::verdict_from(row.text_or_null(6).value_or(""))) {
    record.outcome = outcome_of(row, *verdict);
  }
  record.created_at = row.time(15);
  record.started_at = row.time_or_null(16);
  record.finished_at = row.time_or_null(17);
  record.artifacts = artifacts_from(row.text(21));
  record.batch = row.text(22);
  record.webhook = row.text(23);
  record.owner_id = row.text(25);
  return record;
}

}  // namespace gantry::executions::store
