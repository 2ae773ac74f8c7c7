#include "storage/backup_format.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace gantry::storage {
namespace {

constexpr std::int64_t format_version = 1;
/// A row holds an execution's outputs at most.
constexpr std::size_t line_max = 256U << 20U;
constexpr std::size_t columns_max = 200;
constexpr json::Limits line_limits{.depth_max = 8, .bytes_max = line_max};
constexpr json::TextBounds any_text{0, line_max};

struct Writer {
  json::Value operator()(std::monostate) const { return nullptr; }
  json::Value operator()(std::int64_t number) const { return json::Value(number); }
  json::Value operator()(double number) const {
    return json::Object{{"real", fmt::format("{}", number)}};
  }
  json::Value operator()(const std::string& text) const {
    if (text::valid_utf8(text)) return json::Value(text);
    return json::Object{{"text", encoding::base64(text)}};
  }
  json::Value operator()(const Blob& blob) const {
    return json::Object{{"blob", encoding::base64(blob.bytes)}};
  }
};

std::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorKind::invalid, "bad_backup", fmt::format("cannot read {}", what));
}

Result<Value> parse_real(const std::string& text) {
  double number = 0;
  auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || stop != text.data() + text.size()) return malformed("a number");
  return number;
}

}  // namespace

json::Value backup_value(const Value& value) { return std::visit(Writer{}, value); }

Result<Value> parse_backup_value(const json::Value& value) {
  if (value.is_null()) return std::monostate{};
  if (value.is_int64()) return std::int64_t{value.get_int64()};
  if (value.is_string()) return std::string{value.get_string()};
  json::Fields fields{value, "", json::Keys::strict};
  auto real = fields.text("real", any_text);
  auto text = fields.text("text", any_text);
  auto blob = fields.text("blob", any_text);
  if (auto read = fields.finish(); !read) return fail(read.error());
  if (real) return parse_real(*real);
  auto bytes = encoding::from_base64(text ? *text : blob.value_or("?"));
  if (!bytes) return malformed("a value");
  if (text) return std::move(*bytes);
  return Blob{std::move(*bytes)};
}

json::Object backup_head_json(const BackupHead& head) {
  json::Object schema;
  for (const auto& [component, version] : head.schema) schema[component] = version;
  return {{"gantry_backup", format_version},
          {"program", head.program},
          {"made_at_ms", head.made_at.time_since_epoch().count()},
          {"schema", std::move(schema)},
          {"sealed", encoding::base64(head.sealed)}};
}

Result<BackupHead> parse_backup_head(const json::Value& line) {
  // Tolerant: a later format may say more, and is refused by its number.
  json::Fields fields{line, "", json::Keys::tolerant};
  auto format = fields.integer("gantry_backup", {1, std::numeric_limits<std::int32_t>::max()});
  if (auto read = fields.finish(); !read || !format) return malformed("it: it is not a backup");
  if (*format != format_version) {
    return malformed(
        fmt::format("it: its format is {}, this program knows {}", *format, format_version));
  }
  BackupHead head;
  head.program = fields.required_text("program", {1, 64});
  head.made_at = WallTime{Milliseconds{fields.integer("made_at_ms", {0, 1LL << 50}).value_or(0)}};
  head.sealed = encoding::from_base64(fields.required_text("sealed", {0, 1U << 20U})).value_or("");
  const auto* schema = fields.member("schema");
  if (auto read = fields.finish(); !read) return fail(read.error());
  if (schema == nullptr || !schema->is_object()) return malformed("it: it names no versions");
  for (const auto& [component, version] : schema->get_object()) {
    if (!version.is_int64()) return malformed("it: it names no versions");
    head.schema.emplace(component, version.get_int64());
  }
  return head;
}

LineHash::LineHash() { crypto_hash_sha256_init(&state_); }

void LineHash::add(std::string_view line) {
  crypto_hash_sha256_update(&state_, reinterpret_cast<const unsigned char*>(line.data()),
                            line.size());
  constexpr unsigned char end = '\n';
  crypto_hash_sha256_update(&state_, &end, 1);
}

std::string LineHash::hex() {
  std::string digest(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256_final(&state_, reinterpret_cast<unsigned char*>(digest.data()));
  return encoding::hex(digest);
}

BackupReader::BackupReader(std::filesystem::path file)
    : path_{std::move(file)}, file_{path_, std::ios::binary} {
  if (!file_) refuse(fmt::format("it can not be opened: {}", std::strerror(errno)));
  auto first = line();
  hash_.add(first);
  auto head = parse_backup_head(value_of(first));
  if (!head) refuse(head.error().message);
  head_ = std::move(*head);
}

void BackupReader::refuse(std::string_view cause) const {
  throw Failure{{ErrorKind::invalid, "bad_backup",
                 fmt::format("cannot restore backup '{}': {}", path_.string(), cause),
                 "take another backup"}};
}

/// Refuses the end of the file: a whole backup says where it ends.
std::string BackupReader::line() {
  std::string text;
  if (!std::getline(file_, text)) refuse("it is cut short");
  if (text.size() > line_max) refuse("a line of it is too long");
  return text;
}

json::Value BackupReader::value_of(std::string_view text) const {
  auto value = json::parse(text, json::Keys::strict, line_limits);
  if (!value) refuse("a line of it is not JSON: it was cut short or changed");
  return std::move(*value);
}

bool BackupReader::next() {
  auto text = line();
  auto value = value_of(text);
  bool ends = value.is_object() && value.get_object().contains("end");
  if (ends) {
    check_end(value);
    return false;
  }
  hash_.add(text);
  at_table_ = value.is_object();
  if (at_table_) {
    read_table(value);
  } else if (value.is_array()) {
    read_row(value.get_array());
  } else {
    refuse("a line of it is neither a table nor a row");
  }
  return true;
}

void BackupReader::read_table(const json::Value& line) {
  json::Fields fields{line, "", json::Keys::strict};
  table_ = fields.required_text("table", {1, 63});
  columns_ = fields.texts("columns", columns_max, {1, 63});
  if (auto read = fields.finish(); !read) refuse(read.error().message);
}

void BackupReader::read_row(const json::Array& line) {
  if (line.size() != columns_.size() || table_.empty()) refuse("a row of it fits no table");
  row_.clear();
  for (const auto& value : line) {
    auto parsed = parse_backup_value(value);
    if (!parsed) refuse(parsed.error().message);
    row_.push_back(std::move(*parsed));
  }
  ++rows_;
}

void BackupReader::check_end(const json::Value& line) {
  json::Fields fields{line, "", json::Keys::strict};
  const auto* end = fields.member("end");
  if (auto read = fields.finish(); !read) refuse(read.error().message);
  json::Fields inner{*end, "end", json::Keys::strict};
  auto rows = inner.integer("rows", {0, std::numeric_limits<std::int64_t>::max()});
  auto hash = inner.required_text("sha256", {64, 64});
  if (auto read = inner.finish(); !read) refuse(read.error().message);
  if (rows != rows_ || hash != hash_.hex()) refuse("it was changed after it was written");
  if (file_.peek() != std::ifstream::traits_type::eof()) refuse("something stands behind its end");
}

}  // namespace gantry::storage
