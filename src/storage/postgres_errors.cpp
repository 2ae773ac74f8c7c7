#include "storage/postgres_errors.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace gantry::storage {
namespace {

/// A prefix of SQLSTATEs and what it is to us; the first that fits counts.
struct Meaning {
  std::string_view state;
  ErrorKind kind;
  std::string_view code;
  std::string_view verb;
  std::string_view remedy;
};

constexpr std::string_view look_at_server = "look at the PostgreSQL server and its log";

constexpr std::array meanings{
    Meaning{"23505", ErrorKind::conflict, "already_exists", "write to", ""},
    Meaning{"23503", ErrorKind::conflict, "still_referenced", "write to", ""},
    Meaning{"23", ErrorKind::conflict, "constraint_violated", "write to", ""},
    Meaning{"53100", ErrorKind::exhausted, "disk_full", "write to",
            "free some space on the PostgreSQL server; a server that runs goes on by itself"},
    Meaning{"53300", ErrorKind::unavailable, "database_unreachable", "use",
            "raise the server's max_connections, or end what holds them"},
    Meaning{"53", ErrorKind::exhausted, "database_exhausted", "use", look_at_server},
    Meaning{"40", ErrorKind::unavailable, "database_busy", "use", "try again"},
    Meaning{"55P03", ErrorKind::unavailable, "database_busy", "use",
            "end what holds its tables, and try again"},
    Meaning{"57014", ErrorKind::unavailable, "database_busy", "use", look_at_server},
    Meaning{"57", ErrorKind::unavailable, "database_unreachable", "use", look_at_server},
    Meaning{"58", ErrorKind::unavailable, "database_unreachable", "use", look_at_server},
    Meaning{"XX001", ErrorKind::internal, "database_corrupt", "use",
            "keep the server's files for inspection, and restore a backup"},
    Meaning{"XX002", ErrorKind::internal, "database_corrupt", "use",
            "keep the server's files for inspection, and restore a backup"},
    Meaning{"08", ErrorKind::unavailable, "database_unreachable", "use", look_at_server},
    Meaning{"25006", ErrorKind::unavailable, "database_unreachable", "write to",
            "name the primary server, not one that follows it"},
    Meaning{"28", ErrorKind::unavailable, "database_denied", "use",
            "check the user, its password and the server's pg_hba.conf"},
    Meaning{"3D", ErrorKind::unavailable, "database_unreachable", "use",
            "make it with 'createdb', and name its owner in the address"},
    Meaning{"42501", ErrorKind::denied, "database_denied", "use",
            "make the user the owner of the database, or of a schema in its search_path"},
    Meaning{"", ErrorKind::internal, "database_error", "run a statement on", ""},
};

/// libpq goes on in a second line with what it asks or hints at.
std::string in_one_sentence(std::string_view words) {
  auto joined = text::replaced(text::trimmed(words), "\n\t", ": ");
  return text::replaced(joined, "\n", "; ");
}

}  // namespace

Error postgres_error(std::string_view state, std::string_view words, std::string_view shown) {
  const auto* meaning = std::ranges::find_if(
      meanings, [&](const Meaning& one) { return state.starts_with(one.state); });
  auto cause = text::shortened(text::one_line(in_one_sentence(words)), 300);
  return {meaning->kind, std::string{meaning->code},
          fmt::format("cannot {} database '{}': {}", meaning->verb, shown, cause),
          std::string{meaning->remedy}};
}

bool ends_connection(std::string_view state) {
  return state.starts_with("08") || state == "57P01" || state == "57P02" || state == "57P03" ||
         state == "57P05" || state == "25P03";
}

Error postgres_unreachable(std::string_view cause, std::string_view shown) {
  return postgres_error("08006", cause.empty() ? "the connection was lost" : cause, shown);
}

}  // namespace gantry::storage
