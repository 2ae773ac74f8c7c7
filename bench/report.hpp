#pragma once

#include <string>
#include <vector>

namespace gantry::bench {

/// Milliseconds of one contender at one program and concurrency.
struct Series {
  std::string program;  ///< `python print(1)`
  int concurrency = 1;
  std::string contender;
  std::vector<double> milliseconds;
  int others = 0;  ///< Runs that do not count: misses of the pool.

  /// `share` from 0 to 1; 0 when there is none.
  double percentile(double share) const;
};

/// A Markdown table of all of them.
std::string table_of(const std::vector<Series>& all);
/// The same as an SVG: one bar per series up to its p50, a line to its p90, on a logarithmic scale.
std::string plot_of(const std::vector<Series>& all);

}  // namespace gantry::bench
