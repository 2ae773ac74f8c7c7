#pragma once

#include <string>
#include <string_view>

namespace gantry::storage {

/// PostgreSQL's `text` holds no zero bytes and nothing but UTF-8; ours holds any bytes, as SQLite's
/// does. What does not fit travels as U+001A and two hexadecimal digits, and so does U+001A itself:
/// different texts stay different, and every other text stays as it is.
std::string to_postgres_text(std::string_view text);
/// The other way round.
std::string from_postgres_text(std::string_view stored);

}  // namespace gantry::storage
