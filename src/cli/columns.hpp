#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"
#include "cli/remote.hpp"

namespace gantry::cli {

/// The member at `containers.running`; nullptr where there is none.
const json::Value* member_at(const json::Value& value, std::string_view path);
/// What a column shows of an item. Anything of another type than expected is shown as JSON.
std::string cell(const Column& column, const json::Value& item, WallTime now);
/// All items below the columns' heads.
std::string columns_of(std::span<const Column> columns, const json::Array& items, WallTime now);
/// Members of an object, one a line: `endpoint  unix:///run/docker.sock`, nested ones as
/// `engine.version`.
std::string members_of(const json::Value& object);

/// `3 hours ago`, of a time as RFC 3339 says it; as it is when it is none.
std::string age_of(std::string_view time, WallTime now);
/// `12.5 MiB`
std::string size_text(std::int64_t bytes);

}  // namespace gantry::cli
