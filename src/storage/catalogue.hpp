#pragma once

#include "storage/value.hpp"

#include <string_view>

namespace gantry::storage {

/// How a kind of database tells what it holds: what of SQL the two do not share, for whoever copies
/// whole databases (storage/backup.hpp).
struct Catalogue {
  /// Rows of (table, column), tables by name, columns in their order.
  std::string_view columns;
  /// Rows of (table, table that it refers to).
  std::string_view references;
  /// Some rows of a table in the order in which they lie, `{}` standing for its columns and then
  /// for its name: first where a row lies, then its columns; those behind `$1`, at most `$2`.
  std::string_view page;
  /// Before the first row.
  Value start;
};

}  // namespace gantry::storage
