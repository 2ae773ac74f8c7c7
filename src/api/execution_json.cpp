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
                    {"memory_peak_bytes", nullptr}};
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
  }
  return item;
}

json::Object execution_json(const executions::Record& record) {
  auto item = execution_item_json(record);
  item["message"] = record.outcome ? text_or_null(record.outcome->message) : nullptr;
  bool text = text::valid_utf8(record.output) && text::valid_utf8(record.errors);
  item["stdout"] = text ? record.output : encoding::base64(record.output);
  item["stderr"] = text ? record.errors : encoding::base64(record.errors);
  item["encoding"] = text ? "utf8" : "base64";
  bool has_source = !record.language.empty() && text::valid_utf8(record.source);
  item["source"] = has_source ? json::Value(record.source) : json::Value(nullptr);
  return item;
}

std::size_t weight(const executions::Record& record) {
  return record.output.size() + record.errors.size() + record.source.size();
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
