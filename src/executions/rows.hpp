#pragma once

#include "executions/record.hpp"
#include "storage/value.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How a record stands in its row.
namespace gantry::executions::store {

/// What every reader of records selects, and how many columns that are.
inline constexpr std::string_view columns =
    "id, owner, language, image, command, state, verdict, exit_code, signal, message, "
    "served_image, warm, wall_us, cpu_us, memory_peak_bytes, created_at, started_at, finished_at, "
    "executor, truncated, compile, artifacts, batch, webhook, error_code, owner_id";
inline constexpr std::size_t columns_count = 26;

/// The record of a row that begins with `columns`.
Record record_of(const storage::Row& row);

/// JSON, or nothing.
std::string stage_text(const std::optional<sandbox::StageOutcome>& stage);
std::string artifacts_text(const std::vector<ArtifactItem>& artifacts);

}  // namespace gantry::executions::store
