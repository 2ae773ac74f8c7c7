#include "access/refusals.hpp"

#include "access/attempts.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

namespace gantry::access {
namespace {

constexpr Milliseconds window = std::chrono::minutes{10};
constexpr std::size_t counted_max = 200;

/// 1, 10, 100 …
bool is_told(std::uint64_t count) {
  while (count % 10 == 0) count /= 10;
  return count == 1;
}

}  // namespace

std::optional<Refusals::Told> Refusals::note(const std::string& name, const std::string& address,
                                             const std::string& outcome, WallTime now) {
  // A clock set back begins anew, too.
  if (now - begun_ >= window || now < begun_) {
    begun_ = now;
    counts_.clear();
    others_ = 0;
  }
  // An address holds no space.
  auto key = fmt::format("{} {} {}", network_of(address), outcome, text::lowered(name));
  auto known = counts_.find(key);
  if (known == counts_.end() && counts_.size() >= counted_max) {
    if (!is_told(++others_)) return std::nullopt;
    return Told{.count = others_, .about = Told::About::others};
  }
  if (known == counts_.end()) known = counts_.emplace(std::move(key), 0).first;
  if (!is_told(++known->second)) return std::nullopt;
  return Told{.count = known->second};
}

}  // namespace gantry::access
