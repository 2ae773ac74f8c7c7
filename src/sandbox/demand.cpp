#include "sandbox/demand.hpp"

#include <algorithm>
#include <cmath>

namespace gantry::sandbox {
namespace {

constexpr double peak_half_life_ms = 120'000;
// How much a single measurement moves the average.
constexpr double weight = 0.2;

double ms_between(SteadyTime earlier, SteadyTime later) {
  return std::chrono::duration<double, std::milli>{later - earlier}.count();
}

}  // namespace

void Demand::arrived(SteadyTime now) {
  double faded = peak(now);
  recent_ = recent(now) + 1;
  peak_ = std::max(faded, recent_);
  counted_at_ = now;
  ++arrivals_;
}

void Demand::made(Milliseconds took) {
  making_ms_ += weight * (static_cast<double>(took.count()) - making_ms_);
}

std::size_t Demand::wanted(SteadyTime now, std::size_t least, std::size_t most) const {
  auto count = static_cast<std::size_t>(std::ceil(peak(now) - 0.05));
  return std::min(std::max(count, least), most);
}

double Demand::recent(SteadyTime now) const {
  return recent_ * std::exp(-ms_between(counted_at_, now) / making_ms_);
}

double Demand::peak(SteadyTime now) const {
  return peak_ * std::exp2(-ms_between(counted_at_, now) / peak_half_life_ms);
}

}  // namespace gantry::sandbox
