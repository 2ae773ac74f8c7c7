#pragma once

#include "base/error.hpp"
#include "base/json.hpp"
#include "storage/backup.hpp"
#include "storage/value.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sodium.h>

/// The lines of a backup, as text and back.
namespace gantry::storage {

/// A value that comes back as it was: texts that are no UTF-8, blobs and real numbers are objects
/// that name what they are.
json::Value backup_value(const Value& value);
/// Refused: invalid, `bad_backup`.
Result<Value> parse_backup_value(const json::Value& value);

/// The first line.
json::Object backup_head_json(const BackupHead& head);
/// Refused: invalid, `bad_backup`, and what a line of this format must not hold.
Result<BackupHead> parse_backup_head(const json::Value& line);

/// The hash over all lines before the last.
class LineHash {
 public:
  LineHash();
  void add(std::string_view line);
  std::string hex();

 private:
  crypto_hash_sha256_state state_{};
};

/// Reads a backup line by line.
class BackupReader {
 public:
  /// Throws Failure `bad_backup`.
  explicit BackupReader(std::filesystem::path file);

  const BackupHead& head() const { return head_; }
  /// The next line that names a table, or is a row; false at the end, which has been verified.
  bool next();
  /// What `next` has read: a table, or else a row of the last one.
  bool at_table() const { return at_table_; }
  const std::string& table() const { return table_; }
  const std::vector<std::string>& columns() const { return columns_; }
  std::vector<Value>& row() { return row_; }

 private:
  [[noreturn]] void refuse(std::string_view cause) const;
  std::string line();
  json::Value value_of(std::string_view text) const;
  void read_table(const json::Value& line);
  void read_row(const json::Array& line);
  void check_end(const json::Value& line);

  std::filesystem::path path_;
  std::ifstream file_;
  LineHash hash_;
  BackupHead head_;
  bool at_table_ = false;
  std::string table_;
  std::vector<std::string> columns_;
  std::vector<Value> row_;
  std::int64_t rows_ = 0;
};

}  // namespace gantry::storage
