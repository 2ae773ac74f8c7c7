#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

/// What somebody may have meant who mistyped a word.
namespace gantry::text {

/// The known word that is the fewest keystrokes away (a letter more, less, another one, or two
/// that changed places): one in words of up to four letters, two in longer ones. Of several as
/// near the first; nothing where none is that near.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string> known);

}  // namespace gantry::text
