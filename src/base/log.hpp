#pragma once

#include <string_view>
#include <utility>

#include <fmt/format.h>

/// The program's log: one line per fact, to standard error, never blocking the caller.
namespace gantry::log {

enum class Level { debug, info, warn, error };
enum class Style { text, json };

/// Start logging; before it, lines of `warn` and above go to standard error at once.
void start(Level least, Style style);
/// Write out what is queued and stop; called last.
void stop();
void flush();
bool enabled(Level level);

/// One line; control characters are escaped, so that data can not forge lines.
void write(Level level, std::string_view line);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace gantry::log
