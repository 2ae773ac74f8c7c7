#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/json.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace gantry::sandbox {

/// The limits a program runs under. Every value lies within its Bound.
struct Policy {
  Milliseconds wall_time{10'000};
  Milliseconds cpu_time{10'000};  ///< Of all its processes together.
  Bytes memory{256U << 20U};      ///< Swap included; what is in the tmpfs counts too.
  double cpus = 1.0;
  int pids = 64;            ///< Processes and threads.
  Bytes output{1U << 20U};  ///< Of standard output and of standard error, each.
  Bytes tmpfs{64U << 20U};  ///< /box and /tmp, each.
};

/// The least, the most and the usual value of one limit, as the API names it.
struct Bound {
  std::string_view field;
  double min;
  double max;
  double usual;
};
std::span<const Bound> bounds();

/// Reads the `limits` object of a request; `cpu_time_ms` follows `wall_time_ms` when absent.
/// Refuses unknown fields, wrong types and values outside their bounds, naming both bounds.
Result<Policy> read_policy(const json::Value& value);

}  // namespace gantry::sandbox
