#include "access/attempts.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace gantry::access {
namespace {
constexpr Milliseconds window = std::chrono::minutes{10};
constexpr std::size_t keys_max = 10'000;
}  // namespace

std::string network_of(std::string_view address) {
  in6_addr parsed{};
  if (::inet_pton(AF_INET6, std::string{address}.c_str(), &parsed) != 1) {
    return std::string{address};
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (IN6_IS_ADDR_V4MAPPED(&parsed)) {
    return ::inet_ntop(AF_INET, &parsed.s6_addr[12], text.data(), text.size());
  }
  std::fill(std::begin(parsed.s6_addr) + 8, std::end(parsed.s6_addr), std::uint8_t{0});
  return fmt::format("{}/64", ::inet_ntop(AF_INET6, &parsed, text.data(), text.size()));
}

Seconds Attempts::wait(std::string_view key, WallTime now) const {
  auto found = keys_.find(key);
  if (found == keys_.end()) return Seconds{0};
  const auto& times = found->second->times;
  if (times.size() < failures_max_) return Seconds{0};
  // The oldest of the last ones must leave the window. A clock set back must not lock out longer.
  auto wait = std::clamp<Milliseconds>(times.front() + window - now, Milliseconds{0}, window);
  return std::chrono::ceil<Seconds>(wait);
}

void Attempts::begin(std::string_view key, WallTime now) {
  auto found = keys_.find(key);
  if (found == keys_.end()) {
    if (keys_.size() >= keys_max) {
      keys_.erase(by_age_.front().key);
      by_age_.pop_front();
    }
    by_age_.push_back({.key = std::string{key}, .times = {}});
    found = keys_.emplace(key, std::prev(by_age_.end())).first;
  }
  by_age_.splice(by_age_.end(), by_age_, found->second);
  auto& times = found->second->times;
  times.push_back(now);
  if (times.size() > failures_max_) times.pop_front();
}

void Attempts::withdraw(std::string_view key) {
  auto found = keys_.find(key);
  if (found == keys_.end()) return;
  found->second->times.pop_back();
  if (found->second->times.empty()) forgive(key);
}

void Attempts::forgive(std::string_view key) {
  auto found = keys_.find(key);
  if (found == keys_.end()) return;
  by_age_.erase(found->second);
  keys_.erase(found);
}

}  // namespace gantry::access
