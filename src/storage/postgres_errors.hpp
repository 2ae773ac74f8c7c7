#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace gantry::storage {

/// What a refusal of PostgreSQL means: its SQLSTATE
/// (https://www.postgresql.org/docs/15/errcodes-appendix.html) and its words. Never their detail,
/// which repeats values. `shown` is the database's address, without password.
Error postgres_error(std::string_view state, std::string_view words, std::string_view shown);

/// Whether the server says by it that this connection, or itself, is ending.
bool ends_connection(std::string_view state);

/// The server is not there, or has gone.
Error postgres_unreachable(std::string_view cause, std::string_view shown);

}  // namespace gantry::storage
