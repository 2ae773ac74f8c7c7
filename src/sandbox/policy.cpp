#include "sandbox/policy.hpp"

#include <algorithm>
#include <array>

namespace gantry::sandbox {
namespace {

constexpr double mib = 1024.0 * 1024.0;

constexpr std::array table{
    Bound{"wall_time_ms", 1, 300'000, 10'000},
    Bound{"cpu_time_ms", 1, 300'000, 10'000},
    Bound{"memory_bytes", 16 * mib, 4096 * mib, 256 * mib},
    Bound{"cpus", 0.1, 8, 1},
    Bound{"pids", 4, 1024, 64},
    Bound{"output_bytes", 1, 16 * mib, 1 * mib},
    Bound{"tmpfs_bytes", 1 * mib, 1024 * mib, 64 * mib},
};

const Bound& bound(std::string_view field) {
  const auto* found = std::ranges::find(table, field, &Bound::field);
  CHECK(found != table.end());
  return *found;
}

/// The value of an integral limit, or its usual one.
std::int64_t whole(json::Fields& fields, std::string_view field) {
  const auto& limits = bound(field);
  auto value = fields.integer(
      field, {static_cast<std::int64_t>(limits.min), static_cast<std::int64_t>(limits.max)});
  return value.value_or(static_cast<std::int64_t>(limits.usual));
}

Bytes size(json::Fields& fields, std::string_view field) {
  return {static_cast<std::uint64_t>(whole(fields, field))};
}

}  // namespace

std::span<const Bound> bounds() { return table; }

Result<Policy> read_policy(const json::Value& value) {
  json::Fields fields{value, "limits", json::Keys::strict};
  Policy policy;
  policy.wall_time = Milliseconds{whole(fields, "wall_time_ms")};
  policy.cpu_time = fields.member("cpu_time_ms") == nullptr
                        ? policy.wall_time
                        : Milliseconds{whole(fields, "cpu_time_ms")};
  policy.memory = size(fields, "memory_bytes");
  policy.cpus =
      fields.number("cpus", {bound("cpus").min, bound("cpus").max}).value_or(bound("cpus").usual);
  policy.pids = static_cast<int>(whole(fields, "pids"));
  policy.output = size(fields, "output_bytes");
  policy.tmpfs = size(fields, "tmpfs_bytes");
  if (auto read = fields.finish(); !read) return fail(read.error());
  return policy;
}

}  // namespace gantry::sandbox
