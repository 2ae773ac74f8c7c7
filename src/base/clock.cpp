#include "base/clock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace gantry {

Clock::Clock()
    : source_{[] {
        return std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
      }} {}

SteadyTime steady_now() { return std::chrono::steady_clock::now(); }

std::string rfc3339(WallTime time) {
  auto whole = std::chrono::floor<std::chrono::seconds>(time);
  auto fraction = (time - whole).count();
  auto civil = fmt::gmtime(std::chrono::system_clock::to_time_t(whole));
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", civil, fraction);
}

}  // namespace gantry
