#include "api/execution_json.hpp"

#include "api/json_text.hpp"
#include "base/encoding.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace gantry::api {
namespace {

template <class T>
json::Value or_null(const std::optional<T>& value) {
  return value ? json::Value(*value) : json::Value(nullptr);
}

/// Texts of others: what is not UTF-8 becomes visible escapes.
json::Value text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::Value(text::valid_utf8(text) ? text : text::one_line(text));
}

double milliseconds(Microseconds time) { return static_cast<double>(time.count()) / 1000.0; }

/// How many bytes at the end of `bytes` begin a character whose rest may still come.
std::size_t unfinished_bytes(std::string_view bytes) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
    auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xC0U) == 0x80U) continue;
    std::size_t length = byte >= 0xF0U ? 4 : byte >= 0xE0U ? 3 : byte >= 0xC0U ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

/// What a program wrote, all of it as text or all of it in base64.
struct Streams {
  explicit Streams(const executions::Record& record)
      : is_text{text::valid_utf8(record.output) && text::valid_utf8(record.errors) &&
                text::valid_utf8(record.compile_output) &&
                text::valid_utf8(record.compile_errors)} {}
  std::string text(const std::string& bytes) const {
    return is_text ? bytes : encoding::base64(bytes);
  }
  bool is_text;
};

json::Value compile_json(const executions::Record& record, const Streams& streams) {
  if (!record.outcome || !record.outcome->compile) return nullptr;
  const auto& stage = *record.outcome->compile;
  return json::Object{{"verdict", sandbox::word(stage.verdict)},
                      {"exit_code", or_null(stage.exit_code)},
                      {"signal", or_null(stage.signal)},
                      {"message", text_or_null(stage.message)},
                      {"wall_time_ms", milliseconds(stage.wall_time)},
                      {"cpu_time_ms", milliseconds(stage.cpu_time)},
                      {"memory_peak_bytes", stage.memory_peak_bytes},
                      {"stdout", streams.text(record.compile_output)},
                      {"stderr", streams.text(record.compile_errors)},
                      {"stdout_truncated", stage.output_truncated},
                      {"stderr_truncated", stage.errors_truncated}};
}

}  // namespace

json::Object execution_item_json(const executions::Record& record) {
  json::Object item{{"id", record.id.text()},
                    {"state", executions::word(record.state)},
                    {"language", text_or_null(record.language)},
                    {"image", record.image},
                    {"served_image", nullptr},
                    {"warm", false},
                    {"verdict", nullptr},
                    {"exit_code", nullptr},
                    {"signal", nullptr},
                    {"created_at", rfc3339(record.created_at)},
                    {"started_at", time_or_null(record.started_at)},
                    {"finished_at", time_or_null(record.finished_at)},
                    {"wall_time_ms", nullptr},
                    {"cpu_time_ms", nullptr},
                    {"memory_peak_bytes", nullptr},
                    {"executor", nullptr},
                    {"batch", text_or_null(record.batch)},
                    {"stdout_truncated", false},
                    {"stderr_truncated", false}};
  if (record.outcome) {
    const auto& outcome = *record.outcome;
    item["served_image"] = text_or_null(outcome.served_image);
    item["warm"] = outcome.warm;
    item["verdict"] = sandbox::word(outcome.verdict);
    item["exit_code"] = or_null(outcome.exit_code);
    item["signal"] = or_null(outcome.signal);
    item["wall_time_ms"] = milliseconds(outcome.wall_time);
    item["cpu_time_ms"] = milliseconds(outcome.cpu_time);
    item["memory_peak_bytes"] = outcome.memory_peak_bytes;
    item["executor"] = text_or_null(outcome.executor);
    item["stdout_truncated"] = outcome.output_truncated;
    item["stderr_truncated"] = outcome.errors_truncated;
  }
  return item;
}

json::Array artifacts_json(const executions::Record& record) {
  json::Array items;
  for (std::size_t i = 0; i < record.artifacts.size(); ++i) {
    const auto& artifact = record.artifacts[i];
    items.emplace_back(
        json::Object{{"index", i}, {"path", artifact.path}, {"size_bytes", artifact.size}});
  }
  return items;
}

json::Object execution_json(const executions::Record& record, const std::string& message) {
  auto item = execution_item_json(record);
  item["message"] = text_or_null(message);
  item["error_code"] = record.outcome ? text_or_null(record.outcome->error_code) : nullptr;
  Streams streams{record};
  item["stdout"] = streams.text(record.output);
  item["stderr"] = streams.text(record.errors);
  item["encoding"] = streams.is_text ? "utf8" : "base64";
  item["compile"] = compile_json(record, streams);
  item["artifacts"] = artifacts_json(record);
  bool has_source = !record.language.empty() && text::valid_utf8(record.source);
  item["source"] = has_source ? json::Value(record.source) : json::Value(nullptr);
  return item;
}

std::size_t weight(const executions::Record& record) {
  return record.output.size() + record.errors.size() + record.source.size() +
         record.compile_output.size() + record.compile_errors.size();
}

json::Object output_json(std::string_view bytes) {
  if (text::valid_utf8(bytes)) return {{"text", bytes}};
  return {{"base64", encoding::base64(bytes)}};
}

std::string CharacterBorder::take(std::string_view bytes) {
  kept_ += bytes;
  auto unfinished = unfinished_bytes(kept_);
  std::string_view whole{kept_.data(), kept_.size() - unfinished};
  // Bytes that are not text anyway go out as they came, in one piece.
  if (!text::valid_utf8(whole)) return rest();
  std::string taken{whole};
  kept_.erase(0, taken.size());
  return taken;
}

}  // namespace gantry::api
