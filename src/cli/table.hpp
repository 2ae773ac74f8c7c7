#pragma once

#include <string>
#include <vector>

namespace gantry::cli {

using Row = std::vector<std::string>;

/// Rows below a head, columns aligned by what a terminal shows: two spaces between them, none at
/// the ends of lines. Control characters are shown, not obeyed. All rows are as long as `head`.
std::string table(const Row& head, const std::vector<Row>& rows);

/// How many columns the text takes: characters that East Asian scripts write wide take two.
std::size_t width(std::string_view text);

}  // namespace gantry::cli
