#pragma once

#include "api/call.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace gantry::api {

/// What somebody wants of a log, from the query and the headers.
struct LogQuery {
  std::optional<std::uint32_t> tail;  ///< Absent: all.
  std::optional<WallTime> since;
  std::optional<WallTime> until;
  /// From `Last-Event-ID`: only what is later.
  std::int64_t after_ns = 0;
  bool timestamps = false;
  bool out = true;
  bool err = true;
  bool follow = false;
  bool download = false;
  enum class Form { text, events } form = Form::text;
};
Result<LogQuery> read_log_query(Call& call);

/// `2026-11-22T09:00:00Z`, or how long ago: `90s`, `10m`, `2h`, `1d`; nothing for anything else.
std::optional<WallTime> parse_moment(std::string_view text, WallTime now);
/// The query parameter `name` as such a time; nothing when it is not there.
Result<std::optional<WallTime>> read_moment(Call& call, std::string_view name);

}  // namespace gantry::api
