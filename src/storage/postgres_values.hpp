#pragma once

#include "storage/value.hpp"

#include <span>
#include <string>
#include <vector>

#include <libpq-fe.h>

namespace gantry::storage {

/// Parameters as libpq takes them. It points into itself: it stays where it was made.
class PostgresParameters {
 public:
  explicit PostgresParameters(std::span<const Value> parameters);
  PostgresParameters(const PostgresParameters&) = delete;
  PostgresParameters& operator=(const PostgresParameters&) = delete;

  int count() const { return static_cast<int>(types.size()); }

  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;

 private:
  std::vector<std::string> texts_;
};

/// A column of an answer, read by its type; every kind of number, and truth, as SQLite has it.
Value postgres_value(const PGresult* outcome, int row, int column);

}  // namespace gantry::storage
